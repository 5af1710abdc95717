"""Lists as files: all pages of what the filters find, as cells that no spreadsheet runs; and system tasks, left out."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from psycopg.errors import QueryCanceled

from accounts.models import User
from tasks import audit
from tasks.admin import export
from tasks.admin.tasks import TaskScreen
from tasks.models import AuditEntry, Node, Task
from tests.admin.conftest import fail_one, submit_echo

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

TASKS = "/admin/tasks/task/export/"


def sent(client: Client, address: str) -> str:
    return b"".join(client.get(address).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]


def test_all_that_the_filters_find_is_saved_page_after_page(
    alice: User, bob: User, node: Node, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    failed = [str(fail_one(alice, node, message="=1+1")) for _ in range(5)]
    submit_echo(bob)
    rows = list(csv.DictReader(io.StringIO(sent(viewer, f"{TASKS}csv/?status=failed"))))
    assert [row["id"] for row in rows] == failed[::-1]
    assert {(row["user"], row["error_message"]) for row in rows} == {("alice@example.com", "'=1+1")}
    lines = [json.loads(line) for line in sent(viewer, f"{TASKS}ndjson/").splitlines()]
    assert len(lines) == 6
    assert "a private message" not in json.dumps(lines)
    assert [entry.details for entry in AuditEntry.objects.order_by("pk")] == [
        {"filters": "status=failed"},
        {"filters": ""},
    ]
    assert 'href="/admin/tasks/task/export/csv/?status=failed"' in viewer.get("/admin/tasks/task/?status=failed").text


def test_audit_log_is_saved_with_what_its_filters_leave(olga: User, viewer: Client) -> None:
    audit.record(olga, "pause", "queue", "text", reason="mending")
    audit.record(olga, "resume", "node", "x")
    [line] = sent(viewer, "/admin/tasks/auditentry/export/ndjson/?kind=queue").splitlines()
    assert (json.loads(line)["who"], json.loads(line)["action"]) == ("olga@example.com", "pause")


def test_export_that_breaks_off_says_so(
    alice: User, node: Node, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit_echo(alice)

    def fail(*_given: Any, **_options: Any) -> Any:
        raise OperationalError("canceling statement due to statement timeout")

    answers = [viewer.get(f"{TASKS}{kind}/") for kind in ("csv", "ndjson")]
    monkeypatch.setattr(export, "find", fail)
    for answer in answers:
        assert "What is older is missing." in b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_filter_that_the_list_does_not_have_is_refused_and_told(alice: User, viewer: Client, monkeypatch: Any) -> None:
    for query in ("nonsense=1", "before=nonsense", "owner__nonsense=1"):
        assert viewer.get(f"{TASKS}csv/?{query}").status_code == 400, query
    assert not AuditEntry.objects.exists()

    def fail(*_given: Any, **_options: Any) -> Any:
        raise OperationalError("canceling statement due to statement timeout") from QueryCanceled()

    monkeypatch.setattr(TaskScreen, "get_changelist_instance", fail)
    assert viewer.get(f"{TASKS}csv/?status=failed").headers["Location"] == "/admin/tasks/task/"


def test_only_known_files_for_those_who_see_the_list(alice: User, viewer: Client, client: Client) -> None:
    assert viewer.get(f"{TASKS}xml/").status_code == 404
    assert client.get(f"{TASKS}csv/").status_code == 302


def test_tasks_of_the_portal_itself_are_shown_when_asked_for(alice: User, viewer: Client) -> None:
    own = submit_echo(alice)
    system = submit_echo(alice)
    Task.objects.filter(pk=system.pk).update(type="webhook.deliver")

    def shown(query: str) -> set[Task]:
        return set(viewer.get(f"/admin/tasks/task/?{query}").context["cl"].result_list)

    assert shown("") == {own}
    assert shown("system=shown") == shown(f"q={str(own.pk)[:8]}") == {own, system}
    assert shown("type=webhook.deliver") == {system}
