"""Retry and cancel: asked for, confirmed with the exact count, carried out by the lifecycle, audited."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import User
from tasks.models import AuditEntry, Node, Task
from tests.admin.conftest import claim, fail_one, submit_echo, succeed_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/tasks/task/"


def choose(client: Client, action: str, ids: list[UUID], address: str = LIST, **extra: str) -> Any:
    """Choose tasks in the list and run an action, which asks first."""
    form = {"action": action, "_selected_action": [str(task_id) for task_id in ids], **extra}
    return client.post(address, form)


def confirm(client: Client, verb: str, page: Any) -> Any:
    return client.post(f"{LIST}act/{verb}/", dict(page.context["question"].hidden))


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_retry_asks_with_the_exact_count_and_then_retries(alice: User, node: Node, operator: Client) -> None:
    failed = [fail_one(alice, node) for _ in range(3)]
    done = succeed_one(alice, node)
    page = choose(operator, "retry_selected", [*failed, done])
    assert page.context["count"] == 3
    assert page.context["kinds"] == [("diagnostic.echo", "failed", 3)]
    assert Task.objects.filter(status="failed").count() == 3, "nothing happens before it is confirmed"
    answer = confirm(operator, "retry", page)
    assert said(answer) == ["3 tasks were put back in line."]
    assert set(Task.objects.filter(pk__in=failed).values_list("status", flat=True)) == {"ready"}
    assert Task.objects.get(pk=done).status == "succeeded"


def test_every_retry_is_in_the_audit_log_with_who_did_it(alice: User, node: Node, operator: Client) -> None:
    failed = fail_one(alice, node)
    confirm(operator, "retry", choose(operator, "retry_selected", [failed]))
    entry = AuditEntry.objects.get(action="retry")
    assert (entry.target_kind, entry.target_id) == ("task", str(failed))
    assert entry.actor is not None
    assert entry.actor.email == "operator@example.com"


def test_cancel_ends_waiting_tasks_and_asks_running_ones_to_stop(alice: User, node: Node, operator: Client) -> None:
    submit_echo(alice)
    running = claim(node).id
    waiting = submit_echo(alice).pk
    confirm(operator, "cancel", choose(operator, "cancel_selected", [running, waiting]))
    assert Task.objects.get(pk=waiting).shown_status == "cancelled"
    assert Task.objects.get(pk=running).shown_status == "cancelling"
    assert AuditEntry.objects.filter(action="cancel").count() == 2


def test_all_that_match_is_limited_to_the_filter(alice: User, node: Node, operator: Client) -> None:
    failed = fail_one(alice, node)
    waiting = submit_echo(alice).pk
    page = choose(operator, "cancel_selected", [waiting], f"{LIST}?status=queued", select_across="1")
    assert page.context["count"] == 1
    answer = confirm(operator, "cancel", page)
    assert said(answer) == ["1 task was cancelled."]
    assert Task.objects.get(pk=waiting).status == "cancelled"
    assert Task.objects.get(pk=failed).status == "failed"


def test_all_that_match_needs_a_filter(alice: User, operator: Client) -> None:
    waiting = submit_echo(alice).pk
    answer = choose(operator, "cancel_selected", [waiting], select_across="1")
    assert answer.status_code == 302
    assert said(answer) == ["Choose a filter first: every task of everybody is too many at once."]
    assert Task.objects.get(pk=waiting).status == "ready"


def test_nothing_to_do_is_said_instead_of_asked(alice: User, node: Node, operator: Client) -> None:
    done = succeed_one(alice, node)
    answer = choose(operator, "retry_selected", [done])
    assert said(answer) == ["Nothing to retry: none of these tasks has a status that allows it."]


def test_viewer_is_offered_no_action_and_refused_when_trying(alice: User, node: Node, viewer: Client) -> None:
    waiting = submit_echo(alice).pk
    assert viewer.get(LIST).context["action_form"] is None
    choose(viewer, "cancel_selected", [waiting])
    assert viewer.post(f"{LIST}act/cancel/", {"ids": str(waiting)}).status_code == 403
    assert viewer.post(f"{LIST}{waiting}/ask/cancel/").status_code == 403
    assert Task.objects.get(pk=waiting).status == "ready"
    assert not AuditEntry.objects.exists()


def test_retry_of_a_purged_task_is_refused_with_the_reason(alice: User, node: Node, operator: Client) -> None:
    failed = fail_one(alice, node)
    Task.objects.get(pk=failed).content.delete()
    answer = confirm(operator, "retry", choose(operator, "retry_selected", [failed]))
    assert said(answer) == ["1 not: The content of this task was purged, so it cannot be run again."]


def test_confirming_leads_back_to_the_filtered_list_but_never_elsewhere(
    alice: User, node: Node, operator: Client
) -> None:
    failed = fail_one(alice, node)
    page = choose(operator, "retry_selected", [failed], f"{LIST}?status=failed")
    assert confirm(operator, "retry", page).headers["Location"] == f"{LIST}?status=failed"
    answer = operator.post(f"{LIST}act/retry/", {"ids": str(failed), "back": "https://evil.example/"})
    assert answer.headers["Location"] == LIST


@pytest.mark.parametrize("verb", ["delete", "retry"])
def test_acting_needs_a_post_and_a_known_verb(operator: Client, verb: str) -> None:
    assert operator.get(f"{LIST}act/{verb}/").status_code == 405


def test_malformed_ids_do_nothing(operator: Client) -> None:
    assert operator.post(f"{LIST}act/cancel/", {"ids": "1,';drop"}).status_code == 302
