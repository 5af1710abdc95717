"""A connection that is cut while a request is answered: a read is done once more, and a write says that it was not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from accounts.models import User
from tasks.direct import connection_parameters
from tasks.models import Task
from tests.cluster.conftest import wait_until
from tests.web.conftest import Submit
from tests.web.live import LiveServer, session_cookie

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

WAITING = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'portal-web' AND datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def mine(alice: User, submit: Submit) -> Task:
    return submit(alice)


def cut_while_answered(ask: Callable[[], httpx.Response], *, times: int = 1) -> httpx.Response:
    """Send a request, cut its connection to the database in the midst of its statement, and return the answer."""
    with (
        ThreadPoolExecutor(1) as thread,
        psycopg.connect(**connection_parameters()) as lock,
        psycopg.connect(**connection_parameters(), autocommit=True) as other,
    ):
        lock.execute("LOCK TABLE task")
        answer = thread.submit(ask)
        for _ in range(times):
            wait_until(lambda: other.execute(WAITING).fetchone(), what="a request that waits for the lock")
            other.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({WAITING}) AS waiting")
        lock.rollback()
        return answer.result()


@pytest.mark.parametrize("address", ["/api/v1/tasks/{id}", "/api/v1/tasks"])
def test_read_of_the_api_is_done_once_more(
    server: LiveServer, alice: User, mine: Task, token_of: Callable[..., str], address: str
) -> None:
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    url = server.url + address.format(id=mine.pk)
    answer = cut_while_answered(lambda: httpx.get(url, headers=headers, timeout=30))
    assert answer.status_code == 200, answer.text
    assert str(mine.pk) in answer.text


def test_page_is_read_once_more(server: LiveServer, alice: User, mine: Task) -> None:
    cookies = {"sessionid": session_cookie(alice)}
    answer = cut_while_answered(lambda: httpx.get(f"{server.url}/tasks/{mine.pk}", cookies=cookies, timeout=30))
    assert (answer.status_code, str(mine.pk) in answer.text) == (200, True)


def test_read_that_is_cut_twice_says_that_the_database_is_away(
    server: LiveServer, alice: User, mine: Task, token_of: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    poll = f"{server.url}/api/v1/tasks/{mine.pk}"
    answer = cut_while_answered(lambda: httpx.get(poll, headers=headers, timeout=30), times=2)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    cookies = {"sessionid": session_cookie(alice)}
    page = cut_while_answered(lambda: httpx.get(f"{server.url}/tasks/{mine.pk}", cookies=cookies), times=2)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "2")
    assert "The database does not answer" in page.text


def test_write_that_is_cut_is_not_done_again(
    server: LiveServer, alice: User, mine: Task, token_of: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    body = {"type": "diagnostic.echo", "input": {"message": "once"}}
    answer = cut_while_answered(
        lambda: httpx.post(f"{server.url}/api/v1/tasks", headers=headers, json=body, timeout=30)
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert Task.objects.count() == 1
