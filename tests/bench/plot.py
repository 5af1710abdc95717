"""The plot of a bench in SVG, to be read on light and on dark pages: rates above, milliseconds below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from tests.bench.figures import KINDS, Figures, Unit

LINE, LEFT, RIGHT, TOP = 20, 400, 90, 40
WIDTH = 860
PANELS: dict[Unit, str] = {"/s": "a second: right is better", "ms": "milliseconds: left is better"}
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 } .stage { font-weight: 600 }
.small { font-size: 11px; fill: #59636e } .grid { stroke: #d1d9e0 }
line.span { stroke: #0969da; stroke-width: 5; stroke-linecap: round; opacity: .35 } circle { fill: #0969da }
.held line.span { stroke: #bc4c00 } .held circle { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #3d444d }
line.span { stroke: #58a6ff } circle { fill: #58a6ff }
.held line.span { stroke: #f0883e } .held circle { fill: #f0883e } }
"""


class Row(NamedTuple):
    title: str
    # By what is held: lowest, median, highest.
    marks: dict[int, tuple[float, float, float]]


def plot(seen: Figures) -> str:
    """Return a dot at each median on a logarithmic axis, over a bar from the lowest round to the highest."""
    y, parts = 10, []
    for unit, heading in PANELS.items():
        if rows := _rows(seen, unit):
            drawn, y = _panel(heading, rows, y)
            parts.append(drawn)
    legend = "the dot is the median, the bar the range of the rounds; blue: nothing held, orange: a million held"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 30}" role="img">\n'
        f"<title>Figures of a bench: {legend}</title>\n<style>{STYLE}</style>\n" + "\n".join(parts) + "\n"
        f'<text class="small" x="8" y="{y + 16}">{escape(legend)}</text>\n</svg>\n'
    )


def _rows(seen: Figures, unit: Unit) -> list[Row]:
    rows = []
    for queue in seen.queues():
        for name in seen.names(queue):
            if KINDS[name].unit != unit:
                continue
            title = KINDS[name].title.replace("`", "")
            marks = {}
            for held in seen.held():
                values, median = seen.values(name, held, queue), seen.median(name, held, queue)
                # A cost below zero (a wait less a commit) has no place on the axis.
                if median is not None and min(values) > 0:
                    marks[held] = (min(values), median, max(values))
            if marks:
                rows.append(Row(title if queue == "portal" else f"{queue}: {title}", marks))
    return rows


def _panel(heading: str, rows: Sequence[Row], top: int) -> tuple[str, int]:
    every = [value for row in rows for mark in row.marks.values() for value in mark]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)) + 1e-9)
    high = max(high, low + 1)

    def x(value: float) -> float:
        return round(LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    y = top + LINE
    bottom = y + LINE * len(rows) + 8
    drawn = [f'<text class="stage" x="8" y="{y}">{escape(heading)}</text>']
    for power in range(low, high + 1):
        at = x(10**power)
        drawn.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{y + 6}" y2="{bottom}"/>')
        drawn.append(f'<text class="small" x="{at}" y="{bottom + 14}" text-anchor="middle">{10**power:,g}</text>')
    for row in rows:
        y += LINE
        drawn.append(f'<text x="16" y="{y}">{escape(row.title)}</text>')
        drawn += [_mark(held, [x(value) for value in mark], y) for held, mark in row.marks.items()]
    return "\n".join(drawn), bottom + TOP


def _mark(held: int, places: Sequence[float], y: int) -> str:
    lowest, median, highest = places
    return (
        f'<g class="{"held" if held else "empty"}">'
        f'<line class="span" x1="{lowest}" x2="{highest}" y1="{y - 4}" y2="{y - 4}"/>'
        f'<circle cx="{median}" cy="{y - 4}" r="4"/></g>'
    )
