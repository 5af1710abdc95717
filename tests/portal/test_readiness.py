"""Ready means that a task would be written: a database that only reads, or has no room, is not ready, and says so."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql

from portal.launch.embedded.account import server_account
from portal.launch.embedded.cluster import SUPERUSER
from tests.chaos.server import DATABASE, Server, own_server
from tests.cluster.conftest import wait_until
from tests.portal.own_database import environment_of, set_up
from tests.small_disk import SmallDisk, small_disk
from tests.web.live import LiveServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with own_server(tmp_path_factory.mktemp("server") / "postgres.log") as server:
        yield server


@pytest.fixture(scope="module")
def token(database: Server) -> str:
    return set_up(database.direct_url)


@pytest.fixture(scope="module")
def web(database: Server, token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    environment = environment_of(database.direct_url) | {"MEDIA_ROOT": str(tmp_path_factory.mktemp("media"))}
    running = LiveServer(log=tmp_path_factory.mktemp("web") / "web.log", environment=environment)
    with psycopg.connect(database.direct_url, autocommit=True) as connection:
        # A node that is alive for as long as the tests take.
        connection.execute(
            "INSERT INTO node (id, name, cluster_id, host, pid, version, workers, status, heartbeat_at)"
            " VALUES (%s, 'test', 'default', 'here', 1, '0', 1, 'alive', now() + interval '1 hour')",
            [uuid4()],
        )
    yield running
    running.stop()


def checks(web: LiveServer) -> tuple[int, dict[str, str]]:
    answer = httpx.get(f"{web.url}/health/ready", timeout=30)
    return answer.status_code, answer.json()["checks"]


def wait_for(web: LiveServer, status: int, database: str) -> dict[str, str]:
    wait_until(lambda: (status, database) == (checks(web)[0], checks(web)[1]["database"]), what=f"{database!r}")
    return checks(web)[1]


def submission(web: LiveServer, token: str) -> httpx.Response:
    body: dict[str, Any] = {"type": "diagnostic.echo", "input": {"message": token_hex(450)}}
    return httpx.post(
        f"{web.url}/api/v1/tasks", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30
    )  # fmt: skip


def test_ready_portal_is_ready_and_its_probe_leaves_nothing(web: LiveServer, database: Server, token: str) -> None:
    assert wait_for(web, 200, "ok")["workers"] == "ok"
    assert submission(web, token).status_code == 202
    with psycopg.connect(database.direct_url) as connection:
        assert connection.execute("SELECT to_regclass('readiness_probe')").fetchone() == (None,)


def test_database_that_only_reads_is_not_ready(web: LiveServer, database: Server, token: str) -> None:
    with psycopg.connect(database.direct_url, autocommit=True) as connection:
        name = sql.Identifier(DATABASE)
        connection.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'portal-web'"
        connection.execute(cut)
        try:
            wait_for(web, 503, "takes no writes: it is read-only")
            assert submission(web, token).status_code >= 500
        finally:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
            connection.execute(cut)
    wait_for(web, 200, "ok")


def test_database_that_is_away_is_not_ready_and_process_is_alive(web: LiveServer, database: Server) -> None:
    database._cluster._stop()
    try:
        wait_for(web, 503, "does not answer")
        assert httpx.get(f"{web.url}/health/live", timeout=30).status_code == 200
    finally:
        database._cluster.revive()
    wait_for(web, 200, "ok")


@pytest.fixture
def as_clerk(web: LiveServer, database: Server, tmp_path: Path) -> Iterator[LiveServer]:
    """A web process whose role owns nothing, reads and writes rows, and makes no temporary tables."""
    run, name = database._cluster.run_sql, f"{SUPERUSER} IN DATABASE {DATABASE}"
    run("CREATE ROLE clerk")
    run(f"REVOKE TEMP ON DATABASE {DATABASE} FROM PUBLIC")
    with psycopg.connect(database.direct_url, autocommit=True) as connection:
        for of in ("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE ON ALL SEQUENCES"):
            connection.execute(f"GRANT {of} IN SCHEMA public TO clerk")
    run(f"ALTER ROLE {name} SET role = clerk")
    running = LiveServer(log=tmp_path / "clerk.log", environment=web.environment)
    yield running
    running.stop()
    run(f"ALTER ROLE {name} RESET role")
    run(f"GRANT TEMP ON DATABASE {DATABASE} TO PUBLIC")
    with psycopg.connect(database.direct_url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY clerk")
    run("DROP ROLE clerk")


def test_role_that_may_write_tasks_and_no_more_is_ready(as_clerk: LiveServer, database: Server, token: str) -> None:
    wait_for(as_clerk, 200, "ok")
    assert submission(as_clerk, token).status_code == 202
    with psycopg.connect(database.direct_url, autocommit=True) as connection:
        connection.execute("SET ROLE NONE")
        connection.execute("REVOKE INSERT ON task FROM clerk")
        wait_for(as_clerk, 503, "does not let this role write")
        assert submission(as_clerk, token).status_code >= 500
        connection.execute("GRANT INSERT ON task TO clerk")
    wait_for(as_clerk, 200, "ok")


@pytest.fixture
def disk(database: Server, tmp_path: Path) -> Iterator[SmallDisk]:
    """The database's disk, for as long as the test takes; that of the WAL is another, so the server stays up."""
    with small_disk(Path(f"/tmp/portal-disk-{uuid4().hex[:8]}"), megabytes=96) as mounted:
        account = server_account()
        place = mounted.folder / "space"
        place.mkdir()
        subprocess.run(["chown", "-R", f"{account.uid}:{account.gid}", str(mounted.folder)], check=True)
        run_sql = database._cluster.run_sql
        run_sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        _move(database, "small")
        yield mounted
        mounted.empty()
        _move(database, "pg_default")
        run_sql("DROP TABLESPACE small")


def _move(database: Server, space: str) -> None:
    cut = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{DATABASE}'"
    database._cluster.run_sql(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
    database._cluster.run_sql(cut)
    database._cluster.run_sql(f"ALTER DATABASE {DATABASE} SET TABLESPACE {space}")
    database._cluster.run_sql(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")


def test_database_without_room_on_its_disk_is_not_ready(web: LiveServer, disk: SmallDisk, token: str) -> None:
    wait_for(web, 200, "ok")
    disk.fill()
    wait_for(web, 503, "has no room left on its disk")
    # The first few find room in pages that are there already.
    wait_until(lambda: submission(web, token).status_code == 503, what="a submission that finds no room")
    disk.empty()
    wait_for(web, 200, "ok")
    assert submission(web, token).status_code == 202
