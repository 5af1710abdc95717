"""Watches a task to its end: a bar on the terminal, its text as it is written, or silence in a pipe."""

from __future__ import annotations

import sys
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING

from ..errors import PortalError
from ..portal import Client
from ..shapes import Task
from .output import CONTROL, note, status_line, write

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# The portal has no stream to spare, or something on the way lets none through: then polls do.
NO_STREAM = frozenset({406, 503})


def watch(client: Client, task_id: str, *, with_text: bool) -> tuple[Task, bool]:
    """Return the task when it is done, and whether its text was written already, piece by piece."""
    with Display(with_text=with_text and sys.stdout.isatty()) as display:
        try:
            _follow_stream(client, task_id, display)
        except PortalError as error:
            if error.status not in NO_STREAM:
                raise
        # The stream is over with its task, or there is none.
        for task in client.changes(task_id):
            display.show(task)
    return task, display.wrote_text


def _follow_stream(client: Client, task_id: str, display: Display) -> None:
    with closing(client.stream(task_id)) as events:
        for event in events:
            match event.name:
                case "task":
                    display.show(event.data)
                case "progress":
                    display.advance(event.data["data"].get("fraction"), event.data["data"].get("stage"))
                case "log":
                    display.log(event.data["data"]["text"])
                case "output":
                    display.add_text(event.data["data"]["text"], event.data["attempt"])


class Display:
    """What a person sees of a task; nothing where standard error is no terminal."""

    def __init__(self, *, with_text: bool) -> None:
        self.wrote_text = False
        self._with_text = with_text
        self._attempt: int | None = None
        self._is_shown = sys.stderr.isatty()
        self._said = ""
        self._bar: Progress | None = None
        self._line: TaskID | None = None

    def __enter__(self) -> Display:
        if self._is_shown and (bar := _new_bar()) is not None:
            self._bar = bar
            self._bar.start()
            self._line = self._bar.add_task("sent", total=1.0, stage="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end_bar()
        if self.wrote_text:
            write("")

    def show(self, task: Task) -> None:
        if self._bar is not None and self._line is not None:
            self._bar.update(self._line, description=CONTROL.sub(" ", status_line(task)))
        elif self._is_shown and not self.wrote_text and not task["done"] and status_line(task) != self._said:
            self._said = status_line(task)
            note(self._said)
        self.advance(task["progress"]["fraction"], task["progress"]["stage"])

    def advance(self, fraction: float | None, stage: str | None) -> None:
        if self._bar is not None and self._line is not None:
            self._bar.update(self._line, completed=fraction or 0.0, stage=CONTROL.sub(" ", stage or ""))

    def log(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(CONTROL.sub(" ", text), markup=False, highlight=False)

    def add_text(self, text: str, attempt: int | None) -> None:
        """Write a piece of text; the bar makes room for it."""
        if not self._with_text:
            return
        self._end_bar()
        if self.wrote_text and attempt != self._attempt:
            write("")
            note("(another attempt begins anew)")
        self._attempt, self.wrote_text = attempt, True
        write(text, end="")
        sys.stdout.flush()

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _new_bar() -> Progress | None:
    """Return a bar; none where rich is not installed, which the package by itself does not need."""
    # Only here: it is slow to import, and pipes and libraries have no use for it.
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    except ImportError:
        return None

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[stage]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
