"""The class that a caller brings for a statement's rows is what the statement returns, as Postgres describes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from psycopg.pq import ExecStatus

from tasks import sql

PROJECT = Path(__file__).parents[2]
SENDERS = {"run", "run_hardened", "run_one", "send", "execute", "count"}
# Where Postgres cannot tell a parameter's type from the text alone; psycopg sends it along.
TYPES = {
    "lifecycle/claim": {"threads": "bool", "main": "bool"},
    "lifecycle/finish": {"charged": "bool", "alone": "bool", "worked": "bool", "error": "jsonb", "cancelled": "jsonb"},
    "lifecycle/release": {"cancelled": "jsonb", "expired": "jsonb"},
}
PYTHON = {
    "bool": bool, "date": date, "float8": float, "int2": int, "int4": int, "int8": int, "text": str,
    "timestamptz": datetime, "uuid": UUID, "void": str,
}  # fmt: skip


class Use(NamedTuple):
    """One place that sends a statement, and the class that it reads its rows as."""

    place: str
    statement: str
    row: type[Any] | None


def _uses() -> Iterator[Use]:
    for path in sorted(file for folder in ("tasks", "portal", "accounts") for file in (PROJECT / folder).rglob("*.py")):
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        source = path.read_text()
        # Every process of a run reads them all.
        if "sql." not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="sql"), attr=sender)) if sender in SENDERS:
                    yield _use(module, node)


def _use(module: str, call: ast.Call) -> Use:
    place = f"{module}:{call.lineno}"
    name = call.args[0]
    assert isinstance(name, ast.Constant), f"{place}: the statement's name is to be read here"
    row = next((given.value for given in call.keywords if given.arg == "row"), None)
    assert row is None or isinstance(row, ast.Name), f"{place}: the rows' class is to be read here"
    return Use(place, str(name.value), None if row is None else getattr(import_module(module), row.id))


USES = list(_uses())
READ = [use for use in USES if use.row is not None]


def test_statements_are_those_that_somebody_sends() -> None:
    files = {str(file.relative_to(sql.FOLDER).with_suffix("")) for file in sql.FOLDER.rglob("*.sql")}
    assert {use.statement for use in USES} == files


def test_parameters_are_sent_by_position() -> None:
    text, names = sql.positional("lifecycle/release")
    assert text.count(b"$1") == 1
    assert names[0] == "tasks"
    assert b"format('The task %s that" in sql.positional("lifecycle/depend")[0]


@pytest.mark.django_db
@pytest.mark.parametrize("use", READ, ids=[f"{use.statement}-{use.place}" for use in READ])
def test_row_class_has_the_columns_of_its_statement(use: Use) -> None:
    columns = described(use.statement)
    hints = get_type_hints(use.row)
    assert [*hints] == [name for name, _ in columns]
    wrong = {name: (type_, hints[name]) for name, type_ in columns if not is_read_as(type_, hints[name])}
    assert wrong == {}


def described(name: str) -> list[tuple[str, str]]:
    """Return the name and type of each column, without running the statement; an array's type ends in ``[]``."""
    numbers: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        given = found["name"]
        number = numbers.setdefault(given, len(numbers) + 1)
        return f"${number}::{TYPES[name][given]}" if given in TYPES.get(name, {}) else f"${number}"

    text = re.sub(r"%\((?P<name>\w+)\)s", numbered, sql.statement(name).decode()).replace("%%", "%")
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    prepared = raw.pgconn.prepare(b"described", text.encode())
    assert prepared.status == ExecStatus.COMMAND_OK, prepared.error_message.decode()
    found = raw.pgconn.describe_prepared(b"described")
    raw.pgconn.exec_(b"DEALLOCATE described")
    return [(str(found.fname(column), "utf-8"), _type(raw, found.ftype(column))) for column in range(found.nfields)]


def _type(raw: psycopg.Connection[Any], oid: int) -> str:
    info = raw.adapters.types.get(oid)
    if info is None:
        return "void"
    return f"{info.name}[]" if info.array_oid == oid else info.name


def is_read_as(type_: str, hint: Any) -> bool:
    """Return whether psycopg makes of this type what the annotation says; whether it can be NULL, nobody knows."""
    if type_ in {"json", "jsonb"}:
        return True
    kinds = set(get_args(hint)) - {type(None)} if type(None) in get_args(hint) else {hint}
    if type_.endswith("[]"):
        element = PYTHON[type_.removesuffix("[]")]
        return all(get_origin(kind) in {list, tuple} and set(get_args(kind)) == {element} for kind in kinds)
    return kinds == {PYTHON[type_]}
