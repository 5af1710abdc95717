"""Links to results by the API: made by whoever may read all that they give away, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import User
from tasks.models import Share, Task, TaskContent
from tests.api.conftest import ECHO, JSON, MakeClient

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def task(api: MakeClient, alice: User) -> Any:
    id_: Any = api(alice).post("/api/v1/tasks", ECHO | {"run_after": "2100-01-01T00:00:00Z"}, JSON).json()["id"]
    Task.objects.filter(pk=id_).update(status="succeeded", run_after=None, finished_at=Now())
    TaskContent.objects.filter(pk=id_).update(result={"message": "what came out"})
    return id_


def test_link_is_made_opened_listed_and_taken_back(api: MakeClient, alice: User, task: str) -> None:
    client = api(alice)
    made = client.post("/api/v1/shares", {"task": task, "days": 1}, JSON)
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    link = made.json()
    assert "what came out" in Client().get(link["url"]).text
    [listed] = client.get("/api/v1/shares").json()["data"]
    assert (listed["id"], "url" in listed) == (link["id"], False)
    assert listed["opened_at"] is not None
    assert client.delete(link["urls"]["self"]).status_code == 204
    assert client.delete(link["urls"]["self"]).status_code == 204
    assert Client().get(link["url"]).status_code == 404
    assert client.get("/api/v1/shares").json()["data"] == []
    assert client.get(link["urls"]["self"]).status_code == 404


@pytest.mark.parametrize("missing", ["tasks:read", "tasks:write", "files"])
def test_token_gives_away_no_more_than_it_may_read(api: MakeClient, alice: User, task: str, missing: str) -> None:
    scopes = {"tasks:read", "tasks:write", "files"} - {missing}
    refused = api(alice, *scopes).post("/api/v1/shares", {"task": task}, JSON)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert not Share.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"), [({"days": 0}, 422), ({"days": 91}, 422), ({"task": "x"}, 422), ({"for": 1}, 422)]
)
def test_what_is_no_link_is_refused(
    api: MakeClient, alice: User, task: str, body: dict[str, object], status: int
) -> None:
    assert api(alice).post("/api/v1/shares", {"task": task} | body, JSON).status_code == status


def test_only_ones_own_results_are_shared(api: MakeClient, alice: User, bob: User, task: str) -> None:
    assert api(bob).post("/api/v1/shares", {"task": task}, JSON).status_code == 404
    waiting = api(alice).post("/api/v1/tasks", ECHO, JSON).json()["id"]
    assert api(alice).post("/api/v1/shares", {"task": waiting}, JSON).status_code == 409
