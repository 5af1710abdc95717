"""`manage.py inspect`: what runs now, which types can run, how the installation stands, how it is configured."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from portal import inspection
from tasks.measures import NOTHING

WORDS = {
    "active": "What runs now: task, type, user, worker, seconds.",
    "registered": "The task types of this checkout, and whether they are ready here.",
    "stats": "Nodes, clusters, queues and model servers.",
    "conf": "The settings that are in use, without secrets.",
}
EMPTY = {"active": "Nothing runs.", "nodes": "No node is alive.", "backends": "There are no model servers."}


class Command(BaseCommand):
    help = "Show what runs, what can run, how the installation stands, and how it is configured (docs/operating.md)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        words = parser.add_subparsers(dest="word", required=True)
        for word, text in WORDS.items():
            words.add_parser(word, help=text).add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, word: str, **options: Any) -> None:
        try:
            found = getattr(inspection, word)()
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The database does not answer: {str(error).strip()}") from error
        if options["json"]:
            self._write(json.dumps(found, indent=2, ensure_ascii=False))
        elif isinstance(found, dict):
            self._write("\n\n".join(f"{title}\n{_table(title, rows)}" for title, rows in found.items()))
        else:
            self._write(_table(word, found))

    def _write(self, text: str) -> None:
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            # `| head` has seen enough. What Python still holds back goes nowhere, or it would complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _table(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return lines, each column as wide as what stands in it."""
    if not rows:
        return EMPTY.get(title, "None.")
    table = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (zip(line, widths, strict=True) for line in table)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in lines)


def _cell(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Names of an older release may hold anything.
    return "".join(character if character.isprintable() else "?" for character in str(value))
