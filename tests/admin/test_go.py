"""Going somewhere by typing: what is found, for whom, and the page that does it without script."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import User
from tasks.models import Node
from tests.admin.conftest import succeed_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def hits(client: Client, text: str) -> list[tuple[str, str]]:
    page = client.get(f"/admin/go/?{urlencode({'part': 1, 'q': text})}")
    return [(hit.kind, hit.title) for hit in page.context["hits"] if hit.kind != "Search"]


def test_a_task_is_found_by_its_id_its_beginning_and_as_lists_shorten_it(
    alice: User, node: Node, viewer: Client
) -> None:
    task = str(succeed_one(alice, node))
    other = str(succeed_one(alice, node))
    for text in (task, task.upper(), f"{task[:8]}…{task[-6:]}", f" {task[:8]}...{task[-6:]} "):
        assert hits(viewer, text) == [("Task", task)], text
    assert {title for _, title in hits(viewer, task[:8])} >= {task, other}
    assert viewer.get(f"/admin/go/?q={task}").headers["Location"] == f"/admin/tasks/task/{task}/change/"
    shown = viewer.get(f"/admin/tasks/task/?{urlencode({'q': f'{task[:8]}…{task[-6:]}'})}").context["cl"].result_list
    assert [str(row.pk) for row in shown] == [task]


def test_people_queues_types_nodes_and_screens_are_found(alice: User, node: Node, viewer: Client) -> None:
    assert ("User", "alice@example.com") in hits(viewer, "ALICE")
    assert ("Queue", "Documents") in hits(viewer, "docu")
    assert ("Tasks of a type", "Read a PDF") in hits(viewer, "pdf.ex")
    assert ("Node", node.name) in hits(viewer, "worker-1")
    assert ("Screen", "Failures") in hits(viewer, "fail")
    assert {kind for kind, _ in hits(viewer, "")} == {"Screen"}
    page = viewer.get("/admin/go/?q=%00%3Cb%3E" + "x" * 1000)
    assert "<b>" not in page.content.decode()


def test_only_what_a_person_may_see_is_found(
    alice: User, bob: User, node: Node, signed_in: Callable[[User], Client]
) -> None:
    task = succeed_one(alice, node)
    bob.is_staff = True
    bob.save(update_fields=["is_staff"])
    bobs = signed_in(bob)
    for text in (str(task), "alice", "docu", "pdf", "worker-1"):
        assert hits(bobs, text) == []
    assert hits(bobs, "") == [("Screen", "Overview")]
    assert signed_in(alice).get("/admin/go/?part=1").status_code in {302, 403}
