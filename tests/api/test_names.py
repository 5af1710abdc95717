"""Names of tasks: given at submission, changed at any time, gone with the content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.purge import purge_task
from tests.api.conftest import ECHO, JSON, MakeClient

pytestmark = pytest.mark.django_db

BAD_NAMES = ["", " begins with a space", "two\nlines", "x" * 201, "evil\u202efdp.exe", "a\u0085b", 5]


def test_task_has_the_name_that_was_given_until_it_is_renamed(
    api: MakeClient, alice: User, submit: Callable[..., dict[str, Any]]
) -> None:
    task = submit(alice, name="Rent, May 🏠")
    path = task["urls"]["self"]
    assert task["name"] == "Rent, May 🏠"
    before = api(alice).get(path)
    assert before.json()["name"] == "Rent, May 🏠"
    renamed = api(alice).patch(path, {"name": "房租"}, content_type=JSON)
    assert (renamed.status_code, renamed.json()["name"]) == (200, "房租")
    # Whoever polls with what they know sees it, too.
    assert api(alice).get(path, headers={"If-None-Match": before["ETag"]}).json()["name"] == "房租"
    assert api(alice).get("/api/v1/tasks").json()["data"][0]["name"] == "房租"
    assert api(alice).post(task["urls"]["copy"], {}, content_type=JSON).json()["name"] == "房租"
    # The same again is no change.
    again = api(alice).patch(path, {"name": "房租"}, content_type=JSON)
    assert again["ETag"] == renamed["ETag"]
    assert api(alice).patch(path, {"name": None}, content_type=JSON).json()["name"] is None


@pytest.mark.parametrize("name", BAD_NAMES)
def test_name_is_one_line_that_reads_as_it_is_written(
    api: MakeClient, alice: User, submit: Callable[..., dict[str, Any]], name: Any
) -> None:
    path = submit(alice)["urls"]["self"]
    for answer in (
        api(alice).post("/api/v1/tasks", ECHO | {"name": name}, content_type=JSON),
        api(alice).patch(path, {"name": name}, content_type=JSON),
    ):
        assert answer.status_code == 422, name
        assert answer.json()["errors"][0]["pointer"] == "/name"
    assert api(alice).get(path).json()["name"] is None


def test_tasks_of_a_batch_have_names_of_their_own(api: MakeClient, alice: User) -> None:
    body = {"tasks": [ECHO | {"name": "one"}, ECHO, ECHO | {"name": "three"}]}
    batch = api(alice).post("/api/v1/batches", body, content_type=JSON).json()
    read = [api(alice).get(f"/api/v1/tasks/{item['id']}").json()["name"] for item in batch["items"]]
    assert read == ["one", None, "three"]


def test_name_is_content(api: MakeClient, alice: User, bob: User, submit: Callable[..., dict[str, Any]]) -> None:
    task = submit(alice, name="secret plan")
    path = task["urls"]["self"]
    assert api(bob).patch(path, {"name": "mine"}, content_type=JSON).status_code == 404
    # Who may not read it may give another one, and is not told it.
    blind = api(alice, "tasks:write").patch(path, {"name": "other plan"}, content_type=JSON)
    assert (blind.status_code, blind.json()["name"]) == (200, None)
    cancel_task(task["id"], by=alice)
    purge_task(task["id"], by=alice)
    assert api(alice).get(path).json()["name"] is None
    assert api(alice).patch(path, {"name": "late"}, content_type=JSON).json()["code"] == "content_purged"
