"""Task types: listed with how they go, paused and opened by those who may, with a trace."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.models import AuditEntry, Node, PausedType
from tests.admin.conftest import fail_one, submit_echo, succeed_one
from tests.admin.reading import Page

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

PAUSE, OPEN = "/admin/types/diagnostic.echo/pause/", "/admin/types/diagnostic.echo/resume/"


def test_type_is_paused_with_a_reason_and_opened_again(operator: Client, alice: User, node: Node) -> None:
    succeed_one(alice, node)
    fail_one(alice, node)
    task = submit_echo(alice)
    assert operator.get(PAUSE).context["question"].reason_label
    assert not PausedType.objects.exists()
    page = Page(operator.post(PAUSE, {"reason": "new weights"}, follow=True).text).text
    assert "The task type diagnostic.echo is paused." in page
    assert "new weights" in page
    # Of the two that ended, one failed.
    assert "50.0 %" in page
    task.refresh_from_db()
    assert task.status == "held"
    shown = operator.get(reverse("admin:tasks_task_change", args=[task.pk])).text
    assert "The type is paused by an operator." in shown
    assert "The task type diagnostic.echo is paused (new weights)." in operator.get("/admin/").text
    operator.post(OPEN)
    task.refresh_from_db()
    assert task.status == "ready"
    entries = AuditEntry.objects.filter(target_kind="task_type").order_by("pk")
    assert list(entries.values_list("action", "target_id")) == [
        ("pause", "diagnostic.echo"),
        ("resume", "diagnostic.echo"),
    ]


def test_viewer_sees_the_types_and_can_pause_none(viewer: Client) -> None:
    page = viewer.get("/admin/types/").text
    assert "diagnostic.echo" in page
    assert "Pause…" not in page
    for address in (PAUSE, OPEN):
        assert viewer.post(address).status_code == 403
    assert not AuditEntry.objects.exists()


def test_type_that_no_app_has_any_more_can_be_opened_and_no_other_paused(operator: Client) -> None:
    PausedType.objects.create(type="gone.away")
    assert "gone.away" in operator.get("/admin/types/").text
    assert operator.post("/admin/types/gone.away/resume/").status_code == 302
    assert operator.post("/admin/types/gone.away/pause/").status_code == 404
    assert not PausedType.objects.exists()
