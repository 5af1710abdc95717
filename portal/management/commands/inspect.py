"""`manage.py inspect`: what runs now, which types can run, how the installation stands, how it is configured."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from portal import inspection
from tasks.management.rows import table

WORDS = {
    "active": "What runs now: task, type, user, worker, seconds.",
    "registered": "The task types of this checkout, and whether they are ready here.",
    "stats": "Nodes, clusters, queues and model servers.",
    "conf": "The settings that are in use, without secrets.",
}
NONE = "None."
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
            self._write(
                "\n\n".join(f"{title}\n{table(rows, empty=EMPTY.get(title, NONE))}" for title, rows in found.items())
            )
        else:
            self._write(table(found, empty=EMPTY.get(word, NONE)))

    def _write(self, text: str) -> None:
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            # `| head` has seen enough. What Python still holds back goes nowhere, or it would complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
