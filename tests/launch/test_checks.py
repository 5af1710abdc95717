"""The checks of the tree: each fails on a tree with one fault, and the tree without it passes in `make check`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.launch import quality
from portal.launch.checks import circles, copies, sizes

PROJECT = Path(__file__).resolve().parents[2]
# Where a file is added to, with what is added, and the import that the report must then name.
FORBIDDEN = {
    "portal above tasks above accounts": ("accounts/tokens.py", "accounts.tokens", "tasks.registry"),
    "what is behind make stays behind make": ("portal/health.py", "portal.health", "portal.launch.install"),
    "inside portal": ("portal/process_mark.py", "portal.process_mark", "portal.env"),
    "a page's view asks, what it shows does not know of it": ("portal/web/ids.py", "portal.web.ids", "portal.web.urls"),
    "inside tasks": ("tasks/sql/turns.py", "tasks.sql.turns", "tasks.lifecycle.claim"),
    "the core knows no web framework and no django-q2": ("tasks/files.py", "tasks.files", "rest_framework"),
    "django-q2 has one door": ("tasks/cluster/worker.py", "tasks.cluster.worker", "django_q"),
    "handlers never touch the ORM": ("tasks/handlers/caption.py", "tasks.handlers.caption", "django"),
    "the client is installed alone": ("tasks/client/errors.py", "tasks.client.errors", "pydantic"),
    "no circle between folders": ("tasks/api/bodies.py", "tasks.api.bodies", "tasks.api.views"),
}
LINES = "".join(f"value_{number} = {number}\n" for number in range(copies.BLOCK))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the product's Python files."""
    for part in circles.PACKAGES:
        shutil.copytree(
            PROJECT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "static", "icons")
        )
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def small(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file into a tree with nothing else in it but settings."""

    def write(path: str, text: str) -> Path:
        for name, content in {"portal/settings.py": "", path: text}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        return tmp_path

    return write


def _check(name: str, tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *quality.CHECKS[name]]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def _append(file: Path, text: str) -> None:
    with file.open("a") as opened:
        opened.write(f"\n\n{text}")


def test_each_contract_sees_an_import_in_a_function(tree: Path) -> None:
    for file, _, imported in FORBIDDEN.values():
        _append(tree / file, f"def late() -> None:\n    import {imported}\n")
    answer = _check("layers", tree)
    assert answer.returncode == 1
    told = [" ".join(line.split()) for line in answer.stdout.splitlines()]
    contracts = [line.partition(" BROKEN")[0] for line in told if " BROKEN" in line]
    assert contracts == list(FORBIDDEN), answer.stdout
    for name, (_, importer, imported) in FORBIDDEN.items():
        if name != "no circle between folders":
            assert any(line.startswith(f"- {importer} -> {imported} (l.") for line in told), name


def test_files_that_import_each_other_are_found(tree: Path) -> None:
    """Also where one of them is the package that the other is in, which no contract looks at."""
    _append(tree / "tasks/sql/__init__.py", "if TYPE_CHECKING:\n    import tasks.sql.turns\n")
    _append(tree / "tasks/sql/turns.py", "def late() -> None:\n    import tasks.sql\n")
    answer = _check("circles", tree)
    assert answer.returncode == 1
    named = answer.stderr.removeprefix("These files import each other: ").strip().split(" ← ")
    assert (len(named), set(named)) == (3, {"tasks.sql", "tasks.sql.turns"})


@pytest.mark.parametrize(
    ("path", "most"),
    [("tasks/long.py", 300), ("portal/static/a.css", 300), ("templates/a.html", 300), ("tests/test_long.py", 700)],
)
def test_files_that_are_too_long_are_found(small: Callable[[str, str], Path], path: str, most: int) -> None:
    assert sizes.long_files(small(path, "x\n" * most)) == []
    [sentence] = sizes.long_files(small(path, "x\n" * (most + 1)))
    assert sentence.startswith(f"{path} has {most + 1} lines, and {most} are the most")


def test_settings_migrations_and_what_others_wrote_may_be_long(small: Callable[[str, str], Path]) -> None:
    for path in ("portal/settings.py", "tasks/migrations/0001_initial.py", "portal/static/portal/vendor/big.js"):
        assert sizes.long_files(small(path, "x\n" * 1000)) == []


def test_blocks_that_stand_twice_are_found(small: Callable[[str, str], Path]) -> None:
    small("tasks/one.py", f"def one():\n{LINES}")
    indented = LINES.replace("value", "    value").replace("value_5", "value_5").replace("\n", "\n\n    # why\n")
    [sentence] = copies.copied_blocks(small("portal/two.py", f"import os\n{indented}"))
    assert sentence.startswith("12 lines or more stand twice, from portal/two.py:2 and tasks/one.py:2: ")


def test_shorter_blocks_and_those_of_the_client_may_stand_twice(small: Callable[[str, str], Path]) -> None:
    small("tasks/one.py", LINES)
    assert copies.copied_blocks(small("portal/two.py", LINES.partition("\n")[2])) == []
    assert copies.copied_blocks(small("tasks/client/two.py", LINES)) == []
    assert copies.copied_blocks(small("tasks/client/three.py", LINES)) != []
