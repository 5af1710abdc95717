"""The objects of the API as the client's users see them: plain dictionaries with known keys."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Task(TypedDict):
    """A task; every key is always there. See docs/api.md."""

    id: str
    type: str
    name: str | None
    status: str
    done: bool
    version: int
    input: Any
    result: Any
    error: dict[str, Any] | None
    priority: dict[str, Any]
    progress: dict[str, Any]
    queue: dict[str, Any]
    attempts: dict[str, Any]
    engine: dict[str, Any] | None
    usage: dict[str, Any]
    metadata: dict[str, Any]
    tags: list[str]
    batch: str | None
    needs: list[str]
    copy_of: str | None
    run_after: str | None
    start_before: str | None
    timeout: int
    keep_until: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    urls: dict[str, str]


class File(TypedDict):
    id: str
    name: str
    size: int
    content_type: str
    sha256: str
    task: str | None
    tags: list[str]
    created_at: str
    urls: dict[str, str]


class Batch(TypedDict):
    """`items` has the id or the problem of each task, in the order given; lists of batches come without."""

    id: str
    name: str
    done: bool
    total: int
    refused: int
    counts: dict[str, int]
    items: NotRequired[list[dict[str, Any]]]
    created_at: str
    urls: dict[str, str]


class ItemResult(TypedDict):
    """What came of one item of a batch; `index` is its place in the batch, from 0."""

    index: int
    id: str | None
    status: str | None
    result: Any
    error: dict[str, Any] | None


class TaskEvent(TypedDict):
    """What a task said: `event` is progress, log or output."""

    id: str
    event: str
    attempt: int
    data: dict[str, Any]
    created_at: str


class Attempt(TypedDict):
    """One execution of a task; `charged` says whether it counted against its attempts."""

    number: int
    outcome: str | None
    started_at: str
    finished_at: str | None
    seconds: float | None
    worker: dict[str, Any]
    error: dict[str, Any] | None
    charged: bool | None


class FileLink(TypedDict):
    """An address that works without a token until it expires."""

    url: str
    expires_at: str


class Schedule(TypedDict):
    """`status` is active, paused or ended; `upcoming` has the next times. See docs/schedules.md."""

    id: str
    name: str
    status: str
    task: dict[str, Any]
    cron: str | None
    time_zone: str
    interval_seconds: int | None
    start_at: str | None
    end_at: str | None
    most_runs: int | None
    catch_up: str
    overlap: str
    next_run_at: str | None
    upcoming: list[str]
    last_run_at: str | None
    last_task: str | None
    last_error: dict[str, Any] | None
    run_count: int
    paused_at: str | None
    paused_reason: str | None
    created_at: str
    urls: dict[str, str]


class ScheduleRun(TypedDict):
    """What became of one run: `outcome` is submitted, refused or skipped."""

    id: str
    due_at: str
    by_hand: bool
    outcome: str
    task: str | None
    error: dict[str, Any] | None
    created_at: str


class Share(TypedDict):
    """`url` is there only in answers that made one, and null in their repetitions."""

    id: str
    task: str
    created_at: str
    expires_at: str
    opened_at: str | None
    urls: dict[str, str]
    url: NotRequired[str | None]


class WebhookEndpoint(TypedDict):
    """`secret` is there only in answers that made one, and null in their repetitions."""

    id: str
    url: str | None
    description: str
    events: list[str]
    enabled: bool
    disabled_at: str | None
    disabled_reason: str | None
    failing_since: str | None
    created_at: str
    urls: dict[str, str]
    secret: NotRequired[str | None]


class WebhookDelivery(TypedDict):
    """One message to one endpoint, with its tries; `status` is pending, succeeded or failed."""

    id: str
    endpoint: str
    url: str
    event: str
    task: str | None
    status: str
    tries: list[dict[str, Any]]
    next_try_at: str | None
    error: str | None
    payload: dict[str, Any]
    created_at: str
    finished_at: str | None
    urls: dict[str, str]


class Token(TypedDict):
    """`token`, the text itself, is in the answer that made it and nowhere else; null in its repetitions."""

    id: str
    name: str
    scopes: list[str]
    current: bool
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    urls: dict[str, str]
    token: NotRequired[str | None]
