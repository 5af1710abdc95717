"""What import-linter cannot see: templates, scripts and addresses by which `tasks` would use the portal.

Below the portal stand `tasks` and `accounts`, the templates in ``ui``, ``admin`` and ``api``, and the static files of
`tasks`. They load tags, extend and include templates, reverse addresses and link static files; none of these may be the
portal's. ``python -m portal.launch.rooms`` names each that is, and fails.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

PROJECT = Path(__file__).resolve().parents[2]
# The templates of each room, and the templates they may extend and include. Those of other packages are free.
ROOMS = {"ui": {"ui"}, "admin": {"admin", "ui"}, "api": {"api", "ui"}}
OURS = "portal."

LOAD = re.compile(r"{%-?\s*load\s+([^%]+?)\s*%}")
OTHER = re.compile(r"""{%-?\s*(?:include|extends)\s+["']([^"']+)["']""")
URL = re.compile(r"""{%-?\s*url\s+["']([^"']+)["']""")
STATIC = re.compile(r"""{%-?\s*static\s+["']([^"']+)["']""")
REVERSING = {"reverse", "reverse_lazy", "redirect", "resolve_url"}


class Portal(NamedTuple):
    """What is the portal's: its tag libraries, its templates, the names of its addresses, its static files."""

    tags: frozenset[str]
    templates: frozenset[str]
    addresses: frozenset[str]
    statics: frozenset[str]


def read_portal(project: Path = PROJECT) -> Portal:
    """Return what the portal defines, as Django knows it; Django must be set up."""
    from django.template import Engine
    from django.urls import get_resolver

    libraries = Engine.get_default().libraries
    templates = _files(project / "templates")
    return Portal(
        tags=frozenset(name for name, module in libraries.items() if module.startswith(OURS)),
        templates=frozenset(name for name in templates if name.partition("/")[0] not in ROOMS),
        addresses=frozenset(_addresses(get_resolver(), "")),
        statics=frozenset(_files(project / "portal/static")),
    )


def faults_of_template(name: str, text: str, portal: Portal) -> Iterator[str]:
    """Yield what a template of a lower room takes from the portal, or from a room beside it."""
    room = name.partition("/")[0]
    loaded = (word for load in LOAD.findall(text) for word in load.split())
    yield from (f"loads the tags {word}" for word in loaded if word in portal.tags)
    for other in OTHER.findall(text):
        beside = ROOMS.keys() - ROOMS[room]
        if other in portal.templates or other.partition("/")[0] in beside:
            yield f"includes or extends {other}"
    yield from (f"reverses {address}" for address in URL.findall(text) if address in portal.addresses)
    yield from (f"links {static}" for static in STATIC.findall(text) if static in portal.statics)


def faults_of_module(text: str, portal: Portal) -> Iterator[str]:
    """Yield the portal's templates that Python names, and the portal's addresses that it reverses."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and node.value in portal.templates:
            yield f"names the template {node.value} in line {node.lineno}"
        if isinstance(node, ast.Call) and node.args and _name_of(node.func) in REVERSING:
            first = node.args[0]
            if isinstance(first, ast.Constant) and first.value in portal.addresses:
                yield f"reverses {first.value} in line {node.lineno}"


def faults_of_static(text: str, portal: Portal) -> Iterator[str]:
    """Yield the portal's files that a script or a sheet of a lower room names."""
    return (f"names {static}" for static in portal.statics if static in text)


def faults(project: Path, portal: Portal) -> Iterator[str]:
    for room in ROOMS:
        for path in sorted((project / "templates" / room).rglob("*.html")):
            name = path.relative_to(project / "templates").as_posix()
            yield from _said(path, project, faults_of_template(name, path.read_text(), portal))
    for folder in ("tasks", "accounts"):
        for path in sorted((project / folder).rglob("*.py")):
            yield from _said(path, project, faults_of_module(path.read_text(), portal))
    for path in sorted((project / "tasks").rglob("static/**/*.*")):
        if path.suffix in (".js", ".css"):
            yield from _said(path, project, faults_of_static(path.read_text(), portal))


def main() -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    found = list(faults(PROJECT, read_portal()))
    sys.stdout.write("".join(f"{fault}\n" for fault in found))
    return 1 if found else 0


def _said(path: Path, project: Path, found: Iterator[str]) -> Iterator[str]:
    return (f"{path.relative_to(project)} {fault}, which is the portal's" for fault in found)


def _files(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def _addresses(resolver: URLResolver, prefix: str) -> Iterator[str]:
    from django.urls import URLResolver

    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            namespace = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from _addresses(entry, namespace)
        elif entry.name and _is_ours(entry):
            yield f"{prefix}{entry.name}"


def _is_ours(entry: URLPattern) -> bool:
    return getattr(entry.callback, "__module__", "").startswith(OURS)


def _name_of(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


if __name__ == "__main__":
    sys.exit(main())
