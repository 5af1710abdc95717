"""A text that was found, and the texts of one catalogue together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


@dataclass
class Found:
    """Of a text: its plural where it has one, and the files that it stands in."""

    plural: str = ""
    files: set[str] = field(default_factory=set)


class Texts(dict[str, Found]):
    """The texts of a catalogue by msgid."""

    def add(self, text: str, file: str, plural: str = "") -> None:
        found = self.setdefault(text, Found())
        found.files.add(file)
        found.plural = found.plural or plural


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()
