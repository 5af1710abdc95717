"""What a piece of code reads: every statement that it sends, with the pages that each touched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import connection

EXPLAIN = """
    LOAD 'auto_explain';
    SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_analyze = on;
    SET auto_explain.log_buffers = on;
    SET auto_explain.log_timing = off;
    SET auto_explain.log_format = json;
    SET auto_explain.log_level = notice;
    SET log_min_messages = fatal
"""
# Of little tables Postgres reads all, and of large ones what an index leads to: only the latter tells something here.
AS_IF_LARGE = ("enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off")
# As the connections of nodes plan, duties included.
AS_A_NODE = tuple(settings.INDEX_PLANS_ONLY.split(" -c ")[1:])


class Statement(NamedTuple):
    """A statement and the pages of tables and indexes that it touched."""

    pages: int
    text: str
    plan: dict[str, Any]


@contextmanager
def statements_seen(*, planned: Sequence[str] = ()) -> Iterator[list[Statement]]:
    """Collect what is sent on Django's connection in this thread. Needs a superuser, as the tests' user is one.

    Args:
        planned: the settings that it is planned with, each as `name=value`; nothing planned before is used.
    """
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    seen: list[Statement] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        text = diagnostic.message_primary or ""
        if "plan:" not in text:
            return
        told = json.loads(text.partition("plan:")[2])
        plan = told["Plan"]
        pages = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
        seen.append(Statement(pages, " ".join(told["Query Text"].split()), plan))

    with connection.cursor() as cursor:
        cursor.execute("; ".join([EXPLAIN, *(f"SET {setting}" for setting in planned), "DISCARD PLANS"]))
    raw.add_notice_handler(note)
    try:
        yield seen
    finally:
        raw.remove_notice_handler(note)
        with connection.cursor() as cursor:
            names = ["auto_explain.log_min_duration", *(setting.partition("=")[0] for setting in planned)]
            cursor.execute("; ".join([*(f"RESET {name}" for name in names), "DISCARD PLANS"]))
