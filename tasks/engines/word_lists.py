"""Reads the word lists beside it: words without meaning of their own, words of like meaning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def read_list(name: str) -> Iterator[list[str]]:
    """Yield the lines of a list as words; lines that begin with # are remarks."""
    for line in (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split()
