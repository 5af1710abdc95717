"""The stream of everything: `task`, `progress`, `log`, `output` and `done` of all tasks of one user."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterator
from typing import NamedTuple
from uuid import UUID

from tasks.api.streams.reads import (
    EVENTS_AT_ONCE,
    Said,
    in_thread,
    read_changed,
    read_ended,
    read_events,
    read_position,
    read_shown,
)
from tasks.api.streams.wake import Woken
from tasks.api.streams.wire import Wire

TASKS_AT_ONCE = 50
# Of so many tasks the status told last is remembered; of others it may be told twice.
MOST_REMEMBERED = 5000
# Events are numbered before they are committed, in any order among tasks: a number is sure to be the last one
# only when so much time has passed. What is said takes milliseconds to commit.
SURE_AFTER_SECONDS = 10.0


class Position(NamedTuple):
    """An event's number and a time in milliseconds: everything up to them was told."""

    number: int
    milliseconds: int

    def __str__(self) -> str:
        return f"{self.number}-{self.milliseconds}"


class AllTasks:
    """Tells of all tasks of a user; after a `resumed` position, of what was missed first.

    The position that clients get lies some seconds back, so nothing is missed; who resumes may be told these
    seconds again, and knows it by the `id` in an event's data and by a task's `version`.
    """

    def __init__(self, wire: Wire, *, owner_id: int, resumed: Position | None) -> None:
        self._wire = wire
        self._owner_id = owner_id
        self._sure = resumed
        self._must_catch_up = resumed is not None
        self._reached: deque[tuple[float, Position]] = deque()
        self._said: dict[UUID, int] = {}
        self._status: dict[UUID, str] = {}

    @property
    def moves_unheard(self) -> bool:
        # The position from which a client may resume.
        return True

    async def tell(self, woken: Woken, *, look: bool) -> bool:
        began = time.monotonic()
        position = Position(*await in_thread(read_position))
        if self._sure is None:
            self._sure = position
        told = {UUID(task): statuses for task, statuses in woken.told.items()}
        if self._must_catch_up or woken.read_again:
            told = {task: set() for task in await self._missed(position)} | told
            self._must_catch_up = False
        for some in _slices(list(told)):
            # A task that only goes on is not read, just what it says.
            await self._tell_some(some, [task for task in some if told[task] != {self._status.get(task)}])
        await self._reach(began, position)
        return True

    async def _missed(self, position: Position) -> list[UUID]:
        """Return the tasks of which something may have been missed."""
        assert self._sure is not None, "it is set first"
        missed = await in_thread(read_changed, self._owner_id, self._sure.milliseconds)
        if missed is None:
            self._sure = position
            await self._wire.event("reset", '{"detail":"Too much was missed. List your tasks."}')
        return missed or []

    async def _tell_some(self, tasks: Collection[UUID], changed: Collection[UUID]) -> None:
        # Told before the events: so all that a task said before its end is told before its end.
        ended = set(await in_thread(read_ended, tuple(changed), self._owner_id)) if changed else set()
        for task in changed:
            if task not in ended and await self._tell_status(task, is_end=False):
                ended.add(task)
        await self._tell_events(tasks)
        for task in changed:
            if task in ended:
                await self._tell_status(task, is_end=True)

    async def _tell_status(self, task_id: UUID, *, is_end: bool) -> bool:
        """Read one task and tell its status; its end only when it is time for that. Return whether it has ended.

        One at a time, and forgotten when it is told: inputs and results may have megabytes.
        """
        shown = await in_thread(read_shown, task_id, self._owner_id)
        if shown is None or (shown.task.done and not is_end):
            return shown is not None
        status = shown.task.shown_status
        if self._status.pop(task_id, None) != status:
            await self._wire.event("done" if shown.task.done else "task", shown.json)
        self._status[task_id] = status
        if len(self._status) > MOST_REMEMBERED:
            del self._status[next(iter(self._status))]
        return shown.task.done

    async def _tell_events(self, tasks: Collection[UUID]) -> None:
        after = min(self._last_of(task) for task in tasks)
        while True:
            found = await in_thread(read_events, tuple(tasks), after)
            for said in found:
                await self._tell_event(said)
            if len(found) < EVENTS_AT_ONCE:
                return
            after = found[-1].id

    async def _tell_event(self, said: Said) -> None:
        if said.id > self._last_of(said.task_id):
            await self._wire.event(said.kind, f'{{"task":"{said.task_id}",{said.shown[1:].lstrip()}')
            self._said[said.task_id] = said.id

    def _last_of(self, task: UUID) -> int:
        assert self._sure is not None, "it is set first"
        return self._said.get(task, self._sure.number)

    async def _reach(self, began: float, position: Position) -> None:
        """Move the sure position on: to where reading had come some seconds before this time, which is over now."""
        self._reached.append((began, position))
        moved = False
        while self._reached[0][0] <= began - SURE_AFTER_SECONDS:
            self._sure = self._reached.popleft()[1]
            moved = True
        if moved:
            self._said = {task: number for task, number in self._said.items() if number > self._last_of_all()}
        if moved or len(self._reached) == 1:
            await self._wire.position(str(self._sure))

    def _last_of_all(self) -> int:
        assert self._sure is not None, "it is set first"
        return self._sure.number


def _slices(tasks: list[UUID]) -> Iterator[list[UUID]]:
    for first in range(0, len(tasks), TASKS_AT_ONCE):
        yield tasks[first : first + TASKS_AT_ONCE]
