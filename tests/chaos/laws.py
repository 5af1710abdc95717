"""The laws: what holds at every moment. Read from one snapshot, so that they can be checked while all are at work."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tasks.statuses import TERMINAL

READ = {
    "tasks": "SELECT id, owner_id, lane_id, status, version, attempt_number, has_dependents FROM task",
    "lanes": "SELECT id, slots, taken FROM lane",
    "settlements": "SELECT task_id, lane_id, slots, has_dependents FROM settlement",
    "attempts": "SELECT task_id, number, token, outcome FROM attempt ORDER BY task_id, number",
    "dependencies": "SELECT task_id, needs_id, any_end FROM dependency",
    "events": "SELECT task_id, attempt FROM event ORDER BY id",
    "passed_over": "SELECT task.id FROM task JOIN lane ON lane.id = task.lane_id JOIN queue ON queue.name = queue_id "
    "WHERE status = 'held' AND cancel_requested_at IS NULL AND paused_at IS NULL AND line_key < low_key "
    "AND type NOT IN (SELECT type FROM paused_type)",
}


@dataclass(frozen=True)
class Row:
    """A task as the laws see it."""

    id: UUID
    owner: int
    lane: int
    status: str
    version: int
    attempt_number: int
    has_dependents: bool

    @property
    def done(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True)
class Picture:
    """Everything at one moment."""

    tasks: dict[UUID, Row]
    lanes: dict[int, tuple[int, int]]  # id → (slots, taken)
    settlements: list[Any]
    attempts: list[Any]
    dependencies: list[Any]
    events: list[Any]
    passed_over: list[Any]


def take_picture() -> Picture:
    """Read all rows in one snapshot."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        rows: dict[str, list[Any]] = {}
        for name, statement in READ.items():
            cursor.execute(statement)
            rows[name] = cursor.fetchall()
    return Picture(
        tasks={row[0]: Row(*row) for row in rows.pop("tasks")},
        lanes={id_: (slots, taken) for id_, slots, taken in rows.pop("lanes")},
        **rows,
    )


def check(picture: Picture, *, accepted: Collection[UUID]) -> None:
    """Check all laws of a single moment; `accepted` is what was promised before the picture was taken."""
    lost = set(accepted) - set(picture.tasks)
    assert not lost, f"accepted and lost: {lost}"
    check_slots(picture)
    check_attempts(picture)
    check_waiting(picture)
    check_events(picture)


def check_slots(picture: Picture) -> None:
    """A lane's `taken` counts its ready and running tasks and the slots that ended attempts have yet to give back."""
    held = Counter(task.lane for task in picture.tasks.values() if task.status in {"ready", "running"})
    for _task, lane, slots, _ in picture.settlements:
        held[lane] += slots
    for lane, (_slots, taken) in picture.lanes.items():
        assert taken == held[lane], f"lane {lane} has taken {taken}, and {held[lane]} are in use"


def check_attempts(picture: Picture) -> None:
    """Every attempt that ended is recorded once, in order, by a token of its own; only the last may have succeeded."""
    tokens = Counter(token for _, _, token, _ in picture.attempts)
    assert not [token for token, count in tokens.items() if count > 1]
    recorded: defaultdict[UUID, list[tuple[int, str]]] = defaultdict(list)
    for task, number, _, outcome in picture.attempts:
        recorded[task].append((number, outcome))
    for task in picture.tasks.values():
        attempts = recorded[task.id]
        ended = task.attempt_number - (task.status == "running")
        assert [number for number, _ in attempts] == list(range(1, ended + 1)), f"{task} has {attempts}"
        successes = [number for number, outcome in attempts if outcome == "succeeded"]
        assert successes == ([ended] if task.status == "succeeded" else []), f"{task} has {attempts}"


def check_waiting(picture: Picture) -> None:
    """What waits has something to wait for: an open task, or an end that has yet to be settled."""
    unsettled = {task for task, _, _, has_dependents in picture.settlements if has_dependents}
    open_needs, broken = set(), set()
    for task, needs, any_end in picture.dependencies:
        needed = picture.tasks[needs]
        if not needed.done or needs in unsettled:
            open_needs.add(task)
            assert needed.has_dependents or picture.tasks[task].status != "waiting"
        elif needed.status != "succeeded" and not any_end:
            broken.add(task)
    for task in picture.tasks.values():
        if task.status == "waiting":
            assert task.id in open_needs, f"{task} waits for nothing"
            assert task.id not in broken, f"{task} waits although a task that it needs has failed"


def check_order(picture: Picture) -> None:
    """Fill sees what is held of open queues and types. Not where a second transaction was lost: upkeep finds that."""
    assert not picture.passed_over, f"held, and before where fill begins to read: {picture.passed_over}"


def check_events(picture: Picture) -> None:
    """What a later attempt says comes after all that an earlier one said; nothing is said before it begins."""
    latest: dict[UUID, int] = {}
    for task, attempt in picture.events:
        assert latest.get(task, 0) <= attempt <= picture.tasks[task].attempt_number
        latest[task] = attempt


def check_settled(picture: Picture, *, accepted: Collection[UUID]) -> None:
    """When all is over: everything ended, all slots came back, nothing is owed."""
    check(picture, accepted=accepted)
    assert not [task for task in picture.tasks.values() if not task.done]
    assert not picture.settlements
    assert {taken for _, taken in picture.lanes.values()} <= {0}
