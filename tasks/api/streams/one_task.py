"""The stream of one task: `task` when it opens and at each change of status, what the task says, `done`."""

from __future__ import annotations

from uuid import UUID

from tasks.api.streams.reads import EVENTS_AT_ONCE, Shown, in_thread, read_events, read_shown
from tasks.api.streams.wake import Woken
from tasks.api.streams.wire import Wire

QUEUED_AS = "queued"


class OneTask:
    """Tells of one task. `after` is the number of the last event that the client has."""

    def __init__(self, wire: Wire, *, task_id: UUID, owner_id: int, after: int) -> None:
        self._wire = wire
        self._task_id = task_id
        self._owner_id = owner_id
        self._after = after
        self._told_status: str | None = None
        self._told: int | None = None

    @property
    def moves_unheard(self) -> bool:
        # Its place in the queue.
        return self._told_status == QUEUED_AS

    async def tell(self, woken: Woken, *, look: bool) -> bool:
        statuses = set().union(*woken.told.values())
        shown = None
        if look or self._told is None or statuses - {self._told_status}:
            # Read before the events: so all that it said before its end is told before its end.
            shown = await in_thread(read_shown, self._task_id, self._owner_id)
            if shown is None:
                return False
            if not shown.task.done:
                await self._tell_task(shown)
        await self._tell_events()
        if shown is None or not shown.task.done:
            return True
        await self._wire.event("done", shown.json, id=f"{self._after}-v{shown.task.version}")
        return False

    async def _tell_task(self, shown: Shown) -> None:
        if shown.lasting != self._told:
            await self._wire.event("task", shown.json)
            self._told, self._told_status = shown.lasting, shown.task.shown_status

    async def _tell_events(self) -> None:
        while True:
            found = await in_thread(read_events, (self._task_id,), self._after)
            for said in found:
                await self._wire.event(said.kind, said.shown, id=str(said.id))
                self._after = said.id
            if len(found) < EVENTS_AT_ONCE:
                return
