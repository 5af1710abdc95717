"""What goes into a submission and what comes out of it: the values that the lifecycle shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from tasks.models import Batch, Task


@dataclass(frozen=True)
class Submission:
    """What a user asks for. Durations are seconds; None leaves the choice to the task type.

    `keep` is how long input and result are kept once it has ended; None is as long as the plan keeps them.
    `needs` are tasks that must have succeeded first, `after` tasks that must have ended, however they did.
    `reuse` takes an earlier result of the same work where there is one.
    `webhook` is the id of an endpoint, or a URL: it hears how the task ended.
    `queue`, `internal` (allow a type that users may not submit), `id`, `place` (with which faults in a batch begin) and
    `may_take_longer` (the timeout was taken over with other work, so it is the least) are for our own code: no request
    sets them.
    """

    type: str
    input: Any
    priority: int | None = None
    run_after: datetime | None = None
    start_before: datetime | None = None
    timeout: int | None = None
    max_attempts: int | None = None
    keep: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    tags: Sequence[str] = ()
    on_quota: Literal["reject", "downgrade"] = "reject"
    needs: Sequence[UUID] = ()
    after: Sequence[UUID] = ()
    webhook: str | None = None
    reuse: bool = False
    copy_of: UUID | None = None
    queue: str | None = None
    internal: bool = False
    id: UUID | None = None
    place: str = ""
    may_take_longer: bool = False


class Usage(NamedTuple):
    """A user's counters of the UTC day; `burst_seconds` is how far what was submitted lately is ahead of the rate."""

    day_count: int
    high_count: int
    urgent_count: int
    waiting_bound: int
    burst_seconds: float
    day_seconds_left: float


class Webhook(NamedTuple):
    """Where the end of one task is to be posted; `url` is empty for the endpoint's own."""

    endpoint: UUID
    url: str


class Accepted(NamedTuple):
    """A validated submission with everything decided: what `insert_task.sql` and `insert_tasks.sql` store."""

    id: UUID
    type: str
    queue: str
    cluster: str
    lane: int
    priority: int
    priority_requested: int
    priority_reason: str
    est_seconds: float
    size_bucket: int
    input_hash: UUID | None
    waits: bool
    max_attempts: int
    timeout_seconds: int
    keep_days: int
    keep_seconds: int | None
    run_after: datetime | None
    start_before: datetime | None
    copy_of: UUID | None
    started_by: UUID | None
    input: Any
    metadata: Mapping[str, Any]
    name: str
    tags: Sequence[str]
    on_quota: str
    needs: Sequence[UUID]
    after: Sequence[UUID]
    webhook: Webhook | None = None
    # What its attempts go on with: the span that submitted it (W3C Trace Context).
    traceparent: str | None = None
    # Something that it needs has not ended yet; decided when that is locked.
    waiting: bool = False


@dataclass(frozen=True)
class Submitted:
    """The task; `replayed` when an idempotency key gave an earlier one, `reused` when it did the same before.

    `usage` is what is used of the plan with it; None where nothing was stored.
    """

    task: Task
    replayed: bool = False
    reused: bool = False
    usage: Usage | None = None


@dataclass(frozen=True)
class SubmittedBatch:
    """The batch; `batch.items` has an id or a problem for each submission, in their order.

    `counts` are the tasks by shown status, as they were stored; None for a replay. `usage` is what is used of the plan
    with them; None where no task was stored.
    """

    batch: Batch
    replayed: bool = False
    counts: Counter[str] | None = None
    usage: Usage | None = None
