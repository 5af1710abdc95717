"""Log lines for people and for programs, without what people gave to tasks: errors of the database quote whole rows."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import django.db
import psycopg

from tasks import log_fields
from tasks.quoted_rows import without_row

# Where only the text of such an error came to be logged, its lines are all that can be known of it.
ADDED_LINE = re.compile(r"^(?:DETAIL|CONTEXT|QUERY): .*\n?", re.MULTILINE)


class LineFormatter(logging.Formatter):
    """A line for people; the ids that it is about stand at its end, before a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        told = super().formatMessage(record)
        ids = " ".join(f"{name}={value}" for name, value in log_fields.current().items() if str(value) not in told)
        return f"{told}  [{ids}]" if ids else told

    def format(self, record: logging.LogRecord) -> str:
        return without_rows(super().format(record), record).rstrip("\n")

    def counted(self, text: str, count: int, seconds: float) -> str:
        """Return a formatted text that says how often it came besides, in so many seconds."""
        return f"{text} (and {count} times more in the last {seconds:.0f} s)"


class JsonFormatter(LineFormatter):
    """A JSON object on one line: time, level, logger, message, process, the ids it is about, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_rows(record.getMessage(), record),
            "process": record.process,
            **log_fields.current(),
        }
        traceback = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        if traceback := without_rows(traceback, record).strip("\n"):
            line["traceback"] = traceback
        if record.stack_info:
            line["stack"] = record.stack_info
        return _dumped(line)

    def counted(self, text: str, count: int, seconds: float) -> str:
        return _dumped(json.loads(text) | {"repeated": count, "repeated_seconds": seconds})


def _dumped(line: dict[str, Any]) -> str:
    # What cannot be encoded, half a character among it, is escaped.
    return json.dumps(line, default=str)


def without_rows(text: str, record: logging.LogRecord) -> str:
    """Cut errors of the database that a record tells of, where they stand in its text, behind what went wrong."""
    for error in _database_errors(record):
        # By the error's own text: a value may have several lines, which no pattern could tell from ours.
        told = str(error)
        text = text.replace(told, without_row(told))
    return ADDED_LINE.sub("", text)


def _database_errors(record: logging.LogRecord) -> Iterator[BaseException]:
    """Yield the errors of the database that a record tells of, causes and members of groups included."""
    given = record.args.values() if isinstance(record.args, dict) else record.args or ()
    waiting = [value for value in given if isinstance(value, BaseException)]
    if record.exc_info and record.exc_info[1] is not None:
        waiting.append(record.exc_info[1])
    seen: set[int] = set()
    while waiting:
        error = waiting.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        if isinstance(error, psycopg.Error | django.db.Error):
            yield error
        waiting += [cause for cause in (error.__cause__, error.__context__) if cause is not None]
        waiting += error.exceptions if isinstance(error, BaseExceptionGroup) else ()
