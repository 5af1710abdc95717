"""Queues and nodes: paused and opened, drained and resumed, by those who may, with a trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tasks.admin import overview as overview_module
from tasks.kept import forget_all
from tasks.models import AuditEntry, Node, Queue, Task
from tests.admin.conftest import fail_one, submit_echo

KEPT = overview_module.overview

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_pausing_a_queue_asks_for_the_reason_and_keeps_it(operator: Client) -> None:
    page = operator.get("/admin/tasks/queue/text/pause/")
    assert page.context["question"].reason_label
    assert Queue.objects.get(pk="text").paused_at is None
    operator.post("/admin/tasks/queue/text/pause/", {"reason": "new weights"})
    queue = Queue.objects.get(pk="text")
    assert queue.paused_at is not None
    assert queue.paused_reason == "new weights"
    entry = AuditEntry.objects.get(action="pause", target_kind="queue", target_id="text")
    assert entry.details == {"reason": "new weights"}


def test_opening_a_queue_lets_its_tasks_start(operator: Client) -> None:
    operator.post("/admin/tasks/queue/text/pause/")
    operator.post("/admin/tasks/queue/text/resume/")
    assert Queue.objects.get(pk="text").paused_at is None
    assert AuditEntry.objects.filter(action="resume", target_id="text").exists()


def test_draining_and_resuming_a_node_is_audited(node: Node, operator: Client) -> None:
    operator.post(f"/admin/tasks/node/{node.pk}/drain/")
    node.refresh_from_db()
    assert node.status == "draining"
    operator.post(f"/admin/tasks/node/{node.pk}/resume/")
    node.refresh_from_db()
    assert node.status == "alive"
    actions = AuditEntry.objects.filter(target_kind="node", target_id=str(node.pk)).order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["drain", "resume"]


def test_viewer_can_neither_pause_nor_drain(node: Node, viewer: Client) -> None:
    assert viewer.post("/admin/tasks/queue/text/pause/").status_code == 403
    assert viewer.post(f"/admin/tasks/node/{node.pk}/drain/").status_code == 403
    assert "Pause…" not in viewer.get("/admin/tasks/queue/").content.decode()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("address", ["queue/no-such/pause", "node/00000000-0000-4000-8000-000000000000/drain"])
def test_unknown_queue_or_node_is_not_found(operator: Client, address: str) -> None:
    assert operator.post(f"/admin/tasks/{address}/").status_code == 404


def test_stopped_node_cannot_be_drained(node: Node, operator: Client) -> None:
    Node.objects.filter(pk=node.pk).update(status="stopped", stopped_at=Now())
    page = operator.post(f"/admin/tasks/node/{node.pk}/drain/", follow=True)
    assert "There is no such running node." in page.content.decode()


def test_list_of_queues_shows_how_much_waits_and_since_when(alice: User, node: Node, viewer: Client) -> None:
    for _ in range(6):
        submit_echo(alice)
    [queue] = [row for row in viewer.get("/admin/tasks/queue/").context["cl"].result_list if row.pk == "diagnostics"]
    assert (queue.depth.ready, queue.depth.held, queue.depth.running) == (4, 2, 0)
    assert queue.depth.oldest_seconds >= 0


def test_depth_beyond_the_cap_is_shown_as_at_least(
    alice: User, node: Node, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.figures.depths.CAP", 3)
    for _ in range(10):
        submit_echo(alice)
    [queue] = [row for row in viewer.get("/admin/tasks/queue/").context["cl"].result_list if row.pk == "diagnostics"]
    assert queue.depth.held_text == "3+"
    assert viewer.get("/admin/").context["overview"].waiting_text == "6+"


def test_queue_behind_the_cap_is_not_shown_as_empty_and_alarms(
    alice: User, make_user: Callable[..., User], node: Node, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", slots=3)
    for _ in range(3):
        submit_echo(carol)
    Task.objects.filter(pk=submit_echo(alice).pk).update(queue="text", line_key=0)
    said = [alarm.text for alarm in operator.get("/admin/").context["overview"].alarms]
    assert any(text.startswith("The oldest task in text has waited for ") for text in said)
    monkeypatch.setattr("tasks.figures.depths.CAP", 3)
    page = operator.get("/admin/")
    said = [alarm.text for alarm in page.context["overview"].alarms]
    others = Queue.objects.count()
    assert f"More tasks wait than are counted: how long the oldest in {others} queues waits is not known." in said
    [line] = [line for line in page.context["overview"].lines if line.queue.pk == "text"]
    assert (line.depth.queued_text, line.depth.oldest_text) == ("not counted", "not counted")
    assert page.text.count("not counted") > 2
    listed = operator.get("/admin/tasks/queue/").text
    assert 'class="field-ready">not counted</td>' in listed
    assert 'class="field-oldest">not counted</td>' in listed
    operator.post("/admin/tasks/queue/images/pause/")
    said = [alarm.text for alarm in operator.get("/admin/").context["overview"].alarms]
    assert "The queue images is paused; what waits in it was not counted." in said
    Task.objects.filter(queue="diagnostics").update(line_key=0)
    said = [alarm.text for alarm in operator.get("/admin/").context["overview"].alarms]
    assert any(text.startswith("The oldest task in diagnostics has waited for at least ") for text in said)


def test_node_that_fell_silent_is_shown_as_silent(node: Node, viewer: Client) -> None:
    assert "Silent" not in viewer.get("/admin/tasks/node/").content.decode()
    Node.objects.filter(pk=node.pk).update(heartbeat_at=Now() - timedelta(seconds=60))
    assert "Silent" in viewer.get("/admin/tasks/node/").content.decode()


def test_ended_nodes_are_listed_only_when_asked_for(node: Node, viewer: Client) -> None:
    Node.objects.filter(pk=node.pk).update(status="stopped", stopped_at=Now())
    assert not viewer.get("/admin/tasks/node/").context["cl"].result_list
    assert list(viewer.get("/admin/tasks/node/?standing=ended").context["cl"].result_list) == [node]


def test_overview_names_what_needs_attention(alice: User, node: Node, operator: Client) -> None:
    forget_all()
    fail_one(alice, node)
    for _ in range(5):
        submit_echo(alice)
    operator.post("/admin/tasks/queue/images/pause/", {"reason": "new weights"})
    Node.objects.filter(pk=node.pk).update(heartbeat_at=Now() - timedelta(seconds=60))
    figures = operator.get("/admin/").context["overview"]
    said = " ".join(alarm.text for alarm in figures.alarms)
    assert "No node of the cluster default takes work." in said
    assert "default (worker-1:4242) has been silent" in said
    assert "The queue images is paused (new weights); 0 wait in it." in said
    assert (figures.waiting, figures.running, figures.fresh_nodes) == (5, 0, 0)
    assert [lane.user for lane in figures.full_lanes] == [alice]
    assert (figures.hour.succeeded, figures.hour.failed, figures.hour.failed_percent) == (0, 1, 100.0)


def test_overview_that_takes_too_long_says_so(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_all()
    monkeypatch.setattr("tasks.figures.bounded.STATEMENT_MS", 50)

    def sleep(**_options: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")

    monkeypatch.setattr("tasks.alarms.facts.queue_depths", sleep)
    page = viewer.get("/admin/")
    assert (page.status_code, page.context["overview"]) == (200, None)
    assert "The figures cannot be read just now" in page.text
    assert "Nothing to show" not in page.text


def test_one_query_set_serves_all_who_look(
    alice: User, node: Node, viewer: Client, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview_module, "overview", KEPT)
    forget_all()
    viewer.get("/admin/")
    submit_echo(alice)
    with CaptureQueriesContext(connection) as queries:
        page = operator.get("/admin/")
    assert page.context["overview"].waiting == 0
    # Who it is, and what they may do.
    assert not [query for query in queries if re.search("task|node|queue", query["sql"].partition("FROM")[2])]
    forget_all()
    assert operator.get("/admin/").context["overview"].waiting == 1


def test_overview_of_a_quiet_portal_says_that_nothing_needs_attention(node: Node, viewer: Client) -> None:
    forget_all()
    assert "All is well: nothing needs attention." in viewer.get("/admin/").content.decode()
