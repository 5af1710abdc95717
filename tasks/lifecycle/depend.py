"""Dependencies: what a task waits for, and what its end means for those that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from accounts.models import User
from tasks import errors, sql
from tasks.errors import Fault
from tasks.lifecycle.outbox import announce_ended
from tasks.lifecycle.submission import Accepted
from tasks.models import Dependency
from tasks.statuses import TERMINAL, Status

# What one task may wait for: `needs`, `after` and what its input refers to, all together.
MOST_NEEDS = 1_000
# Of it, what one list of a request may name.
MOST_LISTED_NEEDS = 100
# In one transaction, under the locks of their lanes.
MOST_RELEASED = 2000


class Needed(NamedTuple):
    """How a task stands that others are to wait for; without content its result was purged."""

    id: UUID
    status: str
    has_content: bool


class Change(NamedTuple):
    """What became of a task: ended, failed, released. Or a settlement that was left behind, by its token."""

    what: str
    id: UUID
    lane: int


def read_needs(user: User, tasks: Iterable[UUID]) -> dict[UUID, Needed]:
    """Return how the user's tasks of these ids stand now. Locks nothing: they may end before the answer is used."""
    return _by_id(sql.run("lifecycle/read_needs", {"tasks": sorted(set(tasks)), "owner": user.pk}, row=Needed))


def _by_id(rows: Iterable[Needed]) -> dict[UUID, Needed]:
    return {row.id: row for row in rows}


def lock_with_needs(task: UUID) -> None:
    """Lock a task and all that it needs, and note that somebody waits for those, as `wait_for_needs`.

    In the one order in which tasks are locked. Needs a transaction.
    """
    rows = Dependency.objects.filter(task=task, key=None).values_list("needs", "needs__owner")
    ids = sorted({task, *(needed for needed, _ in rows)})
    for owner in {owner for _, owner in rows}:
        sql.execute("lifecycle/lock_needs", {"tasks": ids, "owner": owner})
    if rows:
        sql.execute("lifecycle/mark_needs", {"tasks": [needed for needed, _ in rows]})


def broken_need(task: UUID) -> UUID | None:
    """Return a task that this one needs and that has ended without success, or None."""
    broken = Dependency.objects.filter(task=task, any_end=False, needs__status__in=TERMINAL - {Status.SUCCEEDED})
    return broken.values_list("needs", flat=True).first()


def forget_unsuccessful_children(task: UUID) -> None:
    """Let a task that is tried anew start those parts again that did not succeed."""
    Dependency.objects.filter(task=task, key__isnull=False).exclude(needs__status=Status.SUCCEEDED).delete()


def need_faults(found: Mapping[UUID, Needed], needs: Sequence[UUID], after: Sequence[UUID]) -> Iterator[Fault]:
    """Yield a fault for each task that cannot be waited for."""
    for field, wanted in (("needs", needs), ("after", after)):
        for number, id_ in enumerate(wanted):
            row = found.get(id_)
            if row is None:
                yield Fault(f"/{field}/{number}", "unknown_task", f"There is no task {id_} of yours.")
            elif field == "after":
                continue
            elif row.status in TERMINAL - {Status.SUCCEEDED}:
                yield Fault(f"/{field}/{number}", "dependency_failed", f"The task {id_} has ended as {row.status}.")
            elif not row.has_content:
                yield Fault(f"/{field}/{number}", "content_purged", f"The result of the task {id_} was purged.")


def wait_for_needs(user: User, accepted: Sequence[Accepted]) -> list[Accepted]:
    """Lock what the tasks need and return them, marked as waiting where something has not ended. Needs a transaction.

    Raises:
        InvalidInput: something that is needed has failed or vanished since the submission was validated.
    """
    return send_wait_for_needs(user, accepted)()


def send_wait_for_needs(user: User, accepted: Sequence[Accepted]) -> Callable[[], list[Accepted]]:
    """As `wait_for_needs`, for a pipeline; returns what gives the tasks, or raises."""
    ids = sorted({id_ for task in accepted for id_ in (*task.needs, *task.after)})
    if not ids:
        return lambda: list(accepted)
    locked = sql.send("lifecycle/await_needs", {"tasks": ids, "owner": user.pk}, row=Needed)

    def found() -> list[Accepted]:
        needed = _by_id(locked())
        for task in accepted:
            for fault in need_faults(needed, task.needs, task.after):
                raise errors.InvalidDependency(fault.detail, errors=[fault])
        return [task._replace(waiting=_is_open(task, needed)) for task in accepted]

    return found


def insert_dependencies(accepted: Sequence[Accepted]) -> None:
    """Write down what submitted tasks wait for. Needs the transaction of `wait_for_needs`."""
    items = [
        {"task": str(task.id), "needs": str(id_), "any_end": any_end, "key": None}
        for task in accepted
        for any_end, wanted in ((False, task.needs), (True, set(task.after) - set(task.needs)))
        for id_ in wanted
    ]
    if items:
        sql.execute("lifecycle/insert_dependencies", {"items": Jsonb(items)})


def insert_started(starter: UUID, children: Sequence[tuple[Accepted, str]]) -> None:
    """Write down that a task waits for those that its handler started, however they end. Needs a transaction."""
    items = [{"task": str(starter), "needs": str(child.id), "any_end": True, "key": key} for child, key in children]
    sql.execute("lifecycle/insert_dependencies", {"items": Jsonb(items)})
    sql.execute("lifecycle/mark_needs", {"tasks": [child.id for child, _ in children]})


@dataclass(frozen=True)
class Released:
    """The tasks that went into their lanes.

    And (token, lane) of the settlements of those that failed with what they needed, whose own dependents come next.
    """

    tasks: list[UUID]
    settlements: list[tuple[UUID, int]]


def release_dependents(ended: Sequence[UUID], lanes: list[int]) -> Released:
    """Look again at what waits for ended tasks; lanes are locked by the caller."""
    if not ended:
        return Released([], [])
    rows = sql.run("lifecycle/depend", {"ended": list(ended), "lanes": lanes, "limit": MOST_RELEASED}, row=Change)
    announce_ended([row.id for row in rows if row.what == "failed"])
    return Released(
        tasks=[row.id for row in rows if row.what == "released"],
        settlements=[(row.id, row.lane) for row in rows if row.what == "settlement"],
    )


def _is_open(task: Accepted, needed: Mapping[UUID, Needed]) -> bool:
    return any(needed[id_].status not in TERMINAL for id_ in (*task.needs, *task.after))
