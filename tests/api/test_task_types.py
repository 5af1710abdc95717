"""GET /task-types and /quota: what there is to submit, and how much of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks import registry
from tasks.api.objects.quota import Quota
from tasks.api.objects.task_type import TaskType
from tasks.kept import forget_all
from tasks.lifecycle.pause import pause_type
from tests.api.conftest import MakeClient, Work
from tests.api.shapes import assert_shape


def test_task_types_are_listed_by_name_with_their_schemas(api: MakeClient, alice: User) -> None:
    listed = api(alice).get("/api/v1/task-types?limit=100").json()
    assert [definition["name"] for definition in listed["data"]] == sorted(registry.all_types())
    for definition in listed["data"]:
        assert_shape(definition, TaskType)
        assert definition["input_schema"]["type"] == definition["result_schema"]["type"] == "object"


def test_task_types_are_paged(api: MakeClient, alice: User) -> None:
    client, names, cursor = api(alice), [], None
    while True:
        page = client.get("/api/v1/task-types", {"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        names += [definition["name"] for definition in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == sorted(registry.all_types())


def test_example_of_a_task_type_is_a_valid_input(api: MakeClient, alice: User) -> None:
    definition = api(alice).get("/api/v1/task-types/diagnostic.echo").json()
    registry.get_type("diagnostic.echo").validate(definition["example"])
    assert definition["limits"] == {"priority": 5, "timeout": 600, "max_attempts": 3}


def test_recent_run_time_comes_from_attempts(api: MakeClient, alice: User, submit: Any, work: Work) -> None:
    client = api(alice)
    forget_all()
    assert client.get("/api/v1/task-types/diagnostic.echo").json()["recent"] == {"p50": None, "p90": None}
    submit(alice)
    work()
    forget_all()
    recent = client.get("/api/v1/task-types/diagnostic.echo").json()["recent"]
    assert isinstance(recent["p50"], float)
    assert recent["p90"] >= recent["p50"]


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("pdf.extract", {"en", "de", "zh", "ja"}),
        ("image.analyze", {"en", "de", "zh", "ja"}),
        ("speech.transcribe", {"en", "fr", "zh", "sw"}),
        ("rag.query", {"en", "zh", "tr"}),
        ("document.crosscheck", set()),
    ],
)
def test_a_type_tells_the_languages_that_its_engines_here_read(
    api: MakeClient, alice: User, client: Client, name: str, languages: set[str]
) -> None:
    told = api(alice).get(f"/api/v1/task-types/{name}").json()["engine"]["languages"]
    client.force_login(alice)
    page = client.get(reverse("web:submit", args=[name])).text

    assert languages <= set(told)
    assert bool(told) is bool(languages)
    assert (", ".join(told) in page and f"{len(told)} languages" in page) or not told


def test_paused_type_says_so_and_recommends_a_small_batch(api: MakeClient, alice: User, olga: User) -> None:
    client = api(alice)
    forget_all()
    before = client.get("/api/v1/task-types/pdf.extract").json()
    pause_type("pdf.extract", by=olga)
    forget_all()
    paused = client.get("/api/v1/task-types/pdf.extract").json()
    assert (before["paused"], paused["paused"]) == (False, True)
    assert paused["recommended_batch"] < before["recommended_batch"]


def test_unknown_task_type_is_404(api: MakeClient, alice: User) -> None:
    response = api(alice).get("/api/v1/task-types/nope")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_file_fields_are_named_with_what_they_accept(api: MakeClient, alice: User) -> None:
    definition = api(alice).get("/api/v1/task-types/pdf.extract").json()
    assert definition["file_fields"] == {"file": ["application/pdf"]}


def test_quota_counts_what_was_submitted(api: MakeClient, alice: User, submit: Any) -> None:
    submit(alice, priority=8)
    quota = api(alice).get("/api/v1/quota").json()
    assert_shape(quota, Quota)
    assert (quota["plan"], quota["slots"], quota["held"]) == ("Pro", 4, 1)
    assert quota["allowances"]["high"] == {
        "limit": 500,
        "used": 1,
        "resets_at": quota["allowances"]["day"]["resets_at"],
    }
    assert quota["allowances"]["high"]["resets_at"].endswith("T00:00:00Z")
