"""Sheets and scripts joined into one file each, so that a page's first visit takes few requests; no build step.

A finder of static files: `collectstatic`, and servers that find files by themselves, meet the bundles as files.
"""

from __future__ import annotations

import atexit
import os
import posixpath
import re
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.storage import FileSystemStorage

# The forms of JavaScript's imports and exports that our modules use; another is told when a bundle is made.
IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "(\.[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
ANY = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class BundleFinder(finders.BaseFinder):
    """Finds what `settings.STATIC_BUNDLES` names: sheets in their order, or a module with all that it imports."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path not in settings.STATIC_BUNDLES:
            return []
        place = self._write(path)
        return [place] if find_all or kwargs.get("all") else place

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        storage = FileSystemStorage(location=_folder())
        for path in settings.STATIC_BUNDLES:
            self._write(path)
            yield path, storage

    def check(self, **kwargs: Any) -> Any:
        return []

    def _write(self, path: str) -> str:
        sources = settings.STATIC_BUNDLES[path]
        written = join_modules(sources[0]) if path.endswith(".js") else "\n".join(map(_read, sources))
        place = Path(_folder(), path)
        if not place.exists() or place.read_text("utf-8") != written:
            place.parent.mkdir(parents=True, exist_ok=True)
            partial = place.with_suffix(".part")
            partial.write_text(written, "utf-8")
            partial.replace(place)
        return str(place)


@cache
def _folder() -> str:
    folder, mine = tempfile.mkdtemp(prefix="portal-static-"), os.getpid()
    # A process that was forked from this one leaves it.
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == mine else None)
    return folder


def join_modules(entry: str) -> str:
    """Return a module and all that it imports as one script: each in a function of its own, in the order they need.

    Raises:
        ValueError: a module imports or exports in another way than ours do.
    """
    done: dict[str, str] = {}
    _add_module(entry, done)
    return "\n".join(done.values())


def _add_module(path: str, done: dict[str, str]) -> None:
    text = _read(path)
    folder = posixpath.dirname(path)
    taken = []
    for names, source in IMPORT.findall(text):
        needed = posixpath.normpath(posixpath.join(folder, source))
        if needed not in done:
            _add_module(needed, done)
        taken.append(f"const {{ {names} }} = {_name(needed)};")
    exported = EXPORT.findall(text)
    body = EXPORT.sub("", IMPORT.sub("", text))
    if other := ANY.search(body):
        raise ValueError(f"{path} cannot be joined with others: {other.group()}")
    lines = [*taken, body.rstrip(), f"return {{ {', '.join(exported)} }};"]
    done[path] = f"// {path}\nconst {_name(path)} = (() => {{\n" + "\n".join(lines) + "\n})();"


def _name(path: str) -> str:
    return "module_" + re.sub(r"\W", "_", path)


def _read(path: str) -> str:
    found = finders.find(path)
    if not isinstance(found, str):
        raise ValueError(f"There is no static file {path}.")
    return Path(found).read_text("utf-8")
