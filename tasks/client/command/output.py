"""Writes what was asked for to standard output, and everything else to standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..shapes import Task

# Documents and models write anything; a terminal would obey some of it.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def note(text: str) -> None:
    """Tell the person, not the program that reads the output."""
    sys.stdout.flush()
    print(CONTROL.sub("�", text), file=sys.stderr, flush=True)  # noqa: T201


def write(text: str, end: str = "\n") -> None:
    """Write to standard output: as it is into files and pipes, made harmless on a terminal."""
    safe = CONTROL.sub("�", text) if sys.stdout.isatty() else text
    sys.stdout.write(safe.encode("utf-8", "replace").decode() + end)


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def write_json(value: Any) -> None:
    write(json_text(value))


def write_json_line(value: Any) -> None:
    write(json.dumps(value, ensure_ascii=False))


def readable(result: Any) -> str:
    """Return the text of a result where it is one, else its JSON.

    >>> readable({"text": "Hello", "engine": {}}), readable({"answer": None})
    ('Hello', '{\\n  "answer": null\\n}')
    """
    if isinstance(result, Mapping):
        for name in ("text", "answer"):
            if isinstance(result.get(name), str):
                return str(result[name])
    return json_text(result)


def write_facts(facts: Mapping[str, Any]) -> None:
    """Write names and values, one a line, without those that are empty."""
    shown = {name: value for name, value in facts.items() if value not in (None, "", [], {})}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        write(f"{name:<{width}}  {value}")


def write_rows(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table: aligned and with titles on a terminal, else separated by tabs."""
    lines = [[CONTROL.sub(" ", str(cell)).replace("\t", " ").replace("\n", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in lines:
            write("\t".join(line))
        return
    widths = [max(map(len, column)) for column in zip(titles, *lines, strict=True)]
    for line in [list(titles), *lines]:
        write("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def status_line(task: Task) -> str:
    """Return how a task stands, in a few words.

    >>> status_line({"status": "failed", "error": {"code": "gave_up", "message": "No."}})
    'failed: No. (gave_up)'
    """
    if task["status"] == "queued" and task["queue"]["why"]:
        place = f", number {task['queue']['position']}" if task["queue"]["position"] else ""
        return f"queued{place}: {task['queue']['why'].replace('_', ' ')}"
    if task["error"] and task["status"] != "succeeded":
        return f"{task['status']}: {task['error']['message']} ({task['error']['code']})"
    return task["status"]
