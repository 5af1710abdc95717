"""Which files are looked at: the product's, as people wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PRODUCT = ("portal", "tasks", "accounts", "templates")
KINDS = {".py", ".js", ".css", ".sql", ".html"}
# Migrations are written by Django, and what is below vendor/ by others.
NOT_OURS = {"migrations", "vendor"}


def written_files(root: Path, folders: tuple[str, ...] = PRODUCT) -> Iterator[Path]:
    """Yield the files of these folders, relative to `root`, in order."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in KINDS and path.is_file() and not NOT_OURS.intersection(path.parts[len(root.parts) :]):
                yield path.relative_to(root)
