"""A task as the API shows it: every key is always there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from tasks import models
from tasks.api.objects.shape import Shape, write_time
from tasks.lifecycle.expected import Range
from tasks.lifecycle.explain import Wait, explain_wait
from tasks.lifecycle.read import TaskRow
from tasks.registry import EngineInfo
from tasks.statuses import Status

Shown = Literal[
    "waiting", "scheduled", "queued", "running", "cancelling", "succeeded", "failed", "cancelled", "expired"
]
Why = Literal[
    "waiting_for_a_slot",
    "waiting_for_a_worker",
    "queue_paused",
    "type_paused",
    "no_workers",
    "waiting_for_tasks",
    "scheduled",
    "retry_backoff",
    "backend_busy",
    "backend_unreachable",
]
# With names of their own: generators make a class of each object, and all types of task share these.
WorkUsage = TypeAliasType("WorkUsage", dict[str, Any])
TaskMetadata = TypeAliasType("TaskMetadata", dict[str, Any])
BASE = "/api/v1/tasks"
# Messages quote: names of files, fields of results, what a handler said.
UNTOLD = "The reason is shown to tokens with the scope tasks:read."


class TaskError(Shape):
    """Why the last attempt, or the task, failed."""

    code: str
    message: str
    retryable: bool = Field(description="whether the same might succeed later")
    attempt: int | None = Field(description="number of the attempt that failed")


class Priority(Shape):
    requested: int
    effective: int
    reason: str | None = Field(description="why the effective priority is another one, such as urgent_allowance_used")


class Progress(Shape):
    fraction: float | None = Field(description="0 to 1; null when the task said nothing yet")
    stage: str | None = Field(description="for people")


class Estimate(Shape):
    """Eight of ten times it is between `p10` and `p90`, and half of the time below `p50`."""

    p10: float
    p50: float
    p90: float


class QueuePlace(Shape):
    """Where a task waits, and why.

    The position counts what starts before it, and stops at 1,000. It is told to those who read the task: in lists, and
    in the answers to a submission, a copy or a retry, it is null, as is `starts_in`. Lists do not look at queues and
    workers either: `queue_paused` and `no_workers` are only told of a single task.
    """

    name: str
    position: int | None
    why: Why | None
    starts_in: Estimate | None = Field(description="seconds; null where it would be a guess")


class AttemptCount(Shape):
    made: int = Field(description="attempts that count against the limit, the running one included")
    max: int
    next_at: datetime | None = Field(description="when the next attempt is due, between attempts")


class TaskUrls(Shape):
    """Addresses, as absolute paths."""

    self: str
    events: str
    attempts: str
    result: str
    cancel: str
    retry: str
    # pydantic has a method of that name.
    copy_: str = Field(alias="copy")


class Task(Shape):
    """One submitted unit of work. Times are RFC 3339 in UTC, durations are seconds.

    A token without the scope `tasks:read` is not shown content: `name`, `input`, `result`, `engine` and the progress'
    stage are null, `metadata`, `usage` and `tags` are empty, and of an error it is told the code.
    """

    id: UUID
    type: str
    name: str | None = Field(
        description="what you call it; null: the portal's pages name it by its files, or the beginning of its text"
    )
    status: Shown
    done: bool = Field(description="true in the four last statuses; loop on it")
    version: int = Field(description="rises with every change")
    input: Any = Field(description="as the task type's input schema says; null once purged, and without `tasks:read`")
    result: Any = Field(
        description="as the task type's result schema says; null until it succeeded, once purged, "
        "and without `tasks:read`"
    )
    error: TaskError | None
    priority: Priority
    progress: Progress
    queue: QueuePlace
    ends_in: Estimate | None = Field(
        description="seconds until it ends, if its attempt succeeds; null where it would be a guess, while it waits "
        "for other tasks, and where nobody looked: of a queued task in lists and in the answers to a submission"
    )
    attempts: AttemptCount
    engine: EngineInfo | None = Field(description="what did the work")
    usage: WorkUsage = Field(description="what the work used, such as tokens")
    metadata: TaskMetadata = Field(description="your own; empty once purged, and without `tasks:read`")
    tags: list[str]
    batch: UUID | None
    needs: list[UUID] = Field(description="tasks that it waits for, or waited for")
    started_by: UUID | None = Field(description="the task whose handler started this one")
    copy_of: UUID | None
    run_after: datetime | None
    start_before: datetime | None
    timeout: int = Field(description="seconds one attempt may take")
    keep_until: datetime | None = Field(description="when the content is purged; known once the task has ended")
    created_at: datetime
    started_at: datetime | None = Field(description="of the last attempt")
    finished_at: datetime | None
    urls: TaskUrls


class Content(Protocol):
    """What of a task's content is shown, as values."""

    @property
    def input(self) -> Any: ...
    @property
    def result(self) -> Any: ...
    @property
    def engine(self) -> Any: ...
    @property
    def usage(self) -> Any: ...
    @property
    def metadata(self) -> Any: ...
    @property
    def tags(self) -> Any: ...
    @property
    def needs(self) -> Any: ...
    @property
    def name(self) -> Any: ...


def task_object(task: models.Task | TaskRow, content: Content | None, wait: Wait) -> dict[str, Any]:
    """Return a task as JSON. Without `content` it was purged."""
    shown = task.shown_status
    between_attempts = task.status == Status.SCHEDULED and task.attempt_number > 0
    return {
        "id": str(task.id),
        "type": task.type,
        "name": content.name or None if content else None,
        "status": shown,
        "done": task.done,
        "version": task.version,
        "input": content.input if content else None,
        "result": content.result if content else None,
        "error": error_object(task.error),
        "priority": {
            "requested": task.priority_requested,
            "effective": task.priority,
            "reason": task.priority_reason or None,
        },
        "progress": {"fraction": task.progress_fraction, "stage": task.progress_stage or None},
        "queue": {
            "name": task.queue_id,
            "position": wait.position,
            "why": wait.why,
            "starts_in": _range(wait.starts_in),
        },
        "ends_in": _range(wait.ends_in),
        "attempts": {
            "made": task.attempts_counted,
            "max": task.max_attempts,
            "next_at": write_time(task.run_after) if between_attempts else None,
        },
        "engine": content.engine if content else None,
        "usage": content.usage if content else {},
        "metadata": content.metadata if content else {},
        "tags": content.tags if content else [],
        "batch": str(task.batch_id) if task.batch_id else None,
        "needs": [str(id_) for id_ in content.needs] if content else [],
        "started_by": str(task.started_by) if task.started_by else None,
        "copy_of": str(task.copy_of) if task.copy_of else None,
        "run_after": write_time(task.run_after),
        "start_before": write_time(task.start_before),
        "timeout": task.timeout_seconds,
        "keep_until": write_time(task.keep_until),
        "created_at": write_time(task.created_at),
        "started_at": write_time(task.started_at),
        "finished_at": write_time(task.finished_at),
        "urls": _urls(task),
    }


def _range(found: Range | None) -> dict[str, float] | None:
    return found and {"p10": round(found.p10, 3), "p50": round(found.p50, 3), "p90": round(found.p90, 3)}


def least_object(task: models.Task) -> dict[str, Any]:
    """Return the little of a task that says where to ask for it: for an answer that cannot be written in full."""
    least = {"id": str(task.id), "type": task.type, "status": task.shown_status, "done": task.done}
    return dict.fromkeys(Task.model_json_schema()["properties"]) | least | {"urls": _urls(task)}


def _urls(task: models.Task | TaskRow) -> dict[str, str]:
    own = f"{BASE}/{task.id}"
    parts = {name: f"{own}/{name}" for name in ("events", "attempts", "result", "cancel", "retry", "copy")}
    return {"self": own} | parts


def without_content(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a task as JSON for a token that may act on tasks and not read them."""
    return shown | {
        "name": None,
        "input": None,
        "result": None,
        "error": error_without_content(shown["error"]),
        "progress": shown["progress"] | {"stage": None},
        "engine": None,
        "usage": {},
        "metadata": {},
        "tags": [],
    }


def error_without_content(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an error of a task or schedule as JSON without the words that may quote content."""
    return error and error | {"message": UNTOLD}


def wait_of_row(task: models.Task) -> Wait:
    """Return why a task waits as far as its own row tells, so that a list asks nothing more for each task."""
    if task.status == Status.HELD:
        return Wait(None, "waiting_for_a_slot")
    if task.status == Status.READY:
        return Wait(None, "waiting_for_a_worker")
    return explain_wait(task)


def content_of(task: models.Task) -> models.TaskContent | None:
    """Return the content of a task that was read with it; None when it was purged."""
    return getattr(task, "content", None)


def error_object(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an error as the owner may see it: never a traceback."""
    if error is None:
        return None
    return {
        "code": error.get("code", "task_error"),
        "message": error.get("message", ""),
        "retryable": bool(error.get("retryable", False)),
        "attempt": error.get("attempt"),
    }
