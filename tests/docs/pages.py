"""Reads the documentation: its pages, what is written as code, and the examples that must work."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").rglob("*.md")])

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The block after a tested one, when it has no language, is what the example prints.
TESTED = re.compile(r"<!-- tested -->\n```(\w+)\n(.*?)^```$(?:\n\n```\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def code_of(page: Path) -> list[str]:
    """Return the lines of code blocks and the spans between single backticks."""
    text = page.read_text()
    blocks = [line for _, block in FENCE.findall(text) for line in block.splitlines()]
    return blocks + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def examples(page: Path, language: str) -> tuple[str, list[str]]:
    """Return a page's tested examples of a language as one program, and the lines it must print, in order."""
    found = [(code, output) for kind, code, output in TESTED.findall(page.read_text()) if kind == language]
    return "\n".join(code for code, _ in found), [line for _, output in found for line in output.splitlines()]
