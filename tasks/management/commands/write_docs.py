"""`manage.py write_docs`: writes all that the documentation takes from the code, or says what is not up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.management.commands import openapi
from tasks.management.type_docs import pages, tables
from tasks.management.type_docs.marked import NoMarkers
from tasks.registry import every_type


class Command(BaseCommand):
    help = (
        "Write the pages of task types (docs/types), the tables of README.md, docs/README.md and docs/task-types.md, "
        "and docs/openapi.yaml."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when something is not up to date")
        parser.add_argument("--run", action="store_true", help="run the examples anew, and write their outputs")

    def handle(self, *_args: Any, check: bool, run: bool, **_options: Any) -> None:
        foreign = sorted(one.name for one in every_type() if not one.handler.__module__.startswith("tasks."))
        if foreign:
            raise CommandError(f"These are documents of the portal alone: unset EXTRA_APPS, which adds {foreign[0]}.")
        try:
            stale = {path: text for path, text in documents(run=run and not check).items() if _is_stale(path, text)}
        except NoMarkers as lacking:
            raise CommandError(f"A document cannot be written: {lacking}") from lacking
        names = ", ".join(str(path.relative_to(settings.BASE_DIR)) for path in stale)
        if check and stale:
            raise CommandError(f"Not up to date: {names}. Run `manage.py write_docs`.")
        for path, text in stale.items():
            path.write_text(text)
        self.stdout.write(f"Written: {names}." if stale else "All is up to date.")


def documents(*, run: bool) -> dict[Path, str]:
    """Return every document that is made from the code, as it should be."""
    of_types = {pages.page_of(one.name): pages.written(one, run=run) for one in pages.documented_types()}
    return of_types | tables.documents() | {openapi.STORED: openapi.document()}


def _is_stale(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text() != text
