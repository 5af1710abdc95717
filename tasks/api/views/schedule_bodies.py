"""What is sent to /schedules: a submission, and when it is made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from tasks.api.bodies import Body, Time, duration
from tasks.api.views.tasks import Metadata, Tags, Timeout
from tasks.lifecycle.submission import Submission
from tasks.one_of import at_most_one_of, exactly_one_of

EXAMPLE: dict[str, Any] = {
    "name": "Morning report",
    "task": {"type": "text.generate", "input": {"prompt": "Write a haiku about queues."}},
    "cron": "0 6 * * mon-fri",
    "time_zone": "Europe/Berlin",
}

LONGEST_INTERVAL = 366 * 86_400
Interval = Annotated[int, Field(ge=60, le=LONGEST_INTERVAL), duration(60, LONGEST_INTERVAL)]
# The form alone; what the fields may hold is told when it is refused.
CRON = r"^\s*(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+(\s+\S+){4,5})\s*$"

CatchUp = Literal["one", "all", "none"]
Overlap = Literal["skip", "allow"]


class TaskToSchedule(Body):
    """What to submit, each time: as the body of POST /tasks, without times of its own."""

    type: str = Field(description="name of a task type")
    input: dict[str, Any] = Field(default={}, description="as the type's input schema says")
    priority: int | None = Field(default=None, ge=1, le=10)
    timeout: Timeout | None = Field(default=None, description='how long one attempt may take: seconds, or "10m"')
    max_attempts: int | None = Field(default=None, ge=1, le=20)
    metadata: Metadata = Field(default={})
    tags: Tags = Field(default=[])
    on_quota: Literal["reject", "downgrade"] = "reject"

    def submission(self) -> Submission:
        """Return it in the core's words."""
        return Submission(**{name: getattr(self, name) for name in type(self).model_fields})


class ScheduleOptions(Body):
    """When a schedule runs; either `cron` or `interval_seconds`."""

    name: str = Field(default="", max_length=200)
    cron: str | None = Field(
        default=None,
        description="five fields, or six with one second at the end, or @daily",
        json_schema_extra={"pattern": CRON},
    )
    time_zone: str = Field(default="UTC", description="of the cron expression, as in the tz database")
    interval_seconds: Interval | None = Field(default=None, description='seconds, or a duration like "2h30m"')
    start_at: Time | None = Field(default=None, description="no run before; the first one of an interval")
    end_at: Time | None = Field(default=None, description="no run after")
    most_runs: int | None = Field(default=None, ge=1, le=1_000_000, description="it ends after so many")
    catch_up: CatchUp = Field(
        default="one", description="of missed runs: one for any number, all of them, or none that is a minute late"
    )
    overlap: Overlap = Field(
        default="skip", description="while the task before has not ended: leave the run out, or run beside it"
    )

    def given(self) -> dict[str, Any]:
        """Return what was sent, by the field names of `Draft`."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        task = sent.pop("task", None)
        return sent | ({"task": task.submission()} if isinstance(task, TaskToSchedule) else {})


class CreateSchedule(ScheduleOptions):
    """What to submit, and when."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]} | exactly_one_of("cron", "interval_seconds"))

    task: TaskToSchedule


class ChangeSchedule(ScheduleOptions):
    """What is to be different. Setting `cron` unsets `interval_seconds`, and the other way round."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cron": "@daily"}]} | at_most_one_of("cron", "interval_seconds")
    )

    task: TaskToSchedule | None = Field(default=None, description="as a whole")
