"""The report of a bench: a table in Markdown, on the screen too, JSON to compare with later, and a plot in SVG."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from tests.bench import plot
from tests.bench.figures import KINDS, Figures

# Above this the figures say more of the neighbours than of the portal.
MOST_BUSY_PERCENT = 15.0
PARTS = {
    "limits": "What this machine can do",
    "submit": "Submitting, in process",
    "trips": "Round trips",
    "latency": "To an idle node",
    "drain": "Draining, two workers, no-op tasks",
    "memory": "Memory",
    "api": "The API, one kept connection",
}
PEER_COLUMNS = {
    "enqueue": "enqueue/s",
    "bulk": "bulk/s",
    "drain_one": "drain/s",
    "latency_p50": "called → runs, p50",
    "latency_p99": "p99",
    "idle_pss": "memory",
}


def say_machine(machine: Mapping[str, object]) -> None:
    """Say at once, before minutes are spent, that the machine is busy with something else."""
    busy = float(str(machine["busy_before_percent"]))
    if busy > MOST_BUSY_PERCENT:
        print(f"The processors were {busy:.0f} % busy with something else: compare ratios within this run only.")


def write(seen: Figures, earlier: Figures | None, folder: Path) -> None:
    """Write bench.json, bench.md and bench.svg into the folder, and show the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(seen, earlier)
    seen.write(folder / "bench.json")
    (folder / "bench.md").write_text(text)
    (folder / "bench.svg").write_text(plot.plot(seen))
    if sys.stdout.isatty():
        Console().print(Markdown(text))
    else:
        print(text)
    print(f"Table, figures and plot: {folder}/bench.md, bench.json, bench.svg")


def markdown(seen: Figures, earlier: Figures | None = None) -> str:
    """Return the tables: medians with the range of the rounds; as ratios to an earlier run, where one is given."""
    parts = [_conditions(seen), _own(seen, earlier)]
    if len(seen.queues()) > 1:
        parts.append(_peers(seen))
    return "\n".join(parts)


def _conditions(seen: Figures) -> str:
    machine = seen.machine
    return (
        f"{machine.get('at')}, commit {machine.get('commit')}: {machine.get('processors')} processors, Postgres "
        f"{machine.get('postgres')}, fsync {machine.get('fsync')}, shared_buffers {machine.get('shared_buffers')}, "
        f"Python {machine.get('python')}; {machine.get('busy_before_percent')} % busy with something else before.\n"
    )


def _own(seen: Figures, earlier: Figures | None) -> str:
    held = seen.held()
    columns = [_held(count) for count in held]
    if earlier:
        columns = [word for column in columns for word in (column, "× before")]
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for part, names in groupby(seen.names(), key=lambda name: KINDS[name].part):
        lines.append(f"| **{PARTS[part]}** |{' |' * len(columns)}")
        for name in names:
            cells = []
            for count in held:
                cells.append(cell(seen, name, count))
                if earlier:
                    cells.append(ratio(seen, earlier, name, count))
            lines.append(f"| {KINDS[name].title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _peers(seen: Figures) -> str:
    """Return the table of all queues: each row one of them."""
    columns = [(name, title, held) for held in seen.held() for name, title in PEER_COLUMNS.items()]
    columns = [
        (name, f"{title}{f', {held:,} held' if held else ''}", held)
        for name, title, held in columns
        if any(seen.values(name, held, queue) for queue in seen.queues())
    ]
    lines = [f"| | {' | '.join(title for _, title, _ in columns)} |", f"|---|{'---|' * len(columns)}"]
    for queue in seen.queues():
        cells = [cell(seen, name, held, queue) for name, _, held in columns]
        lines.append(f"| {queue} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(seen: Figures, name: str, held: int, queue: str = "portal") -> str:
    """Return a median and, where rounds differ, their range.

    >>> figures = Figures()
    >>> for value in (1000.0, 1200.0, 1100.0): figures.add("bulk", value, held=0)
    >>> cell(figures, "bulk", 0), cell(figures, "bulk", 5)
    ('1,100/s (1,000–1,200)', '—')
    """
    values, median = seen.values(name, held, queue), seen.median(name, held, queue)
    if median is None:
        return "—"
    unit = KINDS[name].unit
    shown = f"{number(median)}{unit if unit.startswith('/') else f' {unit}' if unit else ''}"
    lowest, highest = number(min(values)), number(max(values))
    return shown if lowest == highest else f"{shown} ({lowest}–{highest})"


def ratio(seen: Figures, earlier: Figures, name: str, held: int) -> str:
    """Return the median as a multiple of the earlier one; an arrow says which way is better."""
    now, before = seen.median(name, held), earlier.median(name, held)
    if now is None or not before:
        return "—"
    times = now / before
    if 0.95 < times < 1.05:
        return f"{times:.2f}"
    return f"{times:.2f} {'better' if (times > 1) == KINDS[name].more_is_better else 'worse'}"


def number(value: float) -> str:
    """Return three figures that matter.

    >>> number(12345.6), number(123.4), number(12.34), number(1.234)
    ('12,346', '123', '12.3', '1.23')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _held(count: int) -> str:
    return f"{count:,} held" if count else "nothing held"
