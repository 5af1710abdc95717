"""A part of the suite once more, with a PgBouncer in transaction mode between all that lasts and Postgres."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.pooled.pgbouncer import running_pgbouncer
from tests.web.live import PROJECT, url_of

pytestmark = [pytest.mark.pooler, pytest.mark.slow, pytest.mark.timeout(1800)]

# Statements sent in one piece and in pipelines; submissions; a node that works and gives back what it runs; a web
# process that hears of a change. Nothing that measures time: it goes through a forwarder of the test's.
LEG = [
    "tests/lifecycle/test_claim_several.py",
    "tests/api/test_submit.py",
    "tests/api/test_long_poll.py::test_changed_task_is_answered_at_once",
    "tests/cluster/test_node.py::test_failing_task_is_tried_again_until_it_succeeds",
    "tests/cluster/test_node.py::test_stop_returns_running_tasks_to_their_lanes_free_of_charge",
]


@pytest.fixture
def surroundings(db: None) -> Iterator[dict[str, str]]:
    """The environment of a test run whose processes reach a database of its own through PgBouncer."""
    here = connection.settings_dict
    name = f"{here['NAME'].removeprefix('test_')}_pooled"
    with running_pgbouncer(Path(here["HOST"]), user=here["USER"]) as port:
        pooled = here | {"NAME": name, "HOST": "127.0.0.1", "PORT": str(port)}
        yield os.environ | {
            "DATABASE_URL": url_of(pooled),
            "DATABASE_DIRECT_URL": url_of(here | {"NAME": name}),
            # As those that use a pooler; commands go past it.
            "PORTAL_PROCESS": "qcluster",
        }
    with psycopg.connect(url_of(here | {"NAME": "postgres"}), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "test_{name}" WITH (FORCE)')


def test_leg_of_the_suite_is_green_behind_pgbouncer(surroundings: dict[str, str]) -> None:
    # The database is dropped above: PgBouncer's connections to it stay.
    words = ["-m", "pytest", "-n", "0", "--reuse-db", *LEG]
    leg = {name: value for name, value in surroundings.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        [sys.executable, *words], cwd=PROJECT, env=leg, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-8000:]
