"""`manage.py migrate_executor PATH --diff|--write`: moves code from ThreadPoolExecutor to tasks.futures."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from libcst import ParserSyntaxError

from tasks.interop.migrate_executor import Migrated, migrate


class Command(BaseCommand):
    help = (
        "Rewrite the use of ThreadPoolExecutor and as_completed in a file, or in all below a folder, to tasks.futures."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a Python file, or a folder (hidden folders are left out)")
        does = parser.add_mutually_exclusive_group(required=True)
        does.add_argument("--diff", action="store_true", help="show what would change")
        does.add_argument("--write", action="store_true", help="change the files")

    def handle(self, *args: Any, path: Path, diff: bool, **options: Any) -> None:
        if not path.exists():
            raise CommandError(f"There is no {path}.")
        changed = 0
        for file in _python_files(path):
            # As it is on disk: line ends included.
            before = file.read_bytes().decode()
            migrated = self._migrate(file, before)
            for warning in migrated.warnings:
                self.stderr.write(f"{file}: {warning}")
            if migrated.code is None:
                continue
            changed += 1
            if diff:
                self._show(file, before, migrated.code)
            else:
                file.write_bytes(migrated.code.encode())
        self.stderr.write(f"{changed} files {'would be ' if diff else ''}changed.")

    def _migrate(self, file: Path, source: str) -> Migrated:
        try:
            return migrate(source)
        except ParserSyntaxError as error:
            return Migrated(warnings=[f"line {error.raw_line}: left out, it is not valid Python"])

    def _show(self, file: Path, before: str, after: str) -> None:
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), str(file), str(file)
        )
        for line in lines:
            self.stdout.write(line, ending="" if line.endswith("\n") else "\n\\ No newline at end of file\n")


def _python_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*.py")):
        if not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file
