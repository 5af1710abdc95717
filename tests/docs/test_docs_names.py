"""What the documentation names is there: pages and pictures, files, make targets, commands, addresses, settings."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from tasks.api.urls import unknown
from tests.docs.pages import FENCE, PAGES, PROJECT, code_of, name_of

LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
FOLDERS = "accounts|deploy|docs|portal|requirements|tasks|templates|tests"
ADDRESS = re.compile(r"(?<![\w.])(?:\$URL)?(/(?:api|health|metrics|admin|account)(?:/[\w.{}-]+)*/?)")
RESOURCE = re.compile(r"\b(?:GET|POST|DELETE) (/[\w/{}-]+)")
# Read by django-q2, Django's createsuperuser, `smoke` and OpenTelemetry.
OTHER_SETTINGS = {
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "Q_CLUSTER_NAME",
    "DJANGO_SUPERUSER_PASSWORD",
    "PORTAL_TOKEN",
}
BEGINNINGS = {"/api", "/api/", "/api/v1", "/api/v1/", "/api/async/task/"}

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@every_page
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    targets = ["".join(found) for found in LINK.findall(FENCE.sub("", page.read_text()))]
    near = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in near if target and not (page.parent / target).exists()] == []


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    named = {code for code in code_of(page) if re.fullmatch(rf"(?:{FOLDERS})/[\w./-]*", code)}
    assert sorted(path for path in named if not (PROJECT / path).exists()) == []


@every_page
def test_make_targets_exist(page: Path) -> None:
    named = {target for code in code_of(page) for target in re.findall(r"^make ([a-z]+)", code)}
    there = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert named <= there


@every_page
def test_management_commands_exist(page: Path) -> None:
    named = {command for code in code_of(page) for command in re.findall(r"manage\.py ([a-z_]+)", code)}
    assert named <= set(get_commands())


@every_page
def test_addresses_exist(page: Path) -> None:
    named = {address for code in code_of(page) for address in ADDRESS.findall(code)}
    named |= {f"/api/v1{path}" for code in code_of(page) for path in RESOURCE.findall(code) if "/api" not in path}
    assert sorted(path for path in named - BEGINNINGS if not _there(path)) == []


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md", "docs/operating.md", "docs/api.md"])
def test_settings_exist(page: str) -> None:
    table = (PROJECT / "docs" / "settings.md").read_text()
    known = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)) | OTHER_SETTINGS
    found = (re.match(r"([A-Z]+_[A-Z_]+)(?:=|$)", code) for code in code_of(PROJECT / page))
    assert sorted({match[1] for match in found if match} - known) == []


def _there(path: str) -> bool:
    try:
        return resolve(re.sub(r"\{\w+\}", str(uuid4()), path)).func is not unknown
    except Resolver404:
        return False


def test_pictures_are_small_and_shown_and_each_can_be_taken_anew() -> None:
    pictures = {path.stem: path.stat().st_size for path in (PROJECT / "docs" / "images").iterdir()}
    shown = {name for page in PAGES for name in re.findall(r"images/([\w-]+)\.png", page.read_text())}
    source = (PROJECT / "tests" / "screenshots" / "__main__.py").read_text()
    taken = re.findall(r'_take\(page, f?"([\w{}-]+)"\)', source)
    assert (
        {name.replace("{scheme}", scheme) for name in taken for scheme in ("light", "dark")} == set(pictures) == shown
    )
    assert {name: size for name, size in pictures.items() if size > 150_000} == {}
