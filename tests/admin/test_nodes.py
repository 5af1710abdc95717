"""The list and the page of nodes: what runs on each, what a lost one ran, and the stacks of workers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import User
from tasks.lifecycle.purge import forget_history
from tasks.models import AuditEntry, Node, Task, WorkerStack
from tests.admin.conftest import claim, submit_echo

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def lose(node: Node, *, hours: float, running: list[dict[str, object]]) -> None:
    ago = Now() - timedelta(hours=hours)
    Node.objects.filter(pk=node.pk).update(status="lost", stopped_at=ago, heartbeat_at=ago, running=running)


def test_lost_node_stays_for_a_day_with_when_and_what_it_ran(alice: User, node: Node, viewer: Client) -> None:
    task = submit_echo(alice)
    lose(node, hours=23, running=[{"pid": 7, "task": str(task.pk), "since_seconds": 61}])
    listed = viewer.get("/admin/tasks/node/").text
    assert "Lost" in listed
    assert "ago · it ran 1 task" in listed
    assert not [line for line in viewer.get("/admin/").context["overview"].alarms if "was lost" in line.text]
    lose(node, hours=0.5, running=[{"pid": 7, "task": str(task.pk), "since_seconds": 61}])
    said = [alarm.text for alarm in viewer.get("/admin/").context["overview"].alarms]
    assert any(text.startswith("default (worker-1:4242) was lost ") and "it ran 1 task" in text for text in said)
    page = viewer.get(f"/admin/tasks/node/{node.pk}/change/").text
    assert "What it ran when it was last heard of" in page
    assert str(task.pk) in page
    lose(node, hours=25, running=[])
    assert list(viewer.get("/admin/tasks/node/").context["cl"].result_list) == []
    assert list(viewer.get("/admin/tasks/node/?standing=ended").context["cl"].result_list) == [node]


def test_page_shows_what_runs_and_what_may_be_done_about_it(
    alice: User, node: Node, viewer: Client, operator: Client
) -> None:
    submit_echo(alice)
    running = claim(node)
    Task.objects.filter(pk=running.id).update(progress_stage="reading page 3", progress_fraction=0.25)
    address = f"/admin/tasks/node/{node.pk}/change/"
    page = operator.get(address).text
    assert "reading page 3" in page
    assert "25 %" in page
    assert alice.email in page
    assert "process 4243" in page
    assert "Drain…" in page
    assert "Cancel…" in page
    assert "Show stack" in page
    looked_at = viewer.get(address).text
    assert "reading page 3" in looked_at
    assert not [word for word in ("Drain…", "Cancel…", "Show stack") if word in looked_at]
    asked = operator.post(f"/admin/tasks/task/{running.id}/ask/cancel/", {"back": address})
    assert asked.context["back"] == address


def test_draining_leads_back_to_the_nodes_page(node: Node, operator: Client) -> None:
    address = f"/admin/tasks/node/{node.pk}/change/"
    answer = operator.post(f"/admin/tasks/node/{node.pk}/drain/")
    assert answer.headers["Location"] == address
    assert "Resume…" in operator.get(address).text


def test_workers_are_counted_and_what_runs_in_their_threads_is_told_apart(node: Node, viewer: Client) -> None:
    runs = [{"pid": 7, "task": str(uuid4()), "since_seconds": 1, "thread": number > 0} for number in range(10)]
    Node.objects.filter(pk=node.pk).update(running=runs, workers=5)
    assert "1 of 5, 9 in threads" in viewer.get("/admin/tasks/node/").text
    overview = viewer.get("/admin/")
    assert "1 of 5 workers busy" in overview.text
    assert "1 of 5, 9 in threads" in overview.text


def test_asking_for_a_stack_is_audited_and_waits_for_the_answer(node: Node, operator: Client, viewer: Client) -> None:
    address = f"/admin/tasks/node/{node.pk}/stack/"
    assert viewer.post(address, {"pid": "4243"}).status_code == 403
    assert operator.get(address).status_code == 405
    assert operator.post(address, {"pid": "all"}).status_code == 405
    page = operator.post(address, {"pid": "4243"}, follow=True).text
    assert "The node was asked" in page
    entry = AuditEntry.objects.get(action="ask_for_stack")
    assert (entry.target_id, entry.details) == (str(node.pk), {"name": node.name, "pid": 4243})
    # One at a time; one that is not answered is given up.
    assert "still answering another question" in operator.post(address, {"pid": "4243"}, follow=True).text
    WorkerStack.objects.update(asked_at=Now() - timedelta(seconds=11))
    page = operator.get(f"/admin/tasks/node/{node.pk}/change/").text
    assert "The node did not answer." in page
    operator.post(address, {"pid": "4243"})
    WorkerStack.objects.filter(answered_at=None).update(text="File handler.py, line 7 in <b>read", answered_at=Now())
    assert "line 7 in &lt;b&gt;read" in operator.get(f"/admin/tasks/node/{node.pk}/change/").text
    assert WorkerStack.objects.count() == 2


def test_stacks_are_forgotten_after_a_day_and_nobody_asks_a_node_that_is_gone(
    node: Node, olga: User, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(olga)
    lose(node, hours=1, running=[])
    page = client.post(f"/admin/tasks/node/{node.pk}/stack/", {"pid": "4243"}, follow=True).text
    assert "There is no such running node." in page
    WorkerStack.objects.create(node=node, pid=1, asked_at=Now() - timedelta(hours=25))
    WorkerStack.objects.create(node=node, pid=2)
    forget_history()
    assert list(WorkerStack.objects.values_list("pid", flat=True)) == [2]


@pytest.mark.parametrize("key", ["no-id", "00000000-0000-4000-8000-000000000000"])
def test_unknown_node_is_not_found(viewer: Client, key: str) -> None:
    assert viewer.get(f"/admin/tasks/node/{key}/change/").status_code == 404
