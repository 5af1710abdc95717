"""Log lines without what people gave to tasks: errors of the database quote whole rows."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import django.db
import psycopg

# What may follow the first line of an error of Postgres: DETAIL has the row, CONTEXT parameters and JSON.
ADDED = re.compile(r"\n(?:DETAIL|CONTEXT|QUERY):")
# Where only the text of such an error came to be logged, its lines are all that can be known of it.
ADDED_LINE = re.compile(r"^(?:DETAIL|CONTEXT|QUERY): .*\n?", re.MULTILINE)


class LineFormatter(logging.Formatter):
    """Cuts errors of the database, in messages and tracebacks, behind what went wrong."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for error in _database_errors(record):
            # By the error's own text: a value may have several lines, which no pattern could tell from ours.
            told = str(error)
            text = text.replace(told, ADDED.split(told, maxsplit=1)[0])
        return ADDED_LINE.sub("", text).rstrip("\n")


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
