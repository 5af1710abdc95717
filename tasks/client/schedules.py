"""Schedules: the same task again and again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Literal, TypedDict, Unpack

from .sending import Sender
from .shapes import Schedule, ScheduleRun, Task
from .written_once import method, series


class ScheduleOptions(TypedDict, total=False):
    """When a schedule runs: `cron` in `time_zone`, or every `interval_seconds` (a number, or ``"2h30m"``).

    `start_at` and `end_at` are RFC 3339 times. See docs/schedules.md for all of them.
    """

    name: str
    cron: str | None
    time_zone: str
    interval_seconds: int | str | None
    start_at: str | None
    end_at: str | None
    most_runs: int | None
    catch_up: Literal["one", "all", "none"]
    overlap: Literal["skip", "allow"]


class ScheduleChanges(ScheduleOptions, total=False):
    """What is left out stays as it is; `task` is replaced as a whole."""

    task: Mapping[str, Any]


class Schedules:
    _sender: Sender

    @method
    async def create_schedule(
        self, task: Mapping[str, Any], *, idempotency_key: str | None = None, **options: Unpack[ScheduleOptions]
    ) -> Schedule:
        """Submit `task` (a body as of POST /tasks) again and again from now on."""
        body = {**options, "task": dict(task)}
        made: Schedule = await self._sender.make("POST", "/api/v1/schedules", key=idempotency_key, json=body)
        return made

    @series
    async def schedules(self) -> AsyncGenerator[Schedule]:
        """Yield one's schedules, newest first."""
        async for schedule in self._sender.pages("/api/v1/schedules"):
            yield schedule

    @method
    async def get_schedule(self, schedule_id: str) -> Schedule:
        found: Schedule = await self._sender.send_json("GET", f"/api/v1/schedules/{schedule_id}")
        return found

    @method
    async def change_schedule(self, schedule_id: str, **changes: Unpack[ScheduleChanges]) -> Schedule:
        """Change what is given; new times count from now."""
        changed: Schedule = await self._sender.send_json("PATCH", f"/api/v1/schedules/{schedule_id}", json=changes)
        return changed

    @method
    async def pause_schedule(self, schedule_id: str) -> Schedule:
        """Let it rest until it is resumed; repeating it changes nothing."""
        paused: Schedule = await self._sender.send_json("POST", f"/api/v1/schedules/{schedule_id}/pause")
        return paused

    @method
    async def resume_schedule(self, schedule_id: str) -> Schedule:
        """Go on with the next time; repeating it changes nothing."""
        resumed: Schedule = await self._sender.send_json("POST", f"/api/v1/schedules/{schedule_id}/resume")
        return resumed

    @method
    async def run_schedule(self, schedule_id: str, *, idempotency_key: str | None = None) -> Task:
        """Submit the task now, besides its times, and return it."""
        task: Task = await self._sender.make("POST", f"/api/v1/schedules/{schedule_id}/run", key=idempotency_key)
        return task

    @series
    async def schedule_runs(self, schedule_id: str) -> AsyncGenerator[ScheduleRun]:
        """Yield what became of each run of the last thirty days, newest first."""
        async for run in self._sender.pages(f"/api/v1/schedules/{schedule_id}/runs"):
            yield run

    @method
    async def delete_schedule(self, schedule_id: str) -> None:
        """Delete a schedule; its tasks stay."""
        await self._sender.send("DELETE", f"/api/v1/schedules/{schedule_id}")
