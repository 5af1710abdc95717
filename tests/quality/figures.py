"""The figures of `make quality`: shares, error rates, counts, costs; as JSON; and which have become worse."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

FORMAT = 1


class Part(NamedTuple):
    """A part of the table. `margin` is how much worse a figure may be than the committed one without failing.

    Args:
        is_error: of its figures less is better.
    """

    title: str
    margin: float
    is_error: bool = False


PARTS = {
    "ocr": Part("Characters read right, of a page", 0.01),
    "tables": Part("Tables: F1 of cells in their places", 0.02),
    "questions": Part("Questions over documents", 0.07),
    "off the point": Part("Questions over documents: answered with something else", 0.05, is_error=True),
    "speech": Part("Words (in Chinese characters) heard wrongly", 0.03, is_error=True),
    "crosscheck": Part("Cross-check: planted differences found", 0.0),
    "false": Part("Cross-check: differences that are none", 0.0, is_error=True),
    # Machines differ, and how their processes are counted: shown, and only a doubling fails.
    "memory": Part("Most memory, MB", 0.0, is_error=True),
    "seconds": Part("Processor time, seconds", 0.0, is_error=True),
}
COSTS = {"memory", "seconds"}


@dataclass(frozen=True)
class Figure:
    """One figure: of which part and case, by which engine or on which set; None where the engine rightly refuses."""

    part: str
    case: str
    by: str
    value: float | None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.part, self.case, self.by


def write(figures: Iterable[Figure], path: Path, machine: dict[str, str]) -> None:
    rows = [asdict(figure) | {"value": _rounded(figure.value)} for figure in figures]
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    path.write_text(f'{{\n "format": {FORMAT},\n "machine": {json.dumps(machine)},\n "figures": [\n{lines}\n ]\n}}\n')


def read(path: Path) -> list[Figure]:
    """Read what `write` wrote.

    Raises:
        ValueError: the file is none of `make quality`, or of another format.
    """
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT:
            raise ValueError(f"{path} has format {content['format']}, not {FORMAT}")
        return [Figure(**row) for row in content["figures"] if row["part"] in PARTS]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not what make quality has written: {error!r}") from error


def regressions(seen: Iterable[Figure], committed: Iterable[Figure]) -> list[str]:
    """Return a sentence for each figure that is worse than the committed one by more than its part's margin.

    What was not measured now is passed over; what is measured for the first time cannot be worse.

    >>> regressions([Figure("ocr", "English", "auto", 0.95)], [Figure("ocr", "English", "auto", 0.99)])
    ['Characters read right, of a page: English, auto: 0.950, was 0.990']
    >>> regressions([Figure("speech", "de", "held", 0.21)], [Figure("speech", "de", "held", 0.2)])
    []
    """
    before = {figure.key: figure.value for figure in committed}
    worse = []
    for figure in seen:
        if figure.key in before and _is_worse(figure, before[figure.key]):
            was = before[figure.key]
            worse.append(
                f"{PARTS[figure.part].title}: {figure.case}, {figure.by}: {shown(figure.value)}, was {shown(was)}"
            )
    return worse


def _is_worse(figure: Figure, before: float | None) -> bool:
    if figure.value is None or before is None:
        return figure.value != before
    part = PARTS[figure.part]
    if figure.part in COSTS:
        return figure.part == "memory" and figure.value > 2 * before + 100
    lost = figure.value - before if part.is_error else before - figure.value
    return lost > part.margin + 1e-9


def shown(value: float | None) -> str:
    """Return a figure as the table has it.

    >>> shown(None), shown(0.98765), shown(412.3)
    ('refused', '0.988', '412')
    """
    if value is None:
        return "refused"
    return f"{value:.0f}" if value >= 20 else f"{value:.3f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
