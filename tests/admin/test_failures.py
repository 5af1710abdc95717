"""Failures by cause: the list, a cause's page, what operators say of it, and what they do to its tasks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import User
from tasks.admin import cause_page
from tasks.figures.causes import note_causes
from tasks.models import AuditEntry, Cause, Node, Operation, Task
from tasks.operations.task_filter import read_filter
from tests.admin.conftest import fail_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/failures/"


@pytest.fixture
def cause(alice: User, node: Node) -> Cause:
    """Two tasks failed of it, and one of another."""
    for message in ("Page 1 of /srv/a.pdf is empty.", "Page 22 of /srv/b.pdf is empty.", "Nothing is there."):
        fail_one(alice, node, message)
    note_causes()
    return Cause.objects.get(fingerprint__startswith="Page")


def address(cause: Cause, verb: str = "") -> str:
    return f"{LIST}{cause.pk}/{verb}/" if verb else f"{LIST}{cause.pk}/"


def test_list_has_a_line_a_cause_and_the_page_has_its_tasks(
    cause: Cause, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = viewer.get(LIST)
    assert [line.tasks for line, _, _ in page.context["lines"]] == [2, 1]
    assert "Page 22 of /srv/b.pdf is empty." in page.text
    assert "Retry all" not in page.text
    monkeypatch.setattr(cause_page, "PAGE", 1)
    found, query = [], ""
    while query is not None:
        page = viewer.get(f"{address(cause)}?{query}")
        found += [task.error["message"] for task, _ in page.context["tasks"]]
        query = page.context["older"] or None
    assert found == ["Page 22 of /srv/b.pdf is empty.", "Page 1 of /srv/a.pdf is empty."]
    assert viewer.get(f"{address(cause)}?before=nonsense").status_code == 200
    # The whole is in the list of tasks as well, to be chosen from and saved.
    listed = viewer.get(f"/admin/tasks/task/?cause={cause.pk}").context["cl"]
    assert {task.error["message"] for task in listed.result_list} == set(found)
    for nothing in ("0", "9" * 30, "x"):
        assert viewer.get(f"/admin/tasks/task/?cause={nothing}").context["cl"].result_count == 0


def test_all_of_a_cause_are_retried_and_its_retries_cancelled(cause: Cause, operator: Client) -> None:
    page = operator.post(address(cause, "retry"), {"period": "day"})
    assert page.context["count"] == 2
    hidden = dict(page.context["question"].hidden)
    operator.post("/admin/tasks/task/act/retry/", hidden | {"pace": "200"})
    operation = Operation.objects.get()
    assert read_filter(operation.filter).cause == cause.pk
    assert (operation.changed, operation.total) == (2, 2)
    assert operator.get(f"/admin/tasks/operation/{operation.pk}/change/").status_code == 200
    # They failed alike once more, and are to be tried again.
    again = Task.objects.filter(attempt_number=1).exclude(status="failed")
    again.update(status="scheduled", rank=None, run_after=Now() + timedelta(hours=1),
                 error={"code": cause.code, "message": "Page 5 of /x is empty."})  # fmt: skip
    page = operator.post(address(cause, "cancel-retries"))
    assert page.context["count"] == 2
    operator.post("/admin/tasks/task/act/cancel/", dict(page.context["question"].hidden))
    assert set(Task.objects.values_list("status", flat=True)) == {"cancelled", "failed"}


def test_tasks_of_a_cause_are_chosen_by_its_filter_in_the_list_of_tasks(cause: Cause, operator: Client) -> None:
    ids = list(Task.objects.failed_of(cause.pk).values_list("pk", flat=True))
    form = {"action": "retry_selected", "select_across": "1", "_selected_action": [str(ids[0])]}
    page = operator.post(f"/admin/tasks/task/?cause={cause.pk}", form)
    assert page.context["count"] == 2
    assert read_filter(_json(page)).cause == cause.pk


def test_what_operators_say_is_on_the_page(cause: Cause, operator: Client, olga: User) -> None:
    olga.is_staff = True
    olga.save(update_fields=["is_staff"])
    said = {"note": "The scanner is broken.", "mute": "7", "assignee": olga.pk}
    for verb in ("acknowledge", "assign", "mute", "note"):
        assert operator.post(address(cause, verb), said).headers["Location"] == address(cause)
    cause.refresh_from_db()
    assert cause.assignee == olga
    assert cause.muted_until is not None
    page = operator.get(address(cause))
    assert page.text.count("The scanner is broken.") == 4
    assert "Muted" in page.text
    assert "Page 22" not in operator.get(LIST).text
    assert "Page 22" in operator.get(f"{LIST}?show=muted").text
    operator.post(address(cause, "reopen"), {"mute": "1"})
    cause.refresh_from_db()
    assert (cause.muted_until, cause.acknowledged_at) == (None, None)
    assert "/admin/failures/" in operator.get("/admin/tasks/auditentry/?kind=cause").text


@pytest.mark.parametrize(
    ("verb", "said", "answer"),
    [
        ("note", {"note": ""}, "Write something first."),
        ("note", {"note": "x" * 2_001}, "at most 2000 characters"),
        ("mute", {"mute": "9999"}, "Select a valid choice"),
        ("assign", {"assignee": "0"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    cause: Cause, operator: Client, verb: str, said: dict[str, str], answer: str
) -> None:
    assert answer in operator.post(address(cause, verb), said, follow=True).text
    assert not AuditEntry.objects.filter(target_kind="cause").exists()


def test_viewer_may_look_and_nothing_else(cause: Cause, viewer: Client) -> None:
    for verb in ("retry", "cancel-retries", "acknowledge", "mute"):
        assert viewer.post(address(cause, verb)).status_code == 403


def test_alarm_of_a_cause_leads_to_it(cause: Cause, operator: Client) -> None:
    from tasks.alarms.facts import read_facts
    from tasks.alarms.find import find_troubles

    def paths() -> set[str]:
        return {trouble.path for trouble in find_troubles(read_facts())}

    assert address(cause) in paths()
    operator.post(address(cause, "mute"), {"mute": "0"})
    assert address(cause) not in paths()
    Cause.objects.update(first_at=Now() - timedelta(days=3), reopened_at=Now(), muted_above=None)
    assert address(cause) in paths()


def _json(page: object) -> object:
    import json

    return json.loads(dict(page.context["question"].hidden)["filter"])  # type: ignore[attr-defined]
