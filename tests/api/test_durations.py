"""Durations are seconds, or strings like "10m", wherever the API takes them; `keep` is one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from tasks.lifecycle import purge, sweep
from tasks.models import Schedule, Task, TaskContent
from tests.api.conftest import ECHO, JSON, MakeClient, Work

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(90, 90), ("90s", 90), ("10m", 600), ("1h", 3600), ("0h1m", 60), ("59m59s", 3599), ("0d0h0m61s", 61)],
)
def test_timeout_is_seconds_or_a_duration(submit: Submit, alice: User, written: int | str, seconds: int) -> None:
    assert submit(alice, timeout=written)["timeout"] == seconds


@pytest.mark.parametrize(
    "written", ["", "10", "10 m", "m", "1m1h", "-1m", "1.5h", "1h1h", "10M", "1m\n", "٣m", "0s", True]
)
@pytest.mark.parametrize("field", ["timeout", "keep"])
def test_what_is_no_duration_is_refused_at_its_field(
    api: MakeClient, alice: User, field: str, written: int | str
) -> None:
    answer = api(alice).post("/api/v1/tasks", ECHO | {field: written}, JSON)
    assert answer.status_code == 422, answer.content
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{field}"]


def test_every_duration_of_a_body_is_written_either_way(api: MakeClient, alice: User, submit: Submit) -> None:
    client = api(alice)
    task = {"type": "diagnostic.echo", "input": {"message": "x"}, "timeout": "2m"}
    made = client.post("/api/v1/schedules", {"task": task, "interval_seconds": "2h30m"}, JSON)
    assert made.status_code == 201, made.content
    assert Schedule.objects.values_list("timeout_seconds", "interval_seconds").get() == (120, 9000)
    client.patch(made.json()["urls"]["self"], {"interval_seconds": "1d"}, JSON)
    assert Schedule.objects.get().interval_seconds == 86_400
    file = client.post("/api/v1/files", {"file": SimpleUploadedFile("a.txt", b"words")}).json()
    link = client.post(f"/api/v1/files/{file['id']}/link", {"expires_in": "10m"}, JSON)
    assert link.status_code == 201, link.content
    left = datetime.fromisoformat(link.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=300) < left <= timedelta(seconds=600)
    ended = submit(alice)
    client.post(ended["urls"]["cancel"])
    assert client.post(ended["urls"]["copy"], {"timeout": "3m"}, JSON).json()["timeout"] == 180


def test_content_is_kept_as_long_as_was_asked_for(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    short, usual = submit(alice, keep="2h"), submit(alice)
    work()
    work()
    for task, kept in ((short, timedelta(hours=2)), (usual, timedelta(days=alice.plan.keep_days))):
        row = Task.objects.get(pk=task["id"])
        assert row.finished_at is not None
        assert row.keep_until is not None
        assert abs(row.keep_until - row.finished_at - kept) < timedelta(seconds=5)
    copied = api(alice).post(short["urls"]["copy"], {}, JSON).json()
    assert Task.objects.get(pk=copied["id"]).keep_seconds == 7200
    cancelled = submit(alice, keep=60)
    api(alice).post(cancelled["urls"]["cancel"])
    row = Task.objects.get(pk=cancelled["id"])
    assert row.finished_at is not None
    assert row.keep_until is not None
    assert row.keep_until - row.finished_at < timedelta(seconds=65)


def test_content_is_not_kept_longer_than_the_plan_keeps_it(api: MakeClient, make_user: Any) -> None:
    client = api(make_user("carol", keep_days=2))
    assert client.post("/api/v1/tasks", ECHO | {"keep": "2d"}, JSON).status_code == 202
    refused = client.post("/api/v1/tasks", ECHO | {"keep": "2d1s"}, JSON)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/keep")
    assert "2 days" in refused.json()["detail"]


def test_content_that_is_needed_is_kept_until_that_has_ended(submit: Submit, alice: User, work: Work) -> None:
    first = submit(alice, keep=60)
    reference = {"$from": first["id"], "path": "text"}
    later = submit(alice, input={"message": reference}, run_after="2100-01-01T00:00:00Z")
    work()
    past = Task.objects.get(pk=first["id"]).created_at - timedelta(days=1)
    Task.objects.filter(pk=first["id"]).update(keep_until=past)
    assert purge.purge_content() == 0
    assert TaskContent.objects.filter(pk=first["id"]).exists()
    Task.objects.filter(pk=later["id"]).update(run_after=past)
    sweep.start_due()
    work()
    assert Task.objects.get(pk=later["id"]).status == "succeeded"
    assert purge.purge_content() == 1
