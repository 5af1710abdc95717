"""Cancel, retry, attempts, events, result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tasks.api.objects.attempt import Attempt
from tasks.api.objects.event import Event
from tasks.api.objects.task import Task
from tasks.lifecycle.claim import Claimed
from tasks.models import TaskContent
from tests.api.conftest import MakeClient, Work
from tests.api.shapes import assert_shape

Submit = Callable[..., dict[str, Any]]


def test_cancel_ends_a_waiting_task_and_may_be_repeated(api: MakeClient, alice: User, submit: Submit) -> None:
    client, task = api(alice), submit(alice)
    cancelled = client.post(task["urls"]["cancel"])
    assert cancelled.status_code == 202
    assert_shape(cancelled.json(), Task)
    assert (cancelled.json()["status"], cancelled.json()["done"]) == ("cancelled", True)
    assert cancelled.json()["error"]["code"] == "cancelled"
    again = client.post(task["urls"]["cancel"])
    assert again.json() == cancelled.json()
    assert again["ETag"] == cancelled["ETag"]


def test_cancel_of_a_finished_task_changes_nothing(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice)
    work()
    assert api(alice).post(task["urls"]["cancel"]).json()["status"] == "succeeded"


def test_retry_revives_under_the_same_id_and_may_be_repeated(api: MakeClient, alice: User, submit: Submit) -> None:
    client, task = api(alice), submit(alice)
    client.post(task["urls"]["cancel"])
    revived = client.post(task["urls"]["retry"])
    assert revived.status_code == 202
    assert (revived.json()["id"], revived.json()["status"], revived.json()["done"]) == (task["id"], "queued", False)
    assert revived.json()["error"] is None
    assert client.post(task["urls"]["retry"]).json()["version"] == revived.json()["version"]


def test_retry_of_a_succeeded_task_is_409_and_says_what_to_do(
    api: MakeClient, alice: User, submit: Submit, work: Work
) -> None:
    task = submit(alice)
    work()
    response = api(alice).post(task["urls"]["retry"])
    assert (response.status_code, response.json()["code"]) == (409, "wrong_status")
    assert "copy it" in response.json()["detail"]


def test_attempts_list_the_ended_and_the_running_one(
    api: MakeClient, alice: User, submit: Submit, work: Work, claim: Callable[[], Claimed]
) -> None:
    client = api(alice)
    task = submit(alice, type="diagnostic.fail", input={"mode": "give_up"})
    work()
    client.post(task["urls"]["retry"])
    claim()
    ended, running = client.get(task["urls"]["attempts"]).json()["data"]
    for attempt in (ended, running):
        assert_shape(attempt, Attempt)
    assert (ended["number"], ended["outcome"], ended["error"]["code"]) == (1, "failed", "gave_up")
    assert ended["charged"] is True
    assert ended["worker"]["host"] == running["worker"]["host"] == "host"
    assert (running["number"], running["outcome"], running["finished_at"]) == (2, None, None)


def test_events_are_paged_in_order(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice, type="diagnostic.sleep", input={"seconds": 1.3})
    work()
    client = api(alice)
    everything = client.get(task["urls"]["events"], {"limit": 100}).json()["data"]
    assert len(everything) > 1
    for event in everything:
        assert_shape(event, Event)
    assert everything[0]["event"] == "progress"
    assert set(everything[0]["data"]) == {"fraction", "stage"}
    first = client.get(task["urls"]["events"], {"limit": 1}).json()
    rest = client.get(task["urls"]["events"], {"limit": 100, "cursor": first["next_cursor"]}).json()
    assert first["data"] + rest["data"] == everything


def test_result_is_the_result_alone(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice)
    work()
    response = api(alice).get(task["urls"]["result"])
    assert (response.status_code, response.json()["text"]) == (200, "hello")


def test_result_of_an_unfinished_task_is_409(api: MakeClient, alice: User, submit: Submit) -> None:
    response = api(alice).get(submit(alice)["urls"]["result"])
    assert (response.status_code, response.json()["code"]) == (409, "no_result")
    assert "queued" in response.json()["detail"]


def test_result_of_a_failed_task_is_409_and_says_why(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice, type="diagnostic.fail", input={"mode": "give_up"})
    work()
    response = api(alice).get(task["urls"]["result"])
    assert response.status_code == 409
    assert "asked to give up" in response.json()["detail"]


def test_purged_result_is_410(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice)
    work()
    TaskContent.objects.all().delete()
    response = api(alice).get(task["urls"]["result"])
    assert (response.status_code, response.json()["code"]) == (410, "content_purged")


@pytest.mark.parametrize("part", ["", "/attempts", "/events", "/result"])
def test_unknown_id_is_404(api: MakeClient, alice: User, part: str) -> None:
    response = api(alice).get(f"/api/v1/tasks/01900000-0000-7000-8000-000000000000{part}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
