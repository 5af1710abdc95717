"""The client has all of the API, an exception for every problem, and nothing of the project."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

import pytest
import yaml

from tasks import client
from tasks.api.problems import all_kinds
from tasks.client import AsyncClient, Client, errors

PACKAGE = Path(client.__file__).parent
PROJECT = PACKAGE.parents[1]
SOURCES = sorted(PACKAGE.rglob("*.py"))
ASKED = re.compile(r'"(GET|POST|PATCH|DELETE)",\s*f?"(/api/v1/[^"]*)"')
SAVED = re.compile(r'save\(self\._sender,\s*f"(/api/v1/[^"]*)"')
LISTED = re.compile(r'pages\(\s*f?"(/api/v1/[^"]*)"')


def test_client_has_an_exception_for_every_problem() -> None:
    assert set(errors.PortalError.kinds) == set(all_kinds())


def test_client_asks_for_everything_that_there_is() -> None:
    source = "\n".join(path.read_text() for path in SOURCES)
    asked = set(ASKED.findall(source)) | {("GET", path) for path in LISTED.findall(source) + SAVED.findall(source)}
    # Streams are at the address of a list, or at one that is chosen.
    asked |= {("GET", path) for path in re.findall(r'f?"(/api/v1/[^"]*events)"', source)}
    paths = yaml.safe_load((PROJECT / "docs" / "openapi.yaml").read_text())["paths"]
    offered = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if path.startswith("/api/v1/") and operation["tags"] != ["compatibility"]
    }
    assert asked == offered


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_client_imports_nothing_of_the_project(path: Path) -> None:
    allowed = {"httpx", "rich", *sys.stdlib_module_names}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {name.name.partition(".")[0] for name in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            depth = len(path.relative_to(PACKAGE).parts)
            # Relative, and not beyond the package itself.
            assert 0 < node.level <= depth or (node.level == 0 and str(node.module).partition(".")[0] in allowed)


def test_both_clients_have_the_same_methods() -> None:
    public = [name for name in dir(Client) if not name.startswith("_")]
    assert public == [name for name in dir(AsyncClient) if not name.startswith("_")]
    for name in set(public) - {"close", "verify_webhook"}:
        blocking, awaited = getattr(Client, name), getattr(AsyncClient, name)
        assert inspect.signature(blocking) == inspect.signature(awaited)
        assert blocking.__doc__ == awaited.__doc__
        assert not inspect.iscoroutinefunction(blocking)
        assert inspect.iscoroutinefunction(awaited) or inspect.isasyncgenfunction(awaited)


def test_license_of_the_package_is_that_of_the_portal() -> None:
    assert (PACKAGE / "LICENSE").read_bytes() == (PROJECT / "LICENSE").read_bytes()
