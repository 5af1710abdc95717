"""The portal as a wheel: it holds all that runs, and runs where there is no checkout."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.web.live import environment_of_test

PROJECT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())

USE = """if True:
    import os, django, portal, tasks.sql
    django.setup()
    from django.conf import settings
    from django.test import Client
    page = Client().get("/account/login/", headers={"accept-language": "zh-Hans", "host": "127.0.0.1"})
    print(page.status_code, "登录" in page.content.decode(), len(tasks.sql.statement("lifecycle/claim")) > 1000)
    print(portal.__file__, settings.STATIC_ROOT, sep="\\n")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-q", "-w", str(folder), "."]
    subprocess.run(build, cwd=PROJECT, check=True)
    [path] = folder.glob("*.whl")
    return path


def what_runs() -> Iterator[str]:
    """Yield the names that the files of the packages, and the templates, have in the wheel."""
    for package in ("portal", "tasks", "accounts"):
        for path in (PROJECT / package).rglob("*"):
            name = path.relative_to(PROJECT).as_posix()
            is_ours = "__pycache__" not in path.parts and not name.startswith("portal/launch/")
            if path.is_file() and is_ours and name != "portal/management/commands/demo.py":
                yield name
    for path in (PROJECT / "templates").rglob("*.*"):
        yield f"portal/templates/{path.relative_to(PROJECT / 'templates').as_posix()}"


def test_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == set(what_runs())


@pytest.mark.django_db(transaction=True)
def test_installed_portal_runs_without_a_checkout(wheel: Path, tmp_path: Path) -> None:
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(installed)
    environment = environment_of_test(media=tmp_path / "media") | {
        "PYTHONPATH": str(installed),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }

    def run(*words: str) -> str:
        return subprocess.run(
            [sys.executable, *words], env=environment, cwd=elsewhere, check=True, capture_output=True, text=True
        ).stdout

    page, where, static = run("-c", USE).splitlines()
    assert page == "200 True True"
    assert where == str(installed / "portal" / "__init__.py")
    # What it makes is not among installed packages.
    assert static == str(elsewhere / "staticfiles")
    assert "collectstatic" in run("-m", "portal", "help")


def test_wheel_wants_what_the_requirements_say() -> None:
    project = PYPROJECT["project"]
    assert wanted(project["dependencies"]) == listed("base")
    for name, requirements in project["optional-dependencies"].items():
        assert wanted(requirements) == listed(name)


def wanted(requirements: list[str]) -> set[str]:
    return {str(Requirement(text)) for text in requirements}


def listed(name: str) -> set[str]:
    lines = (PROJECT / "requirements" / f"{name}.in").read_text().splitlines()
    return wanted([line for line in lines if line.strip() and not line.startswith(("#", "-"))])
