"""A database of the release before the migrations were squashed: it becomes what a new one is, and keeps its rows.

`before_squash.sql.gz` is a dump of one: `make run` of that release with its samples, and a row by hand in each table that
they leave empty.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from portal.launch.embedded.binaries import find_binaries
from tests.web.live import PROJECT, environment_of_test

pytestmark = pytest.mark.django_db

BEFORE = Path(__file__).with_name("before_squash.sql.gz")
NAME = "portal_before_squash"
# The first of those that are not one transaction: each of their statements is kept by itself.
FIRST_BY_STATEMENT = "0006"
# Migrates to one after the other, in one process: each start of Django takes seconds.
MIGRATE_TO_EACH = (
    "-c",
    "import json, sys, django; django.setup(); from django.core.management import call_command\n"
    "for last, fake in json.loads(sys.argv[1]): call_command('migrate', 'tasks', last, fake=fake, verbosity=0)",
)
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
    columns = columns_of(url)
    before = rows_of(url, columns)
    assert {table for table in our_tables() & before.keys() if not before[table]} == set(), "a row of every kind"
    assert run(url, tmp_path, *MIGRATE) == (0, "")
    after = rows_of(url, columns)
    assert {table: lost for table, rows in before.items() if (lost := set(rows) - set(after[table]))} == {}
    # Django names the tables that have come since, and the groups are granted what may be done with them.
    grown = {"django_content_type", "auth_permission", "auth_group_permissions"}
    assert {table for table, rows in after.items() if rows != before[table]} <= grown
    assert schema_of(url) == schema_of(environment_of_test(media=tmp_path)["DATABASE_URL"])
    # All of it once more changes nothing.
    assert run(url, tmp_path, *MIGRATE, "--check") == (0, "")
    # Nor does what was broken off before its end could be noted: of these each statement is kept by itself.
    with psycopg.connect(url) as database:
        names = [name for _, name in since_first_by_statement()]
        database.execute("DELETE FROM django_migrations WHERE app = 'tasks' AND name = ANY(%s)", [names])
    groups = groupby(since_first_by_statement(), key=lambda migration: migration[0])
    # Those that are one transaction are there or not; they are only noted again.
    each = [([name for _, name in rows][-1], is_atomic) for is_atomic, rows in groups]
    assert run(url, tmp_path, *MIGRATE_TO_EACH, json.dumps(each)) == (0, "")
    assert schema_of(url) == schema_of(environment_of_test(media=tmp_path)["DATABASE_URL"])


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


def since_first_by_statement() -> list[tuple[bool, str]]:
    """Return the migrations from there on, in their order: whether each is one transaction, and its name."""
    found = MigrationLoader(None).disk_migrations.items()
    return sorted(
        ((migration.atomic, name) for (app, name), migration in found if app == "tasks" and name >= FIRST_BY_STATEMENT),
        key=lambda migration: migration[1],
    )


def run(url: str, folder: Path, *command: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, *command], cwd=PROJECT, env=environment_of_test(media=folder) | {"DATABASE_URL": url},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout


def columns_of(url: str) -> dict[str, list[str]]:
    """Return the columns of each table but the list of migrations."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(url) as database:
        for table, column in database.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name <> 'django_migrations' ORDER BY table_name, ordinal_position"
        ):
            found.setdefault(table, []).append(column)
    return found


def rows_of(url: str, columns: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the rows of these tables, with these columns."""
    rows = {}
    with psycopg.connect(url) as database:
        for table, names in columns.items():
            each = sql.SQL(", ").join(map(sql.Identifier, names))
            read = sql.SQL("SELECT ROW({})::text FROM {} ORDER BY 1").format(each, sql.Identifier(table))
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
