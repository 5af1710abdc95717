"""Shows at the first `make run` that everything works: a real sample of each ready task type, with its true result."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import django

from tasks import registry
from tasks.samples import SampleError, Samples, Task
from tasks.ui.words import engine_text

LONGEST_SECONDS = 300.0
TEXT_LINES = 8
TABLE_ROWS = 8
WIDTH = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m portal.launch.run.first_samples", description=__doc__)
    parser.add_argument("demo_file", type=Path, help="where the portal is, and alice's token")
    parser.add_argument("--stamp", type=Path, required=True, help="written when every sample is done")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    # Handlers know the models of backends.
    django.setup()
    demo = json.loads(options.demo_file.read_text())
    samples = Samples(demo["url"], demo["users"]["alice"]["token"])
    try:
        if _run(samples):
            options.stamp.touch()
    except SampleError as error:
        _say(f"{error}; they are tried again at the next start")
        return 1
    return 0


def _run(samples: Samples) -> bool:
    """Submit all, watch all; return whether all are done."""
    known = registry.all_types()
    submitted: list[Task] = []
    for name, ready, hint in samples.ready_types():
        if ready and name in known:
            submitted += samples.submit(known[name])
        else:
            _say(f"{name:<20} not ready here: {hint}")
    _say(f"{len(submitted)} tasks submitted, of each type that is ready:")
    ended = []
    for task in submitted:
        ended.append(samples.watch(task, _show_progress, LONGEST_SECONDS))
        for line in describe(ended[-1]):
            _say(line)
    return all(task["done"] for task in ended)


def _show_progress(task: Task) -> None:
    progress = task.get("progress") or {}
    if not task["done"]:
        share = f"{progress['fraction']:4.0%}" if progress.get("fraction") else "    "
        _say(f"{task['type']:<20} {task['status']:<10} {share} {progress.get('stage') or ''}".rstrip())


def describe(task: Task) -> Iterator[str]:
    """Yield the lines that show how a task ended: its result, or its error."""
    result = task.get("result") or {}
    engine = result.get("engine") or {}
    made_by = f"{_seconds(task)}  {engine_text(engine)}"
    yield f"{task['type']:<20} {task['status']:<10} {made_by}".rstrip()
    if task.get("error"):
        yield f"    {task['error']['message']}"
    if tables := result.get("tables"):
        yield from _table(tables[0]["rows"] if isinstance(tables[0], dict) else tables[0])
    if text := result.get("text"):
        yield from _block(text)
    if answer := result.get("answer"):
        yield from _block(f"answer: {answer}")
    for passage in (result.get("passages") or [])[:1]:
        yield f"    from: “{textwrap.shorten(passage['text'], WIDTH, placeholder=' …')}”{_source(passage)}"


def _seconds(task: Task) -> str:
    if not (task.get("started_at") and task.get("finished_at")):
        return ""
    took = datetime.fromisoformat(task["finished_at"]) - datetime.fromisoformat(task["started_at"])
    return f"{took.total_seconds():.1f} s"


def _block(text: str) -> Iterator[str]:
    lines = [piece for line in text.splitlines() if line.strip() for piece in textwrap.wrap(line, WIDTH)]
    yield from (f"    {line}" for line in lines[:TEXT_LINES])
    if len(lines) > TEXT_LINES:
        yield f"    … {len(lines) - TEXT_LINES} more lines"


def _table(rows: list[list[Any]]) -> Iterator[str]:
    cells = [[" ".join(str(cell or "").split()) for cell in row] for row in rows[:TABLE_ROWS]]
    widths = [max(len(row[column]) for row in cells if column < len(row)) for column in range(max(map(len, cells)))]
    for row in cells:
        yield "    │ " + " │ ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)) + " │"


def _source(passage: dict[str, Any]) -> str:
    name, page = passage.get("file_name") or passage.get("file"), passage.get("page")
    return f" ({name}{f', page {page}' if page else ''})" if name else ""


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
