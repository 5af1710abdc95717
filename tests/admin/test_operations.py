"""Operations on the operators' pages: asked with the exact count, watched, paused, stopped; by operators only."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.test import Client

from accounts.models import User
from tasks.admin import task_actions
from tasks.admin.filter_from_request import filter_of
from tasks.models import AuditEntry, Lane, Node, Operation, Queue, Task
from tasks.operations import bulk_action
from tasks.operations.action import Choice
from tasks.operations.bulk_action import bulk_actions
from tasks.operations.manage import run_operations, start_operation
from tasks.operations.task_filter import TaskFilter
from tests.admin.conftest import claim, fail_one, submit_echo
from tests.admin.test_task_actions import LIST, choose, confirm, said

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

OPERATIONS = "/admin/tasks/operation/"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is carried out within the request."""
    monkeypatch.setattr(task_actions, "FIRST_SECONDS", 0.0)


def fields(page: Any, **more: str) -> dict[str, str]:
    return dict(page.context["question"].hidden) | more


def start(user: User, by: User) -> Operation:
    submit_echo(user)
    return start_operation(Choice("cancel"), TaskFilter(owners=(user.pk,)), by=by)


def test_all_that_match_becomes_an_operation_with_its_own_page(
    alice: User, bob: User, operator: Client, slow: None
) -> None:
    for _ in range(3):
        submit_echo(alice)
    other = submit_echo(bob)
    page = choose(operator, "cancel_selected", [other.pk], f"{LIST}?q=alice", select_across="1")
    assert (page.context["count"], page.context["kinds"]) == (3, [("diagnostic.echo", "queued", 3)])
    assert not Operation.objects.exists(), "nothing happens before it is confirmed"
    late = submit_echo(alice)
    answer = confirm(operator, "cancel", page)
    operation = Operation.objects.get()
    assert answer.headers["Location"] == f"{OPERATIONS}{operation.pk}/change/"
    assert (operation.total, operation.kind, operation.filter) == (
        3,
        "cancel",
        {"owners": [alice.pk], "without_system": True},
    )
    shown = operator.get(answer.headers["Location"])
    assert "0 of 3" in shown.content.decode()
    operation_page = operator.get(f"{OPERATIONS}{operation.pk}/live/").content.decode()
    assert 'hx-trigger="every 1s"' in operation_page
    run_operations()
    fragment = operator.get(f"{OPERATIONS}{operation.pk}/live/").content.decode()
    assert "3 of 3" in fragment
    assert "hx-trigger" not in fragment, "what is over is not asked for again"
    assert Task.objects.get(pk=late.pk).status == "ready", "it came after the question"
    assert Task.objects.get(pk=other.pk).status == "ready"


@pytest.mark.parametrize(
    ("address", "filtered"),
    [
        ("?status=failed", {"statuses": ["failed"]}),
        ("?type=diagnostic.echo&queue=diagnostics", {"type": "diagnostic.echo", "queue": "diagnostics"}),
        ("?error=unreadable_file", {"error_code": "unreadable_file"}),
        ("?node=default", {"node": "default"}),
        ("?ended_after=2026-11-30T13:00", {"ended_after": "2026-11-30T13:00:00Z"}),
        ("?ended_before=never", {"owners": []}),
        ("?q=tag:blue", {"tag": "blue"}),
        ("?q=nobody-of-that-name", {"owners": []}),
        ("?batch=nonsense", {"owners": []}),
        ("?q=alice&batch=nonsense", {"owners": []}),
        ("?before=x&status=queued", {"statuses": ["queued"]}),
    ],
)
def test_filter_of_the_list_is_that_of_the_operation(rf: Any, address: str, filtered: dict[str, Any]) -> None:
    found = filter_of(rf.post(f"{LIST}{address}")).as_json()
    # Whoever names a type or a batch means all of it.
    assert found.pop("without_system", False) == ("type=" not in address and "batch=" not in address)
    assert found == filtered


def test_filter_that_only_the_list_knows_is_refused(alice: User, operator: Client) -> None:
    task = submit_echo(alice)
    answer = choose(operator, "cancel_selected", [task.pk], f"{LIST}?owner__id__exact={alice.pk}", select_across="1")
    assert answer.status_code == 302
    assert not Operation.objects.exists()
    assert Task.objects.get(pk=task.pk).status == "ready"


@pytest.mark.parametrize("posted", ["{}", "", "nonsense", '{"everything": true}', "[]"])
def test_forged_and_empty_filters_start_nothing(alice: User, operator: Client, posted: str) -> None:
    task = submit_echo(alice)
    answer = operator.post(f"{LIST}act/cancel/", {"filter": posted})
    assert answer.status_code == 302
    assert len(said(answer)) == 1
    assert not Operation.objects.exists()
    assert Task.objects.get(pk=task.pk).status == "ready"


def test_purge_of_a_queue_asks_with_the_exact_count_and_lets_running_tasks_go_on(
    alice: User, node: Node, operator: Client
) -> None:
    for _ in range(6):
        submit_echo(alice)
    running = claim(node).id
    page = operator.get("/admin/tasks/queue/diagnostics/purge-tasks/")
    assert page.context["count"] == 5
    answer = operator.post("/admin/tasks/task/act/purge/", fields(page))
    assert said(answer) == ["5 tasks were cancelled."]
    assert answer.headers["Location"] == "/admin/tasks/queue/"
    assert Task.objects.filter(status="cancelled").count() == 5
    assert Task.objects.get(pk=running).shown_status == "running"
    assert Lane.objects.get(user=alice).taken == 1


def test_queue_is_moved_to_another(alice: User, operator: Client) -> None:
    task = submit_echo(alice)
    page = operator.get("/admin/tasks/queue/diagnostics/move-tasks/")
    assert {queue.pk for queue in page.context["queues"]} == set(Queue.objects.values_list("pk", flat=True))
    missing = operator.post(f"{LIST}act/move/", fields(page, queue="nowhere"))
    assert said(missing) == ["There is no queue nowhere."]
    answer = operator.post(f"{LIST}act/move/", fields(page, queue="text"))
    assert said(answer)[-1:] == ["1 task was moved to text."]
    assert Task.objects.get(pk=task.pk).queue_id == "text"


@pytest.mark.parametrize("name", ["pause", "delete", "change", "history"])
def test_action_of_an_app_hides_no_other_page_of_a_queue(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    [move, *_] = [action for action in bulk_actions("queue") if action.name == "move"]
    foreign = dataclasses.replace(move, name=name, title="The app's")
    screen = admin.site._registry[Queue]
    before = [(str(url.pattern), url.name) for url in screen.get_urls()]
    monkeypatch.setitem(bulk_action._registered, name, foreign)
    after = [(str(url.pattern), url.name) for url in screen.get_urls()]
    [new] = [address for address in after if address not in before]
    assert (len(after), new) == (len(before) + 1, (f"<str:object_id>/{name}-tasks/", f"tasks_queue_{name}-tasks"))


def test_selected_tasks_are_moved_and_given_a_priority(alice: User, operator: Client) -> None:
    tasks = [submit_echo(alice).pk for _ in range(2)]
    page = choose(operator, "move_selected", tasks)
    assert said(operator.post(f"{LIST}act/move/", fields(page, queue="text"))) == ["2 tasks were moved to text."]
    page = choose(operator, "set_priority_selected", tasks)
    answer = operator.post(f"{LIST}act/set_priority/", fields(page, priority="8"))
    assert said(answer)[-1:] == ["2 tasks were given the priority 8."]
    assert set(Task.objects.values_list("queue", "priority")) == {("text", 8)}
    assert not Operation.objects.exists(), "a selection is done at once"
    refused = operator.post(f"{LIST}act/set_priority/", fields(page, priority="11"))
    assert said(refused)[-1:] == ["2 not: A priority is from 1 to 10."]


def test_page_of_a_task_offers_what_can_be_done_to_it(alice: User, node: Node, operator: Client) -> None:
    failed = fail_one(alice, node)
    waiting = submit_echo(alice).pk
    of_failed = operator.get(f"{LIST}{failed}/change/").context["verbs"]
    assert [verb.name for verb in of_failed] == ["retry"]
    page = operator.get(f"{LIST}{waiting}/change/")
    assert [verb.name for verb in page.context["verbs"]] == ["move", "set_priority", "cancel"]
    assert operator.post(f"{LIST}{waiting}/ask/move/").context["count"] == 1
    assert operator.post(f"{LIST}{waiting}/ask/purge/").status_code == 405


def test_all_tasks_of_a_user_are_cancelled(alice: User, bob: User, node: Node, operator: Client) -> None:
    for _ in range(2):
        submit_echo(alice)
    claim(node)
    other = submit_echo(bob)
    assert f"/admin/accounts/user/{alice.pk}/cancel-tasks/" in operator.get(
        f"/admin/accounts/user/{alice.pk}/change/"
    ).content.decode()  # fmt: skip
    page = operator.get(f"/admin/accounts/user/{alice.pk}/cancel-tasks/")
    assert page.context["count"] == 2
    confirm(operator, "cancel", page)
    assert sorted(task.shown_status for task in Task.objects.of(alice)) == ["cancelled", "cancelling"]
    assert Task.objects.get(pk=other.pk).status == "ready"
    form = {"action": "cancel_tasks_of_selected", "_selected_action": [bob.pk]}
    assert operator.post("/admin/accounts/user/", form).context["count"] == 1
    assert operator.get(f"/admin/accounts/user/{bob.pk + 1000}/cancel-tasks/").status_code == 404


def test_operation_is_paused_resumed_and_stopped_on_its_page(alice: User, olga: User, operator: Client) -> None:
    operation = start(alice, olga)
    address = f"{OPERATIONS}{operation.pk}/"
    for verb, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert operator.get(f"{address}{verb}/").status_code == 405
        answer = operator.post(f"{address}{verb}/")
        assert answer.headers["Location"] == f"{address}change/"
        operation.refresh_from_db()
        assert operation.status == status
    assert "Stop here" not in operator.get(f"{address}change/").content.decode()
    entries = AuditEntry.objects.filter(target_kind="operation", actor__email="operator@example.com")
    assert set(entries.values_list("action", flat=True)) == {"pause", "resume", "cancel"}


def test_viewer_sees_operations_and_may_do_nothing_about_them(alice: User, olga: User, viewer: Client) -> None:
    operation = start(alice, olga)
    assert viewer.get(OPERATIONS).status_code == 200
    page = viewer.get(f"{OPERATIONS}{operation.pk}/change/")
    assert "Stop here" not in page.content.decode()
    for verb in ("pause", "resume", "cancel"):
        assert viewer.post(f"{OPERATIONS}{operation.pk}/{verb}/").status_code == 403
    for verb in ("retry", "cancel", "move", "set_priority", "purge"):
        form = {"filter": '{"queue": "diagnostics"}', "queue": "text", "priority": "9"}
        assert viewer.post(f"{LIST}act/{verb}/", form).status_code == 403
    for address in ("tasks/queue/diagnostics/purge-tasks/", "tasks/queue/diagnostics/move-tasks/",
                    f"accounts/user/{alice.pk}/cancel-tasks/"):  # fmt: skip
        assert viewer.get(f"/admin/{address}").status_code == 403
    viewer.post("/admin/accounts/user/", {"action": "cancel_tasks_of_selected", "_selected_action": [alice.pk]})
    assert Operation.objects.count() == 1
    assert Operation.objects.get().status == "running"


def test_user_is_kept_out_of_operations(alice: User, olga: User, signed_in: Callable[[User], Client]) -> None:
    operation = start(alice, olga)
    assert signed_in(alice).get(f"{OPERATIONS}{operation.pk}/live/", follow=True).status_code == 403
    assert signed_in(alice).post(f"{OPERATIONS}{operation.pk}/cancel/", follow=True).status_code == 403
    assert Operation.objects.get().status == "running"


def test_unknown_operation_is_not_found(operator: Client) -> None:
    assert operator.get(f"{OPERATIONS}{uuid4()}/change/").status_code == 404
    assert operator.get(f"{OPERATIONS}{uuid4()}/live/").status_code == 404
    answer = operator.post(f"{OPERATIONS}{uuid4()}/pause/")
    assert said(answer)[-1].startswith("There is no operation")


def test_pace_is_asked_for_where_it_matters(
    alice: User, operator: Client, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit_echo(alice)
    submit_echo(alice)
    assert not operator.get("/admin/tasks/queue/diagnostics/purge-tasks/").context["asks_pace"]
    monkeypatch.setattr(task_actions, "PACE", 1)
    page = operator.get("/admin/tasks/queue/diagnostics/purge-tasks/")
    assert page.context["asks_pace"]
    operator.post(f"{LIST}act/purge/", fields(page, pace="7"))
    assert Operation.objects.get().pace == 7
