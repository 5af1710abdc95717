"""Postgres is restarted under an idle web process whose pool is full: when it is back, nothing is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.chaos.server import Server, own_server
from tests.cluster.conftest import wait_until
from tests.portal.own_database import environment_of, set_up
from tests.web.live import GRANIAN, UVICORN, LiveServer

pytestmark = pytest.mark.slow

POOLED = 12
TASK = {"type": "diagnostic.echo", "input": {"message": "hello"}}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with own_server(tmp_path_factory.mktemp("server") / "postgres.log") as server:
        yield server


@pytest.fixture(scope="module")
def token(database: Server) -> str:
    return set_up(database.direct_url)


@pytest.fixture(params=[UVICORN, (*GRANIAN, "--blocking-threads", "20")], ids=["uvicorn", "granian"])
def web(
    request: pytest.FixtureRequest, database: Server, token: str, tmp_path: Path
) -> Iterator[tuple[LiveServer, httpx.Client]]:
    module: Sequence[str] = request.param
    running = LiveServer(log=tmp_path / "web.log", environment=environment_of(database.direct_url), module=module)
    with httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield running, client
    running.stop()


def pooled(database: Server) -> int:
    with psycopg.connect(database.direct_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'portal-web'")
        return int(row.fetchone()[0])


def fill_pool(database: Server, client: httpx.Client) -> None:
    """Ask for more at once, until the pool has grown: a locked table keeps each request on a connection of its own."""
    with ThreadPoolExecutor(POOLED) as threads, psycopg.connect(database.direct_url) as lock:
        lock.execute("LOCK TABLE task")
        answers = [threads.submit(client.get, "/api/v1/tasks") for _ in range(POOLED)]
        wait_until(lambda: pooled(database) >= POOLED, what="a full pool")
        lock.rollback()
        assert {answer.result().status_code for answer in answers} == {200}


def test_no_request_is_refused_once_the_database_is_back(
    database: Server, web: tuple[LiveServer, httpx.Client]
) -> None:
    live, client = web
    fill_pool(database, client)
    database.restart()
    answers = [
        client.request(method, "/api/v1/tasks", json=TASK if method == "POST" else None)
        for method in ("GET", "POST", "POST", "GET") * (POOLED // 2)
    ]
    assert [answer.status_code for answer in answers] == [200, 202, 202, 200] * (POOLED // 2), live.log()


def test_no_request_is_refused_after_an_outage_in_which_many_were(
    database: Server, web: tuple[LiveServer, httpx.Client]
) -> None:
    live, client = web
    fill_pool(database, client)
    database._cluster._stop()
    try:
        with ThreadPoolExecutor(4) as threads:
            refused = list(threads.map(lambda _: client.get("/api/v1/tasks"), range(8)))
        assert {answer.status_code for answer in refused} == {503}
    finally:
        database._cluster.revive()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: client.post("/api/v1/tasks", json=TASK), range(2 * POOLED)))
    assert {answer.status_code for answer in answers} == {202}, live.log()
