"""The public status: anybody may ask, as often and as many at once as they like."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tasks.figures import bounded, depths, public_status
from tasks.figures.ended import Ended, ended_since
from tasks.figures.public_status import read_status
from tasks.kept import forget_all
from tasks.lifecycle import ending, finish
from tasks.models import Task

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., Task]


def test_facts_are_those_of_all_users(
    make_user: Callable[..., User], alice: User, submit: Submit, claim: Callable[[], Any]
) -> None:
    carol = make_user("carol", slots=2)
    for _ in range(4):
        submit(carol)
    submit(alice)
    finish.finish_attempt(claim(), ending.succeeded({"engine": {}}))
    claim()
    facts = read_status()
    [queue] = [queue for queue in facts.queues if queue.name == "diagnostics"]
    assert (queue.depth.queued, queue.depth.running, facts.queued_text) == (3, 1, "3")
    assert queue.oldest_at is not None
    assert "system" not in {queue.name for queue in facts.queues}
    assert (facts.node_count, facts.worker_count, facts.is_well) == (1, 4, True)
    assert (facts.ended.succeeded, facts.ended.failed) == (1, 0)
    assert len(facts.bars) == 12
    assert [(total, failed) for _, total, failed in facts.bars][-1] == (1, 0)


def test_counts_that_stopped_at_the_cap_say_so(
    make_user: Callable[..., User], submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", slots=1)
    for _ in range(5):
        submit(carol)
    monkeypatch.setattr(depths, "CAP", 3)
    text = Client().get("/status").text
    assert '<strong>4+</strong><span class="muted small">tasks queued' in text


def test_queue_that_others_leave_no_room_for_says_so(
    make_user: Callable[..., User], alice: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", slots=3)
    for _ in range(3):
        submit(carol)
    Task.objects.filter(pk=submit(alice).pk).update(queue="text", line_key=0)
    monkeypatch.setattr(depths, "CAP", 3)
    facts = {queue.name: queue for queue in read_status().queues}
    title = facts["text"].title
    row = Client().get("/status").text.partition(f'<th scope="row">{title}</th>')[2].partition("</tr>")[0]
    assert row.startswith('<td class="number">not counted</td><td class="number">0</td>')
    assert ">not counted</td>" in row[-30:]


def test_asking_again_does_not_ask_the_database(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    Client().get("/status")
    with django_assert_num_queries(0):
        assert Client().get("/status").status_code == 200


def test_stampede_of_readers_is_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, looks, may_answer = threading.Semaphore(0), [], threading.Event()

    def slowly(*args: Any, **kwargs: Any) -> Ended:
        looks.append(threading.get_ident())
        assert may_answer.wait(120)
        return ended_since(*args, **kwargs)

    monkeypatch.setattr(public_status, "ended_since", slowly)

    def ask() -> int:
        asked.release()
        try:
            return Client().get("/status").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        answers = [pool.submit(ask) for _ in range(12)]
        for _ in answers:
            assert asked.acquire(timeout=120)
        may_answer.set()
        assert [answer.result(120) for answer in answers] == [200] * 12
    assert len(looks) == 1


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_figures_that_take_too_long_are_a_page_that_says_so(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(bounded, "STATEMENT_MS", 50)
    with monkeypatch.context() as slow:
        slow.setattr(public_status, "read_clusters", lambda: execute("SELECT pg_sleep(30)"))
        answer = Client().get("/status", headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The figures cannot be read just now" in answer.text
    assert 'hx-get="/status"' in answer.text, "it tries again"
    assert Client().get("/status").status_code == 200, "the failure is not kept"


def test_other_trouble_with_the_database_is_not_taken_for_slowness(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("too many connections")

    monkeypatch.setattr(public_status, "read_clusters", refuse)
    answer = Client().get("/status")
    assert (answer.status_code, "The database does not answer" in answer.text) == (503, True)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_statements_are_few_and_each_has_its_time(alice: User, submit: Submit) -> None:
    submit(alice)
    forget_all()
    with CaptureQueriesContext(connection) as queries:
        read_status()
    # Those of `tasks/sql` are not among them.
    said = [query["sql"] for query in queries]
    assert any("statement_timeout" in statement for statement in said)
    assert not any("attempt" in statement or '"task"' in statement for statement in said)
    assert len(said) <= 6
