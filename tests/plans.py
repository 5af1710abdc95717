"""How much a statement reads, and floods of held tasks to read past."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from django.db import connection, transaction

from tasks import sql
from tasks.models import Task

# A statement: a busy machine inserts these long before the server's time limit for one is over.
ROWS_AT_ONCE = 50_000
MOST_ROWS = 1_000_000


def multiply_held(rows: int, *, ends_at: float = 0.0) -> int:
    """Insert so many copies of a held task, without their content; with `ends_at` more of them, until then.

    Returns how many.
    """
    inserted = 0
    while inserted < rows or (inserted < MOST_ROWS and time.monotonic() < ends_at):
        _insert_copies(min(ROWS_AT_ONCE, rows - inserted) if inserted < rows else ROWS_AT_ONCE)
        inserted += ROWS_AT_ONCE
    return inserted


def _insert_copies(rows: int) -> None:
    columns = ", ".join(field.column for field in Task._meta.concrete_fields if field.column != "id")
    # In the order of time, as real ones: reading a table by an index of them is what the planner thinks is cheap.
    new_id = (
        "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')"
        " || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO task (id, {columns}) SELECT {new_id}, {columns} "
            "FROM (SELECT * FROM task WHERE status = 'held' LIMIT 1) AS one, generate_series(1, %s)",
            [rows],
        )


def pages_read(statement: str, parameters: Mapping[str, Any], *, before: Callable[[], object] | None = None) -> int:
    """Return how many pages a hot statement touches; what it did, and what was done `before` it, is undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        if before is not None:
            before()
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql.statement(statement).decode(), parameters)
        [plan] = cursor.fetchone()[0]
        transaction.set_rollback(True)
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])
