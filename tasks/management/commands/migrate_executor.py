"""`manage.py migrate_executor PATH --diff|--write`: moves code from ThreadPoolExecutor to tasks.interop.futures.

All files are read and rewritten before the first is written, and each is replaced as a whole: nothing is half done.
"""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

INSTALL = (
    "This command needs libcst, which is installed besides: "
    ".venv/bin/pip install --require-hashes -r requirements/migrate.txt"
)


class Command(BaseCommand):
    help = (
        "Rewrite the use of ThreadPoolExecutor and as_completed, in a file or a whole folder, to tasks.interop.futures."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a Python file, or a folder (hidden folders are left out)")
        does = parser.add_mutually_exclusive_group(required=True)
        does.add_argument("--diff", action="store_true", help="show what would change")
        does.add_argument("--write", action="store_true", help="change the files")

    def handle(self, *args: Any, path: Path, diff: bool, **options: Any) -> None:
        try:
            import libcst  # noqa: F401 - imported late: only this command needs it
        except ModuleNotFoundError as error:
            raise CommandError(INSTALL) from error
        if not path.exists():
            raise CommandError(f"There is no {path}.")
        changes = list(self._changes(path))
        for file, before, after in changes:
            if diff:
                self._show(file, before, after)
            else:
                _replace(file, after)
        self.stderr.write(f"{len(changes)} files {'would be ' if diff else ''}changed.")

    def _changes(self, path: Path) -> Iterator[tuple[Path, str, str]]:
        """Yield each file that changes, as it is and as it is to be; say of each that cannot be rewritten why."""
        from libcst import ParserSyntaxError

        from tasks.interop.migrate_executor import Migrated, migrate

        for file in _python_files(path):
            # A folder of somebody's code holds anything: what goes wrong with one file is told of that file.
            try:
                # As it is on disk: line ends included.
                before = file.read_bytes().decode()
                migrated = migrate(before)
            except ParserSyntaxError as error:
                migrated = Migrated(warnings=[f"line {error.raw_line}: left out, it is not valid Python"])
            except UnicodeDecodeError as error:
                migrated = Migrated(warnings=[f"left out, it is not UTF-8 (byte {error.start})"])
            except Exception as error:
                migrated = Migrated(warnings=[f"left out, it cannot be rewritten: {type(error).__name__}: {error}"])
            for warning in migrated.warnings:
                self.stderr.write(f"{file}: {warning}")
            if migrated.code is not None:
                yield file, before, migrated.code

    def _show(self, file: Path, before: str, after: str) -> None:
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), str(file), str(file)
        )
        for line in lines:
            self.stdout.write(line, ending="" if line.endswith("\n") else "\n\\ No newline at end of file\n")


def _replace(file: Path, text: str) -> None:
    """Write a file as a whole or not at all, with the rights that it has."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(text.encode())
        shutil.copymode(file, part)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _python_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*.py")):
        if not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file
