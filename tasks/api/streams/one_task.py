"""The stream of one task: `task` when it opens and at each change of status, what the task says, `done`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tasks.api.streams.reads import EVENTS_AT_ONCE, Shown, encode, in_thread, read_events, read_shown
from tasks.api.streams.wake import Woken
from tasks.api.streams.wire import Wire

# These change with every word that a task says, and have events of their own.
CHANGES_OF_EVENTS = ("version", "progress")


class OneTask:
    """Tells of one task. `after` is the number of the last event that the client has."""

    def __init__(self, wire: Wire, *, task_id: UUID, owner_id: int, after: int) -> None:
        self._wire = wire
        self._task_id = task_id
        self._owner_id = owner_id
        self._after = after
        self._told: dict[str, Any] | None = None

    async def tell(self, woken: Woken, *, look: bool) -> bool:
        statuses = set().union(*woken.told.values())
        shown = None
        if look or self._told is None or statuses - {self._told["status"]}:
            # Read before the events: so all that it said before its end is told before its end.
            shown = await in_thread(read_shown, self._task_id, self._owner_id)
            if shown is None:
                return False
            if not shown.done:
                await self._tell_task(shown)
        await self._tell_events()
        if shown is None or not shown.done:
            return True
        await self._wire.event("done", encode(shown.object), id=f"{self._after}-v{shown.version}")
        return False

    async def _tell_task(self, shown: Shown) -> None:
        lasting = {name: value for name, value in shown.object.items() if name not in CHANGES_OF_EVENTS}
        if lasting != self._told:
            await self._wire.event("task", encode(shown.object))
            self._told = lasting

    async def _tell_events(self) -> None:
        while True:
            found = await in_thread(read_events, [self._task_id], self._after)
            for said in found:
                await self._wire.event(said.kind, said.shown, id=str(said.id))
                self._after = said.id
            if len(found) < EVENTS_AT_ONCE:
                return
