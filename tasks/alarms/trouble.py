"""Something that needs a person, as it is found."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.models import AlarmKind


@dataclass(frozen=True)
class Trouble:
    """Something that needs a person, with the page where it can be mended.

    Args:
        about: what it is about, within its kind; while it lasts it stays the same, whatever the text says.
        path: of the page, without a host: nodes load no addresses.
        is_bad: work fails or stands still; else it is somebody's wish, or not urgent.
    """

    kind: AlarmKind
    about: str
    text: str
    path: str
    is_bad: bool = True
