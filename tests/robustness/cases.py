"""What a case of the corpus is: a file that is made, what was planted in it, and how it must end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

# Words that no reader makes up: one that is in a file is in the result, or a warning says why not.
MARKS = ("Kittiwake 7431", "Cormorant 2958", "Guillemot 6074", "Razorbill 8315")
FIRST, SECOND, THIRD, FOURTH = MARKS


@dataclass(frozen=True)
class Case:
    """A file by the name it is given, and what must become of it.

    Args:
        kind: the family of files that it belongs to; every run has some of each.
        make: returns the bytes, the same each time.
        planted: each is in the result, or a warning or error explains why not.
        told: a regular expression that a warning or the error must match; empty where none need be.
        may_be_quiet: the damage cannot be seen in such a file: a flipped letter in a text is a text.
        cost: about how many seconds of processor time it takes.
        options: further input of the task.
    """

    kind: str
    name: str
    make: Callable[[], bytes] = field(compare=False)
    planted: tuple[str, ...] = ()
    told: str = ""
    may_be_quiet: bool = False
    cost: float = 0.3
    type: str = "file.process"
    options: dict[str, Any] = field(default_factory=dict, compare=False)

    @cached_property
    def data(self) -> bytes:
        return self.make()


Maker = Callable[[Random], Iterator[Case]]


def whole(kind: str, name: str, data: bytes | Callable[[], bytes], *planted: str, **more: Any) -> Case:
    """Make a case; `data` is its bytes, or makes them when they are large."""
    return Case(kind, name, data if callable(data) else lambda: data, planted, **more)
