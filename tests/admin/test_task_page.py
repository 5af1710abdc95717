"""The page of one task: what everybody may see, and the content, which few may."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from tasks.lifecycle.pause import pause_queue
from tasks.models import AuditEntry, Event, Node, Task
from tests.admin.conftest import fail_one, submit_echo, succeed_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SECRETS = ("a private message", "a private result", "words of a model")


def address(task_id: object, part: str = "change") -> str:
    return f"/admin/tasks/task/{task_id}/{part}/"


def finished(user: User, node: Node) -> Task:
    task = Task.objects.get(pk=succeed_one(user, node))
    Event.objects.create(task=task, attempt=1, kind="output", data={"text": "words of a model"})
    Event.objects.create(task=task, attempt=1, kind="log", data={"text": "opened the file"})
    return task


@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_content_is_hidden_without_the_permission(
    alice: User, node: Node, who: str, make_operator: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    task = finished(alice, node)
    client = signed_in(make_operator(who))
    page = client.get(address(task.pk)).content.decode()
    assert "opened the file" in page
    assert not [secret for secret in SECRETS if secret in page]
    assert client.post(address(task.pk, "content")).status_code == 403
    assert not AuditEntry.objects.exists()


def test_content_is_shown_only_when_asked_for_and_that_is_audited(
    alice: User, node: Node, administrator: Client
) -> None:
    task = finished(alice, node)
    page = administrator.get(address(task.pk)).content.decode()
    assert not [secret for secret in SECRETS if secret in page]
    shown = administrator.post(address(task.pk, "content")).content.decode()
    assert [secret for secret in SECRETS if secret in shown] == list(SECRETS)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id) == ("view_content", str(task.pk))
    assert entry.actor is not None
    assert entry.actor.email == "administrator@example.com"


def test_content_cannot_be_had_by_a_get(alice: User, node: Node, administrator: Client) -> None:
    assert administrator.get(address(finished(alice, node).pk, "content")).status_code == 405


def test_permission_can_be_given_to_one_person(
    alice: User, node: Node, make_operator: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    task = finished(alice, node)
    vera = make_operator("viewer")
    vera.user_permissions.add(Permission.objects.get(codename="view_task_content"))
    assert signed_in(vera).post(address(task.pk, "content")).status_code == 200


def test_failed_task_shows_its_error_attempt_and_traceback(alice: User, node: Node, viewer: Client) -> None:
    page = viewer.get(address(fail_one(alice, node)))
    assert [attempt.number for attempt in page.context["attempts"]] == [1]
    text = page.content.decode()
    for word in ("unreadable_file", "The page could not be read.", "Traceback: IndexError", "worker-1", "4243"):
        assert word in text


def test_waiting_task_says_why_it_waits(alice: User, olga: User, node: Node, viewer: Client) -> None:
    task = submit_echo(alice)
    page = viewer.get(address(task.pk))
    assert page.context["why"] == "It has its slot and waits for a worker to be free."
    pause_queue("diagnostics", by=olga, reason="mending")
    assert viewer.get(address(task.pk)).context["why"] == "Its queue is paused."


def test_purged_task_still_has_a_page(alice: User, node: Node, administrator: Client) -> None:
    task = finished(alice, node)
    task.content.delete()
    assert "The content was purged." in administrator.post(address(task.pk, "content")).content.decode()


def test_buttons_are_those_that_the_status_allows(alice: User, node: Node, operator: Client, viewer: Client) -> None:
    failed, waiting = fail_one(alice, node), submit_echo(alice).pk
    assert [verb.name for verb in operator.get(address(failed)).context["verbs"]] == ["retry"]
    offered = [verb.name for verb in operator.get(address(waiting)).context["verbs"]]
    assert offered == ["move", "set_priority", "cancel"]
    assert "/ask/cancel/" in operator.get(address(waiting)).content.decode()
    assert "/ask/cancel/" not in viewer.get(address(waiting)).content.decode()


def test_button_asks_and_returns_to_the_task(alice: User, node: Node, operator: Client) -> None:
    failed = fail_one(alice, node)
    page = operator.post(address(failed, "ask/retry"), {"back": address(failed)})
    assert (page.context["count"], page.context["back"]) == (1, address(failed))


@pytest.mark.parametrize("task_id", [uuid4(), "nonsense"])
def test_unknown_task_is_not_found(viewer: Client, task_id: object) -> None:
    assert viewer.get(address(task_id)).status_code == 404
