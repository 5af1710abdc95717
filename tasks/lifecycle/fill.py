"""Gives free slots to held tasks, and gives slots back: the transactions under lane locks.

All of them are asynchronous commits: what they do can be redone from durable rows (held tasks
beside free slots, settlements), and `tasks.lifecycle.sweep` redoes it within a second or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from tasks import sql
from tasks.lifecycle.after_commit import left_to_the_sweep
from tasks.lifecycle.depend import release_dependents
from tasks.lifecycle.outbox import announce_ended
from tasks.lifecycle.submission import Accepted

# Whoever watches the owner's tasks looks at all of them when one is told.
MOST_TOLD = 20
# Of more newcomers than these it costs less to read their lanes from the beginning.
MOST_LOOKED_UP = 100


class Filled(NamedTuple):
    """`moved` tasks became ready; `told` clusters heard of it."""

    moved: int
    told: int


class Swapped(NamedTuple):
    swapped: int


class Settled(NamedTuple):
    """An ended task; `may_be_heard`: its owner has webhook endpoints."""

    id: UUID
    has_dependents: bool
    may_be_heard: bool
    told: str


class DependentLane(NamedTuple):
    lane: int


@contextmanager
def _pipelined_lanes(lanes: Iterable[int], *, wait: bool = True) -> Iterator[list[int]]:
    """As `locked_lanes`, for the hot path: statements inside are sent without waiting for each other's answers."""
    ids = sorted(set(lanes))
    with transaction.atomic(durable=True), sql.pipeline():
        if not wait:
            sql.execute("lifecycle/wait_briefly", {})
        sql.execute("lifecycle/lock_lanes", {"lanes": ids})
        yield ids


@contextmanager
def locked_lanes(lanes: Iterable[int]) -> Iterator[list[int]]:
    """Open a transaction that holds these lanes, in id order. Statements inside see what others committed."""
    ids = sorted(set(lanes))
    with transaction.atomic(durable=True):
        sql.execute("lifecycle/lock_lanes", {"lanes": ids})
        yield ids


def fill_lanes(lanes: Iterable[int], *, newcomers: Sequence[UUID] | None = None) -> int:
    """Move held tasks into free slots; return how many became ready. Opens its own transaction.

    In a full lane a newcomer of higher priority takes the slot of a ready task that nobody has claimed.

    Args:
        newcomers: as for `fill_locked`; their watchers are told to look again.
    """
    arrived = newcomers or ()
    with _pipelined_lanes(lanes) as ids:
        filled = _send_fill(ids, newcomers)
        if arrived:
            sql.execute("lifecycle/tell", {"tasks": list(arrived[:MOST_TOLD])})
        moved = filled()
        while moved < len(arrived) and swap(ids):
            moved += fill_locked(ids, newcomers=())
        return moved


def fill_soon(lanes: Iterable[int], *, newcomers: Sequence[UUID]) -> None:
    """Fill lanes now, or leave it to the sweep: for callers whose first transaction has promised everything already."""
    with left_to_the_sweep("filling lanes"):
        fill_lanes(lanes, newcomers=newcomers)


def fill_locked(lanes: list[int], *, newcomers: Sequence[UUID] | None = None) -> int:
    """Fill lanes whose locks the open transaction holds; return how many became ready.

    Args:
        newcomers: all tasks that came into the lanes since they were filled last: new ones, and those that came back to
            life. None: any may have come, or have moved up, so that the lanes are read from their beginning.
    """
    return _send_fill(lanes, newcomers)()


def _send_fill(lanes: list[int], newcomers: Sequence[UUID] | None) -> Callable[[], int]:
    are_few = newcomers is not None and len(newcomers) <= MOST_LOOKED_UP
    asked = {"lanes": lanes, "newcomers": list(newcomers or ()) if are_few else None}
    filled = sql.send("lifecycle/fill", asked, row=Filled)
    return lambda: filled()[0].moved


def swap(lanes: list[int]) -> bool:
    """Let a newcomer have the slot of a lesser ready task of its lane, one a lane; fill gives it to the newcomer.

    Needs a transaction that holds the lanes. Returns whether anything was held again.
    """
    [row] = sql.run("lifecycle/swap", {"lanes": lanes}, row=Swapped)
    return row.swapped > 0


def settle(
    settlements: Iterable[tuple[UUID, int]],
    *,
    dependents: bool,
    started: Sequence[Accepted] | None = None,
    wait: bool = True,
) -> None:
    """Give back the slots of ended attempts, let go what waited for them, and fill all these lanes.

    Where something fails because what it needed has failed, that is settled next, and so on.

    Args:
        settlements: (token of the attempt, lane); those that were settled before are passed over.
        dependents: whether others may wait for one of them; then their lanes are looked up first.
        started: all tasks that the attempts started. None: nobody knows any more.
        wait: whether to wait for whoever holds a lane, as long as the connection's `lock_timeout`; if not, briefly.
    """
    pending = list(settlements)
    children = {task.id: task.lane for task in started or ()}
    while pending:
        tokens = [token for token, _ in pending]
        lanes = {lane for _, lane in pending} | set(children.values())
        if dependents:
            lanes |= {row.lane for row in sql.run("lifecycle/dependent_lanes", {"tokens": tokens}, row=DependentLane)}
        with _pipelined_lanes(lanes, wait=wait) as ids:
            settled = sql.run("lifecycle/settle", {"tokens": tokens, "lanes": ids}, row=Settled)
            announce_ended([row.id for row in settled if row.may_be_heard])
            released = release_dependents([row.id for row in settled if row.has_dependents], ids)
            newcomers = None if started is None else [*children, *released.tasks]
            _send_fill(ids, newcomers)
            pending = released.settlements
        # What was started is in its lanes now; only dependents of dependents are left.
        dependents, children = True, {}
