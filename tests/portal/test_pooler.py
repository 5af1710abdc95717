"""Behind a pooler in transaction mode nothing starts, and everything says why."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tasks.pooler import IN_TRANSACTION_MODE, shares_connections
from tests.portal.transaction_pooler import pooler
from tests.web.live import GRANIAN, PROJECT, UVICORN, environment_of_test

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MANAGE = ("manage.py",)


@pytest.fixture
def pooled_url(transactional_db: None) -> Iterator[str]:
    database = connection.settings_dict
    with pooler(Path(database["HOST"]), user=database["USER"], database=database["NAME"]) as url:
        yield url


def test_pooler_of_the_test_is_one(pooled_url: str) -> None:
    with psycopg.connect(pooled_url, autocommit=True) as one, psycopg.connect(pooled_url, autocommit=True) as other:
        served = {served_by.execute("SELECT pg_backend_pid()").fetchone() for served_by in (one, other)}
    assert len(served) == 1


def test_postgres_itself_is_no_pooler() -> None:
    assert not shares_connections()


@pytest.mark.parametrize(
    "command",
    [
        ("-m", *UVICORN, "--port", "0"),
        ("-m", *GRANIAN, "--port", "0", "--no-respawn-failed-workers"),
        (*MANAGE, "qcluster"),
        (*MANAGE, "migrate"),
        (*MANAGE, "check", "--database", "default"),
        (*MANAGE, "backend", "list"),
        ("-m", "portal.launch.run.prepare", "http://127.0.0.1:1", os.devnull),
    ],
    ids=["uvicorn", "granian", "qcluster", "migrate", "check", "backend", "make run"],
)
def test_start_through_a_pooler_is_refused_with_a_sentence(
    pooled_url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        env=environment_of_test(media=tmp_path) | {"DATABASE_URL": pooled_url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert IN_TRANSACTION_MODE in ended.stdout
    assert "Traceback" not in ended.stdout
