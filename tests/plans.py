"""How much a statement reads, and floods of held tasks to read past."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.db import connection, transaction

from tasks import sql
from tasks.models import Task


def multiply_held(rows: int) -> None:
    """Insert so many copies of a held task, without their content."""
    columns = ", ".join(field.column for field in Task._meta.concrete_fields if field.column != "id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO task (id, {columns}) SELECT gen_random_uuid(), {columns} "
            "FROM (SELECT * FROM task WHERE status = 'held' LIMIT 1) AS one, generate_series(1, %s)",
            [rows],
        )


def pages_read(statement: str, parameters: Mapping[str, object], *, before: Callable[[], object] | None = None) -> int:
    """Return how many pages a hot statement touches; what it did, and what was done `before` it, is undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        if before is not None:
            before()
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql.statement(statement).decode(), parameters)
        [plan] = cursor.fetchone()[0]
        transaction.set_rollback(True)
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])
