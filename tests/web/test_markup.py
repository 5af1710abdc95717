"""Templates keep the strict content security policy and name things for everyone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATES = list((PROJECT / "templates").rglob("*.html"))
SCRIPTS = [*PROJECT.glob("portal/static/portal/js/*.js"), *PROJECT.glob("tasks/ui/static/ui/js/*.js")]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_template_has_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<style", text)
    assert not re.search(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))", text)
    assert not re.search(r"\s(on[a-z]+|hx-on[:a-z-]*)\s*=", text)
    assert "|safe" not in text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_makes_no_html_from_strings(path: Path) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|new Function", path.read_text())


def test_vendored_code_comes_with_its_licence() -> None:
    vendor = PROJECT / "tasks/ui/static/ui/vendor"
    code = {path.name for path in vendor.iterdir() if path.suffix in {".js", ".css"}}
    assert code == {
        "htmx-2.0.11.min.js", "idiomorph-0.7.4.min.js", "uplot-1.6.32.iife.min.js", "uplot-1.6.32.min.css",
    }  # fmt: skip
    assert all((vendor / f"{name.split('-')[0]}-LICENSE.txt").exists() for name in code)
    assert (PROJECT / "tasks/ui/icons/LICENSE.txt").exists()
