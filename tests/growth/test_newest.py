"""Pages that look at a limited number of rows: together they have every row that matches, once, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.direct import connection_parameters
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import Node, Task, TaskContent, newest
from tasks.models.newest import count, find
from tasks.models.task_sources import task_sources
from tests.claims import claim_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """Twenty tasks of two users, of every status and two types, each third with a tag; newest first."""
    monkeypatch.setattr(newest, "WINDOW", 4)
    tagged = Submission("diagnostic.echo", {"message": "x"}, tags=["third"])
    plain = Submission("diagnostic.echo", {"message": "x"})
    for number in range(10):
        submit_batch(alice, [plain if number % 3 else tagged])
        submit_batch(bob, [plain])
    made = list(Task.objects.order_by("pk"))
    ends = ["succeeded", "failed", "cancelled", "expired"]
    for number, task in enumerate(made[:14]):
        Task.objects.filter(pk=task.pk).update(
            status=ends[number % 4], rank=None, finished_at=task.created_at,
            type="diagnostic.sleep" if number % 5 == 0 else task.type,
        )  # fmt: skip
    return list(Task.objects.order_by("-pk"))


def walk(wanted: Any, newest_first: bool = True, **places: Any) -> list[UUID]:
    """Return the keys of all pages of two rows."""
    found: list[UUID] = []
    after = None
    for _ in range(100):
        page = find(wanted, most=2, after=after, newest_first=newest_first, **places)
        assert len(page.rows) <= 2
        found += [row.pk for row in page.rows]
        after = page.end
        if after is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("type", ["", "diagnostic.echo", "diagnostic.sleep", "nothing"])
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("queued",),
        ("succeeded",),
        ("failed", "expired"),
        ("cancelled",),
        ("running",),
        ("queued", "running", "failed"),
    ],
)
def test_pages_have_every_match_once(
    tasks: list[Task], alice: User, bob: User, words: tuple[str, ...], type: str, newest_first: bool
) -> None:
    for owners in (None, [alice.pk], [alice.pk, bob.pk], []):
        wanted = Task.objects.all() if owners is None else Task.objects.filter(owner__in=owners)
        wanted = wanted.shown_as(list(words)) if words else wanted
        wanted = wanted.filter(type=type) if type else wanted
        expected = list(wanted.order_by("-pk" if newest_first else "pk").values_list("pk", flat=True))
        sources = task_sources(words=words, type=type, owners=owners)
        assert walk(wanted, newest_first, sources=sources) == expected, owners


def test_what_is_rare_is_found_at_once_by_its_index(tasks: list[Task], alice: User) -> None:
    wanted = Task.objects.of(alice).filter(content__tags__contains=["third"])
    expected = list(wanted.order_by("-pk").values_list("pk", flat=True))
    by_index = TaskContent.objects.filter(tags__contains=["third"])
    page = find(wanted, task_sources(owners=[alice.pk]), most=10, by_index=by_index)
    assert ([row.pk for row in page.rows], page.end) == (expected, None)
    assert len(expected) == 4
    assert walk(wanted, sources=task_sources(owners=[alice.pk]), by_index=by_index) == expected


def test_count_says_whether_it_is_all(tasks: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    everything = task_sources()
    assert count(Task.objects.all(), everything, most=3) == (3, False)
    assert count(Task.objects.all(), everything, most=10) == (4, False)
    monkeypatch.setattr(newest, "WINDOW", 100)
    assert count(Task.objects.all(), everything, most=50) == (20, True)


def test_pages_lead_on_where_none_was_found(
    tasks: list[Task], alice: User, olga: User, token_of: Callable[..., str]
) -> None:
    oldest = Task.objects.of(alice).earliest("pk")
    Task.objects.filter(pk=oldest.pk).update(queue="documents")
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    address, found = "/api/v1/tasks?queue=documents", []
    answer = Client().get(address, headers=headers).json()
    assert (answer["data"], answer["has_more"]) == ([], True)
    while answer["has_more"]:
        answer = Client().get(f"{address}&cursor={answer['next_cursor']}", headers=headers).json()
        found += [one["id"] for one in answer["data"]]
    assert found == [str(oldest.pk)]
    operator = Client()
    operator.force_login(olga, "django.contrib.auth.backends.ModelBackend")
    page = operator.get("/admin/tasks/task/?queue=documents")
    assert "Search further back" in page.text
    assert page.context["cl"].older_link


@pytest.mark.parametrize("move", ["starts", "ends"])
def test_a_task_that_moves_while_its_page_is_made_is_there_once(alice: User, move: str) -> None:
    """The sources are named before they are read."""
    submit_batch(alice, [Submission("diagnostic.echo", {"message": "x"})])
    task = Task.objects.get().pk
    node = Node.objects.create(id=uuid4(), name="n", cluster_id="default", host="here", pid=1, version="0", workers=1)

    def start() -> None:
        assert claim_task(cluster="default", node=node.pk, pid=1, token=uuid4())

    def end() -> None:
        Task.objects.filter(pk=task).update(status="failed", token=None, rank=None, finished_at=Now())

    if move == "ends":
        start()
    words = ("queued", "running", "failed")
    sources = task_sources(words=words, owners=[alice.pk])
    (start if move == "starts" else end)()
    assert [row.pk for row in find(Task.objects.shown_as(list(words)), sources, most=5).rows] == [task]


def test_the_first_page_says_where_older_results_are(
    tasks: list[Task], alice: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest, "WINDOW", 2)
    client.force_login(alice)
    page = client.get("/").text
    assert "None of your newest tasks has finished yet" in page
    older = client.get(reverse("web:tasks"), {"status": "succeeded"}).text
    assert "Search further back" in older


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_page_is_of_one_moment(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """What starts between the look at the rows and the look at their ends is not passed over."""
    seen: list[int] = []
    ends = newest._ends

    def started_meanwhile(*given: Any) -> Any:
        with psycopg.connect(**connection_parameters(), autocommit=True) as other:
            other.execute("DELETE FROM task_content; DELETE FROM task")
        seen.append(Task.objects.count())
        return ends(*given)

    monkeypatch.setattr(newest, "_ends", started_meanwhile)
    monkeypatch.setattr(newest, "WINDOW", 2)
    submit_batch(alice, [Submission("diagnostic.echo", {"message": "x"})] * 4)
    find(Task.objects.filter(status="succeeded"), [Task.objects.all()], most=2)
    assert seen == [4]
