"""A task as JSON text, made of its row: its content is sent as Postgres writes it, never parsed and written anew.

A result may have megabytes, and parsing and writing one takes ten times as long as all else of a poll.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from uuid import UUID

from tasks.api.objects.task import task_object
from tasks.lifecycle.explain import Wait
from tasks.lifecycle.read import TaskRow

# As `task_object` writes what it is not given, and what comes in its place. Nothing else has these words: in strings
# quotes are escaped, and Postgres puts a blank behind each colon.
NO_DATA = '"input":null,"result":null,'
NO_FACTS = '"engine":null,"usage":{},"metadata":{},'


class _Lists(NamedTuple):
    """What of the content is written with the task."""

    tags: list[str]
    needs: list[UUID]
    name: str | None
    input: None = None
    result: None = None
    engine: None = None
    usage: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


def task_json(row: TaskRow, wait: Wait) -> str:
    """Return a task as JSON; its content is null or empty where it was purged."""
    if row.content_id is None:
        return write_json(task_object(row, None, wait))
    text = write_json(task_object(row, _Lists(row.tags or [], row.needs or [], row.name), wait))
    # From behind: what is put in first stands behind what is looked for next.
    facts = f'"engine":{row.engine or "null"},"usage":{row.usage},"metadata":{row.metadata},'
    data = f'"input":{row.input},"result":{row.result or "null"},'
    return text.replace(NO_FACTS, facts, 1).replace(NO_DATA, data, 1)


def write_json(value: Any) -> str:
    """Return JSON without line breaks and blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
