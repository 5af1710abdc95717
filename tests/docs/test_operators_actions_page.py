"""The examples of docs/operators-actions.md are an action and a duty that work, with nothing else edited."""

from __future__ import annotations

import dataclasses
import re
import sys
import types
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from tasks import periodic
from tasks.cluster.maintenance import register_duties
from tasks.duties import all_duties
from tasks.lifecycle.cancel import cancel_task
from tasks.models import AuditEntry, Duty, Operation, Task
from tasks.operations import bulk_action
from tasks.operations.action import Choice
from tasks.operations.bulk_action import BulkAction, bulk_actions
from tasks.operations.manage import run_operations, start_operation
from tasks.operations.task_filter import TaskFilter
from tasks.owned import get_owned
from tests.admin.conftest import make_operator, operator, signed_in, submit_echo, viewer
from tests.admin.test_task_actions import LIST, choose, confirm, said

__all__ = ["make_operator", "operator", "signed_in", "viewer"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operators-actions.md"

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def load(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import the n-th example of the page as a module of its own."""
    source = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[number]
    module = types.ModuleType(f"example_{number}_of_the_docs")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, str(PAGE), "exec"), module.__dict__)


@pytest.fixture(autouse=True)
def _action(monkeypatch: pytest.MonkeyPatch) -> None:
    bulk_actions()
    monkeypatch.setattr(bulk_action, "_registered", dict(bulk_action._registered))
    load(0, monkeypatch)


@pytest.fixture
def ended(alice: User) -> list[Task]:
    tasks = [submit_echo(alice) for _ in range(3)]
    for task in tasks:
        cancel_task(task.pk, by=alice)
    return list(Task.objects.order_by("pk"))


def kept_longer() -> list[timedelta]:
    found = Task.objects.filter(keep_until__isnull=False).order_by("pk")
    return [task.keep_until - task.finished_at for task in found if task.keep_until and task.finished_at]


def test_selection_is_offered_asked_done_and_told(operator: Client, alice: User, ended: list[Task]) -> None:
    waiting = submit_echo(alice)
    before = kept_longer()
    assert "Keep the selected tasks longer" in operator.get(LIST).text
    page = choose(operator, "keep_longer_selected", [*(task.pk for task in ended), waiting.pk])
    assert (page.context["title"], page.context["count"]) == ("Keep 3 tasks longer?", 3)
    assert page.context["question"].reason_label == "Reason, for the audit log"
    assert kept_longer() == before, "only asked so far"
    form = dict(page.context["question"].hidden) | {"reason": "an audit"}
    assert said(operator.post(f"{LIST}act/keep_longer/", form)) == ["3 tasks are kept longer."]
    assert [after - earlier for after, earlier in zip(kept_longer(), before, strict=True)] == [timedelta(days=30)] * 3
    entries = AuditEntry.objects.filter(action="keep_longer", target_kind="task")
    assert {entry.target_id for entry in entries} == {str(task.pk) for task in ended}
    start = AuditEntry.objects.get(action="start", target_kind="operation")
    assert (start.details["reason"], start.details["name"]) == ("an audit", "Keep longer of 3 tasks")


def test_filter_becomes_an_operation_that_the_duty_carries_out(
    operator: Client,
    olga: User,
    ended: list[Task],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tasks.admin.task_actions.FIRST_SECONDS", 0.0)
    page = choose(operator, "keep_longer_selected", [ended[0].pk], f"{LIST}?status=cancelled", select_across="1")
    answer = confirm(operator, "keep_longer", page)
    operation = Operation.objects.get()
    shown = operator.get(answer.headers["Location"])
    assert "Keep 3 tasks longer" in shown.text
    run_operations()
    found = get_owned(Operation, operation.pk, owner=None)
    assert (found.status, found.total, found.changed) == ("finished", 3, 3)
    listed = operator.get("/admin/tasks/operation/?kind__exact=keep_longer")
    assert len(listed.context["cl"].result_list) == 1
    assert "Keep longer" in listed.text


def test_page_of_a_task_offers_it_to_who_may(operator: Client, viewer: Client, ended: list[Task]) -> None:
    address = f"{LIST}{ended[0].pk}/"
    assert [action.name for action in operator.get(f"{address}change/").context["verbs"]] == ["retry", "keep_longer"]
    assert operator.post(f"{address}ask/keep_longer/").context["count"] == 1
    assert viewer.get(f"{address}change/").context["verbs"] == []
    assert viewer.post(f"{address}ask/keep_longer/").status_code == 403
    assert viewer.post(f"{LIST}act/keep_longer/", {"filter": '{"queue": "diagnostics"}'}).status_code == 403
    assert not Operation.objects.exists()


def test_operation_whose_action_is_gone_rests_and_is_still_shown(
    operator: Client,
    olga: User,
    ended: list[Task],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operation = start_operation(Choice("keep_longer"), TaskFilter(statuses=("cancelled",)), by=olga)
    del bulk_action._registered["keep_longer"]
    run_operations()
    found = get_owned(Operation, operation.pk, owner=None)
    assert (found.status, found.error) == ("paused", "There is no action keep_longer here.")
    for address in ("", f"{operation.pk}/change/", f"{operation.pk}/live/"):
        page = operator.get(f"/admin/tasks/operation/{address}")
        assert page.status_code == 200
        assert ("Keep longer of 3 tasks" in page.text) is (not address.endswith("live/"))


def test_table_names_every_field_of_an_action() -> None:
    section = PAGE.read_text().split("## What an action says")[1].split("## What `act_on_page`")[0]
    named = {
        name for cell in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall(r"\w+", cell)
    }
    # Of these an action on tasks leaves what is there.
    inherited = {"things", "reports_each", "reason_label", "audits"}
    assert named == {field.name for field in dataclasses.fields(BulkAction)} - inherited


def test_names_of_actions_are_slugs_and_nobody_elses() -> None:
    [first, *_] = bulk_actions()
    for name in ("two words", first.name):
        with pytest.raises(ValueError, match="is no slug, or taken"):
            bulk_action.register(dataclasses.replace(first, name=name))


def test_duty_is_declared_and_does_its_work(
    olga: User, ended: list[Task], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(periodic, "_declared", dict(periodic._declared))
    load(1, monkeypatch)
    operation = start_operation(Choice("keep_longer"), TaskFilter(statuses=("cancelled",)), by=olga)
    Operation.objects.filter(pk=operation.pk).update(status="paused")
    duty = all_duties()["remind_of_paused_operations"]
    assert (duty.every_seconds, duty.run()) == (3600, 1)
    assert "Keep longer of 3 tasks is paused: by a person" in caplog.text
    register_duties()
    assert Duty.objects.get(name=duty.name).every_seconds == 3600
