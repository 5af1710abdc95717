"""A database of the release before the migrations were squashed: it becomes what a new one is, and keeps its rows.

`before_squash.sql.gz` is a dump of one: `make run` of that release with its samples, and a row by hand in each table that
they leave empty.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.db import connection
from psycopg import sql

from portal.launch.embedded.binaries import find_binaries
from tests.web.live import PROJECT, environment_of_test

pytestmark = pytest.mark.django_db

BEFORE = Path(__file__).with_name("before_squash.sql.gz")
NAME = "portal_before_squash"
MIGRATE = ("manage.py", "migrate", "--verbosity=0")
PREPARE = ("-m", "portal.launch.run.prepare", "http://127.0.0.1:1", os.devnull)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The old database, on the server of the tests."""
    ours = environment_of_test(media=tmp_path)["DATABASE_URL"]
    old = ours.replace(f"/{connection.settings_dict['NAME']}?", f"/{NAME}?")
    assert old != ours
    with psycopg.connect(ours, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
        with psycopg.connect(old) as database:
            database.execute(gzip.decompress(BEFORE.read_bytes()))
        yield old
        server.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def test_old_database_becomes_what_a_new_one_is_and_keeps_its_rows(url: str, tmp_path: Path) -> None:
    before = rows_of(url)
    assert {table for table in our_tables() & before.keys() if not before[table]} == set(), "a row of every kind"
    assert run(url, tmp_path, *MIGRATE) == (0, "")
    assert {table: rows for table, rows in rows_of(url, like=before).items() if rows != before[table]} == {}
    assert schema_of(url) == schema_of(environment_of_test(media=tmp_path)["DATABASE_URL"])
    # All of it once more changes nothing.
    assert run(url, tmp_path, *MIGRATE, "--check") == (0, "")


@pytest.mark.parametrize("command", [MIGRATE, PREPARE], ids=["migrate", "make run"])
@pytest.mark.parametrize(
    ("gone", "last"),
    [("app = 'tasks' AND name > '0013'", "tasks is 0012_low_key"), ("name = '0003_pace'", "accounts is 0002_seed_pl")],
)
def test_database_that_stopped_halfway_is_refused_with_a_sentence(
    url: str, tmp_path: Path, command: tuple[str, ...], gone: str, last: str
) -> None:
    with psycopg.connect(url) as database:
        database.execute(sql.SQL("DELETE FROM django_migrations WHERE " + gone))  # type: ignore[arg-type]
    code, said = run(url, tmp_path, *command)
    assert code == 1
    assert last in said
    assert "Upgrading" in said
    assert "Traceback" not in said


def run(url: str, folder: Path, *command: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, *command], cwd=PROJECT, env=environment_of_test(media=folder) | {"DATABASE_URL": url},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout


def rows_of(url: str, *, like: dict[str, list[str]] | None = None) -> dict[str, list[str]]:
    """Return the rows of each table but the list of migrations; or of the tables of `like`."""
    with psycopg.connect(url) as database:
        found = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = sorted(like) if like else sorted(table for (table,) in found if table != "django_migrations")
        rows = {}
        for table in tables:
            read = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(table))
            rows[table] = [row for (row,) in database.execute(read)]
    return rows


def our_tables() -> set[str]:
    labels = ("accounts", "tasks")
    models = [model for app in labels for model in apps.get_app_config(app).get_models(include_auto_created=True)]
    return {model._meta.db_table for model in models}


def schema_of(url: str) -> list[str]:
    """Return the statements of a dump of our tables, without what differs from one dump to the next."""
    tables = [f"--table=public.{table}" for table in sorted(our_tables())]
    dumped = subprocess.run(
        [find_binaries().path("pg_dump"), "--schema-only", "--no-owner", *tables, url],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip
    # A migration's frozenset is written in any order.
    ordered = re.sub(r"ARRAY\[([^\]]*)\]", lambda found: str(sorted(found[1].split(", "))), dumped)
    return [line for line in ordered.splitlines() if line and not line.startswith(("--", "\\"))]
