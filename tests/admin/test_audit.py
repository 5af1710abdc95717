"""The audit log's list: what is left out at first, where a history leads, who did what at the command line."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tasks import audit
from tasks.lifecycle.pause import pause_queue
from tasks.models import AuditEntry, Node, Task
from tests.admin.conftest import fail_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/tasks/auditentry/"


def shown(client: Client, query: str = "") -> list[tuple[str, str]]:
    return [(row.action, row.target_id) for row in client.get(f"{LIST}?{query}").context["cl"].result_list]


def test_an_operation_is_one_entry_and_its_tasks_come_when_asked_for(alice: User, olga: User, viewer: Client) -> None:
    operation = "019f0000-0000-7000-8000-000000000001"
    tasks = [Task(type="diagnostic.echo").pk for _ in range(3)]
    audit.record_tasks(olga, "cancel", tasks, operation=operation)
    audit.record(olga, "finish", "operation", operation, name="Cancel 3 tasks", changed=3)
    assert shown(viewer) == [("finish", operation)]
    assert len(shown(viewer, "each=task")) == 4
    assert shown(viewer, f"q={tasks[0]}") == [("cancel", str(tasks[0]))]
    page = viewer.get(f"{LIST}?each=task").content.decode()
    assert page.count("by an operation") == 3
    assert "changed: 3" in page


@pytest.mark.parametrize("row", ["queue/text", "accounts user", "task"])
def test_history_of_whatever_leads_to_what_the_log_has_of_it(
    alice: User, olga: User, node: Node, viewer: Client, row: str
) -> None:
    audit.record(olga, "boost", "user", alice.pk)
    audit.record(olga, "change", "plan", alice.pk, name="another thing of the same number")
    pause_queue("text", by=olga, reason="mending")
    failed = fail_one(alice, node)
    audit.record(olga, "view_content", "task", failed)
    address, entry = {
        "queue/text": ("/admin/tasks/queue/text/history/", ("pause", "text")),
        "accounts user": (f"/admin/accounts/user/{alice.pk}/history/", ("boost", str(alice.pk))),
        "task": (f"/admin/tasks/task/{failed}/history/", ("view_content", str(failed))),
    }[row]
    page = viewer.get(address, follow=True)
    assert [(found.action, found.target_id) for found in page.context["cl"].result_list] == [entry]


def test_filters_narrow_by_what_and_when(alice: User, olga: User, viewer: Client) -> None:
    audit.record(olga, "boost", "user", alice.pk)
    audit.record(olga, "pause", "queue", "text")
    AuditEntry.objects.filter(action="boost").update(created_at="2026-01-01T00:00Z")
    assert shown(viewer, "kind=queue") == [("pause", "text")]
    assert shown(viewer, "when=week") == [("pause", "text")]
    assert len(shown(viewer)) == 2


def test_commands_are_noted_with_the_system_user_and_host(viewer: Client) -> None:
    call_command("backend", "strategy", "chat", "least_busy")
    assert AuditEntry.objects.get().details["command_by"].count(" on ") == 1
    assert AuditEntry.objects.get().details["command_by"] in viewer.get(LIST).content.decode()


def test_entries_lead_to_what_they_are_about(alice: User, olga: User, viewer: Client) -> None:
    audit.record(olga, "pause", "queue", "text", name="Text", reason="<b>")
    audit.record(olga, "delete", "schedule", "019f0000-0000-7000-8000-000000000001", name="nightly")
    page = viewer.get(LIST).content.decode()
    assert 'queue <a href="/admin/tasks/queue/text/change/">Text</a>' in page
    assert "reason: &lt;b&gt;" in page
    assert "schedule nightly" in page


def test_what_a_form_changed_is_told_in_words(olga: User, viewer: Client) -> None:
    changes = [{"changed": {"fields": ["Failure percent", "Webhook"]}}, {"added": {"name": "token", "object": "<b>"}}]
    audit.record(olga, "change", "alarmsettings", 1, name="alarm settings", changes=changes)
    page = viewer.get(LIST).text
    assert "Changed Failure percent and Webhook. Added token “&lt;b&gt;”." in page
    assert "Alarm settings" in page
    assert "Alarmsettings" not in page
