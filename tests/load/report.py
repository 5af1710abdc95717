"""The report of a load test: a table in Markdown, and a plot in SVG that can be read on light and on dark pages."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

LINE, LEFT, RIGHT, FOOT = 22, 220, 70, 34
WIDTH = 760
BASELINE = "in the request"
STEPS = ("submit", "poll", "asked → answered")
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .stage { font-weight: 600 }
.small { font-size: 11px; fill: #59636e } .grid { stroke: #d1d9e0 } circle { fill: #0969da }
.span { stroke: #0969da; stroke-width: 6; stroke-linecap: round; opacity: .35 }
.baseline .span { stroke: #bc4c00 } .baseline circle { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #3d444d }
.span { stroke: #58a6ff } circle { fill: #58a6ff }
.baseline .span { stroke: #f0883e } .baseline circle { fill: #f0883e } }
"""


@dataclass(frozen=True)
class Figure:
    """What became of one kind of request in one stage. `a_second` is over the whole stage, until its last answer."""

    stage: str
    kind: str
    requests: int
    errors: int
    p50: float
    p95: float
    a_second: float


def read_figures(path: Path, durations: dict[str, float]) -> list[Figure]:
    """Read Locust's table; `durations` has the seconds of each stage."""
    with path.open() as rows:
        figures = [_figure(row, durations) for row in csv.DictReader(rows) if row["Name"] != "Aggregated"]
    # What is asked in the request is answered in it: one line for both.
    return sorted((figure for figure in figures if figure.kind != f"{BASELINE}: POST"), key=_place)


def _figure(row: dict[str, str], durations: dict[str, float]) -> Figure:
    """Read a line named like `100 users, API: poll`."""
    whole, _, kind = row["Name"].rpartition(": ")
    seconds = next(seconds for name, seconds in durations.items() if whole in name)
    stage, _, way = whole.strip().partition(", ")
    requests = int(row["Request Count"])
    errors, p50, p95 = int(row["Failure Count"]), float(row["50%"]), float(row["95%"])
    name = BASELINE if (way, kind) == (BASELINE, STEPS[-1]) else f"{way}: {kind}"
    return Figure(stage, name, requests, errors, p50, p95, requests / seconds)


def _place(figure: Figure) -> tuple[int, bool, str, int]:
    way, _, step = figure.kind.partition(": ")
    return int(figure.stage.split()[0]), way == BASELINE, way, STEPS.index(step) if step in STEPS else 0


def table(figures: Sequence[Figure]) -> str:
    lines = ["| | requests | errors | p50 | p95 | a second |", "|---|---|---|---|---|---|"]
    for stage, rows in groupby(figures, key=lambda figure: figure.stage):
        lines.append(f"| **{stage}** | | | | | |")
        lines += [
            f"| {row.kind} | {row.requests:,} | {row.errors} "
            f"| {_time(row.p50)} | {_time(row.p95)} | {row.a_second:.1f} |"
            for row in rows
        ]
    return "\n".join(lines) + "\n"


def plot(figures: Sequence[Figure]) -> str:
    """Return a dot at the median and a bar up to the 95th percentile for each kind, on a logarithmic axis."""
    lowest = 10 ** math.floor(math.log10(max(1, min(figure.p50 for figure in figures))))
    highest = 10 ** math.ceil(math.log10(max(figure.p95 for figure in figures) + 1))

    def x(milliseconds: float) -> float:
        share = math.log(max(milliseconds, lowest) / lowest) / math.log(highest / lowest)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    marks: list[str] = []
    y = 0
    for stage, rows in groupby(figures, key=lambda figure: figure.stage):
        y += LINE
        marks.append(f'<text class="stage" x="8" y="{y}">{escape(stage)}</text>')
        for row in rows:
            y += LINE
            marks.append(_mark(row, x(row.p50), x(row.p95), y))
    bottom = y + 10
    ticks = [10**power for power in range(round(math.log10(lowest)), round(math.log10(highest)) + 1)]
    grid = "".join(
        f'<line class="grid" x1="{x(tick)}" x2="{x(tick)}" y1="8" y2="{bottom}"/>'
        f'<text class="small" x="{x(tick)}" y="{bottom + 16}" text-anchor="middle">'
        f"{_time(tick).replace('.0', '')}</text>"
        for tick in ticks
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + FOOT}" role="img">\n'
        f"<title>How long requests took: the dot is the median, the bar ends at the 95th percentile</title>\n"
        f"<style>{STYLE}</style>\n{grid}\n" + "\n".join(marks) + "\n</svg>\n"
    )


def _mark(row: Figure, middle: float, end: float, y: int) -> str:
    side = "baseline" if row.kind == BASELINE else "portal"
    return (
        f'<g class="{side}"><text x="20" y="{y}">{escape(row.kind)}</text>'
        f'<line class="span" x1="{middle}" x2="{end}" y1="{y - 4}" y2="{y - 4}"/>'
        f'<circle cx="{middle}" cy="{y - 4}" r="5"/>'
        f'<text class="small" x="{end + 9}" y="{y}">{_time(row.p95)}</text></g>'
    )


def _time(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
