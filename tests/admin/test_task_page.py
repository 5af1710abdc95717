"""The page of one task: what everybody may see, and the content, which few may."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from tasks import errors
from tasks.lifecycle import ending, finish, sweep
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.pause import pause_queue
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import AuditEntry, Event, Node, Task, TaskContent, WebhookEndpoint
from tasks.models.webhook import EVENTS
from tests.admin.conftest import claim, fail_one, submit_echo, succeed_one

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


def test_running_attempt_is_listed_and_an_earlier_error_is_no_news_of_it(
    alice: User, node: Node, viewer: Client
) -> None:
    submit_task(alice, Submission("diagnostic.echo", {"message": "again"}, max_attempts=3))
    claimed = claim(node)
    finish.finish_attempt(claimed, ending.failed(claimed, errors.Retry("The line was cut.", after=0)))
    sweep.start_due()
    claim(node)
    page = viewer.get(address(claimed.id))
    assert [(shown.number, shown.status) for shown in page.context["attempts"]] == [(2, "running"), (1, "failed")]
    assert page.context["error"] is None
    assert page.content.decode().count("The line was cut.") == 1


def test_attempt_of_a_cancelled_task_was_cancelled_however_its_worker_left(
    alice: User, node: Node, viewer: Client
) -> None:
    submit_echo(alice)
    claimed = claim(node)
    cancel_task(claimed.id, by=alice)
    finish.finish_attempt(claimed, ending.returned())
    assert [shown.status for shown in viewer.get(address(claimed.id)).context["attempts"]] == ["cancelled"]


def test_progress_in_a_row_is_one_line(alice: User, node: Node, viewer: Client) -> None:
    task = finished(alice, node)
    steps = [("reading", 0.1), ("reading", 0.2), ("writing", 0.3), ("writing", 0.9)]
    for stage, fraction in steps:
        Event.objects.create(task=task, attempt=1, kind="progress", data={"stage": stage, "fraction": fraction})
    events = viewer.get(address(task.pk)).context["events"]
    assert [(said.data.get("stage"), said.steps) for said in events] == [(None, 1), ("reading", 2), ("writing", 2)]


def test_task_that_needs_others_says_which_and_each_of_them_leads_back(alice: User, node: Node, viewer: Client) -> None:
    needed = submit_echo(alice)
    needing = submit_task(alice, Submission("diagnostic.echo", {"message": "later"}, needs=[needed.pk])).task
    page = viewer.get(address(needing.pk))
    assert page.context["why"] == "It needs the results of tasks that have not finished."
    assert [link.task for link in page.context["needs"].shown] == [needed]
    assert f"/admin/tasks/task/{needed.pk}/change/" in page.content.decode()
    assert [link.task for link in viewer.get(address(needed.pk)).context["needed_by"].shown] == [needing]


def test_task_that_waits_for_a_slot_says_who_has_them(
    make_user: Callable[..., User], node: Node, viewer: Client
) -> None:
    single = make_user("single", slots=1)
    holder, other = submit_echo(single), submit_echo(single)
    page = viewer.get(address(other.pk))
    assert page.context["slots"] == [holder]
    assert "Who has the slots" in page.content.decode()


def test_usage_is_told_in_words(alice: User, node: Node, viewer: Client) -> None:
    task = finished(alice, node)
    TaskContent.objects.filter(pk=task.pk).update(usage={"tokens": {"prompt": 1200, "completion": 7}})
    page = viewer.get(address(task.pk)).content.decode()
    assert "<dt>Tokens</dt><dd>1,200 prompt, 7 completion</dd>" in page


def test_webhooks_of_a_task_are_on_its_page(alice: User, node: Node, viewer: Client) -> None:
    endpoint = WebhookEndpoint.objects.create(
        owner=alice, url="https://hooks.example.com/in", events=EVENTS, secret="x"
    )
    task = finished(alice, node)
    page = viewer.get(address(task.pk))
    assert [delivery.endpoint_id for delivery in page.context["deliveries"]] == [endpoint.pk]
    assert "task.succeeded → https://hooks.example.com/…" in page.content.decode()


def test_waiting_task_says_why_it_waits(alice: User, olga: User, node: Node, viewer: Client) -> None:
    task = submit_echo(alice)
    page = viewer.get(address(task.pk))
    assert page.context["why"] == "It has its slot, and waits for a worker to be free."
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


def test_retry_with_another_input_is_validated_kept_and_audited(alice: User, node: Node, administrator: Client) -> None:
    task = Task.objects.get(pk=fail_one(alice, node))
    shown = administrator.post(address(task.pk, "content"))
    assert json.loads(shown.context["edited"].text) == {"message": "a private message"}
    for text, fault in [("{", "line 1, column 2"), ('{"message": 7}', "/input/message"), ("[" * 100_000, "too deep")]:
        page = administrator.post(address(task.pk, "retry-with-input"), {"input": text})
        assert page.context["edited"].text == text
        assert fault in page.context["edited"].faults[0]
        task.refresh_from_db()
        assert (task.status, task.content.input) == ("failed", {"message": "a private message"})
    page = administrator.post(address(task.pk, "retry-with-input"), {"input": '{"message": "mended"}'}, follow=True)
    assert "put back in line with the new input" in page.content.decode()
    assert Task.objects.get(pk=task.pk).shown_status == "queued"
    assert TaskContent.objects.get(pk=task.pk).input == {"message": "mended"}
    assert AuditEntry.objects.filter(target_id=str(task.pk), action="retry_edited").count() == 1
    # Sent twice.
    page = administrator.post(address(task.pk, "retry-with-input"), {"input": '{"message": "again"}'}, follow=True)
    assert "under way already" in page.content.decode()
    assert TaskContent.objects.get(pk=task.pk).input == {"message": "mended"}
    assert claim(node).id == task.pk


def test_retry_with_another_input_takes_both_rights_and_a_failed_task(
    alice: User, node: Node, operator: Client, viewer: Client, administrator: Client
) -> None:
    failed, well = fail_one(alice, node), succeed_one(alice, node)
    for client in (operator, viewer):
        assert client.post(address(failed, "retry-with-input"), {"input": "{}"}).status_code == 403
    assert "edited" not in administrator.post(address(well, "content")).context
    page = administrator.post(address(well, "retry-with-input"), {"input": '{"message": "x"}'}, follow=True)
    assert "This task has succeeded." in page.content.decode()


@pytest.mark.parametrize("task_id", [uuid4(), "nonsense"])
def test_unknown_task_is_not_found(viewer: Client, task_id: object) -> None:
    assert viewer.get(address(task_id)).status_code == 404
