"""The package by itself: built, installed where there is no checkout, and used on a live portal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from accounts.models import User
from tests.client.shell import Shell
from tests.cluster.conftest import PROJECT, RunningNode, environment, start_node
from tests.live_portal import live_portal

__all__ = ["environment", "start_node"]

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

ALONE = """\
import importlib.util
assert not [name for name in ("tasks", "django", "rich") if importlib.util.find_spec(name)]
"""
BLOCKING = (
    ALONE
    + """\
import os
from portal_client import Client
from portal_client.errors import UnknownTaskType

with Client(os.environ["PORTAL_URL"], os.environ["PORTAL_TOKEN"]) as portal:
    task = portal.submit("diagnostic.echo", {"message": "hello"})
    assert [event.name for event in portal.stream(task["id"])][-1] == "done"
    print(portal.wait(task["id"], timeout=60)["result"]["text"])
    try:
        portal.submit("nope", {})
    except UnknownTaskType as refused:
        print(refused.status)
"""
)
AWAITED = (
    ALONE
    + """\
import asyncio, os
from portal_client import AsyncClient

async def main():
    async with AsyncClient(os.environ["PORTAL_URL"], os.environ["PORTAL_TOKEN"]) as portal:
        made = await asyncio.gather(*(portal.submit("diagnostic.echo", {"message": word}) for word in ("one", "two")))
        done = await asyncio.gather(*(portal.wait(task["id"], timeout=60) for task in made))
        assert [event.name async for event in portal.stream(made[0]["id"])][-1] == "done"
        print(*(task["result"]["text"] for task in done))

asyncio.run(main())
"""
)


def test_package_works_where_there_is_no_checkout(
    start_node: Callable[..., RunningNode],
    environment: dict[str, str],
    tmp_path: Path,
    alice: User,
    token_of: Callable[..., str],
) -> None:
    programs = _install(_build(tmp_path), tmp_path / "venv") / "bin"
    (elsewhere := tmp_path / "elsewhere").mkdir()
    with live_portal(start_node=start_node, environment=environment, folder=tmp_path) as running:
        token = token_of(alice)

        def python(*words: str) -> Shell:
            return Shell(running.url, token, program=[str(programs / "python"), "-I", *words], folder=elsewhere)

        assert python("-c").ok(BLOCKING).out == "hello\n422\n"
        assert python("-c").ok(AWAITED).out == "one two\n"
        assert python("-m", "portal_client").ok("submit", "diagnostic.echo", "message=x", "--wait").out == "x\n"

        shell = Shell(running.url, token, program=[str(programs / "portal")], folder=elsewhere)
        (elsewhere / "notes.txt").write_text("some notes")
        file_id = shell.ok("upload", "notes.txt").out.strip()
        assert shell.ok("download", file_id).out == "some notes"
        assert shell("submit", "diagnostic.fail", "mode=raise", "--max-attempts", "1", "--wait").code == 1
        assert "usage: portal " in shell.ok("--help").out
        # Without rich there is no bar, and still something to see.
        code, screen = shell.on_terminal("submit", "diagnostic.sleep", "seconds:=1", "--wait")
        assert (code, "running" in screen) == (0, True)


def test_package_needs_httpx_alone() -> None:
    import tomllib

    project = tomllib.loads((PROJECT / "tasks" / "client" / "pyproject.toml").read_text())["project"]
    assert [Requirement(line).name for line in project["dependencies"]] == ["httpx"]


def _build(folder: Path) -> Path:
    _run("uv", "build", "--wheel", "--no-build-isolation", "--out-dir", str(folder / "dist"), "tasks/client")
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


def _install(wheel: Path, folder: Path) -> Path:
    """Make an environment with the wheel and with what httpx needs, as it is here; return its folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    for package in set(_needs_of("httpx")):
        for name in _modules_of(package):
            place = Path(distribution(package).locate_file(name))  # type: ignore[arg-type]
            for found in (place, place.with_suffix(".py")):
                if found.exists():
                    (site / found.name).symlink_to(found)
    _run("uv", "pip", "install", "--no-deps", "--no-index", "--python", str(folder / "bin" / "python"), str(wheel))
    return folder


def _run(program: str, *words: str) -> None:
    # Both offline: what builds is pinned in requirements/dev.txt, and what is needed is here.
    command = [str(Path(sys.executable).with_name(program)), *words, "--offline", "--no-cache"]
    surroundings = os.environ | {"VIRTUAL_ENV": sys.prefix}
    done = subprocess.run(command, cwd=PROJECT, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _needs_of(package: str) -> Iterator[str]:
    yield package
    for line in distribution(package).requires or []:
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            yield from _needs_of(need.name)


def _modules_of(package: str) -> list[str]:
    name = distribution(package).metadata["Name"]
    return [module for module, owners in packages_distributions().items() if name in owners]
