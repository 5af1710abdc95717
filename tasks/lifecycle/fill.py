"""Gives free slots to held tasks, and gives slots back: the transactions under lane locks.

All of them are asynchronous commits: what they do can be redone from durable rows (held tasks
beside free slots, settlements), and `tasks.lifecycle.sweep` redoes it within a second or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
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


class Arrived(NamedTuple):
    """How a newcomer stands; `may_swap`: there is a lesser task whose slot it could have. Its watchers were told."""

    id: UUID
    status: str
    version: int
    line_key: float
    rank: float | None
    created_at: datetime
    may_swap: bool
    told: str


class Swapped(NamedTuple):
    swapped: int


class Settled(NamedTuple):
    """An ended task; `may_be_heard`: its owner has webhook endpoints."""

    id: UUID
    has_dependents: bool
    may_be_heard: bool
    told: int


class FreeLanes(NamedTuple):
    lanes: list[int]
    setting: str


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


def fill_lanes(lanes: Iterable[int]) -> int:
    """Move held tasks into free slots; return how many became ready. Opens its own transaction."""
    ids = sorted(set(lanes))
    with sql.one_trip():
        sql.execute("lifecycle/lock_lanes", {"lanes": ids})
        filled = _send_fill(ids, None)
    return filled()


def fill_soon(lanes: Iterable[int], *, newcomers: Sequence[UUID]) -> list[Arrived]:
    """Fill the lanes that tasks have come into, and tell their watchers. Opens its own transaction, or several.

    In a full lane a newcomer of higher priority takes the slot of a ready task that nobody has claimed. What fails is
    left to the sweep: for callers whose first transaction has promised everything already.

    Args:
        newcomers: as for `fill_locked`.

    Returns:
        how the first newcomers stand now; none where it was left to the sweep.
    """
    arrived: list[Arrived] = []
    with left_to_the_sweep("filling lanes"):
        arrived += _fill_with(sorted(set(lanes)), newcomers)
    return arrived


def _fill_with(lanes: list[int], newcomers: Sequence[UUID]) -> list[Arrived]:
    with sql.one_trip():
        sql.execute("lifecycle/lock_lanes", {"lanes": lanes})
        filled = _send_fill(lanes, newcomers)
        looked = _send_look(newcomers)
    arrived = looked()
    may_swap = len(newcomers) > MOST_TOLD or any(task.may_swap for task in arrived)
    missing = len(newcomers) - filled()
    return _swap_in(lanes, newcomers, missing) or arrived if may_swap and missing > 0 else arrived


def _swap_in(lanes: list[int], newcomers: Sequence[UUID], most: int) -> list[Arrived]:
    """Let newcomers have slots of lesser tasks; return how the first stand then, or nothing where there was none."""
    with locked_lanes(lanes) as ids:
        moved = 0
        while moved < most and swap(ids):
            moved += fill_locked(ids, newcomers=())
        return _send_look(newcomers)() if moved else []


def _send_look(newcomers: Sequence[UUID]) -> Callable[[], list[Arrived]]:
    return sql.send("lifecycle/look_at_newcomers", {"tasks": list(newcomers[:MOST_TOLD])}, row=Arrived)


def fill_locked(lanes: list[int], *, newcomers: Sequence[UUID] | None = None) -> int:
    """Fill lanes whose locks the open transaction holds; return how many became ready.

    Args:
        newcomers: all tasks that came into the lanes since they were filled last: new ones, and those that came back to
            life. None: any may have come, or have moved up, so that the lanes are read from their beginning.
    """
    return _send_fill(lanes, newcomers)()


def _send_fill(lanes: list[int] | None, newcomers: Sequence[UUID] | None) -> Callable[[], int]:
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


def settle_plain(
    settlements: Sequence[tuple[UUID, int]], *, heard: Sequence[UUID] = (), wait: bool = True
) -> list[tuple[UUID, int]]:
    """Give back the slots of ended attempts for whose tasks no others wait, and fill their lanes: in one round trip.

    Args:
        settlements: as for `settle`.
        heard: the tasks among them whose owners have webhook endpoints.
        wait: whether to wait for whoever holds a lane, as long as the connection's `lock_timeout`. If not, a single one
            is waited for briefly, and of several those that nobody holds are settled.

    Returns:
        Those that were left out.
    """
    tokens = [token for token, _ in settlements]
    ids = sorted({lane for _, lane in settlements})
    free: Callable[[], list[FreeLanes]] | None = None
    with sql.one_trip():
        if wait or len(ids) == 1:
            if not wait:
                sql.execute("lifecycle/wait_briefly", {})
            sql.execute("lifecycle/lock_lanes", {"lanes": ids})
        else:
            free = sql.send("lifecycle/lock_free_lanes", {"lanes": ids}, row=FreeLanes)
        lanes = None if free else ids
        sql.execute("lifecycle/settle", {"tokens": tokens, "lanes": lanes})
        announce_ended(heard)
        _send_fill(lanes, ())
    locked = set(free()[0].lanes if free else ids)
    return [(token, lane) for token, lane in settlements if lane not in locked]


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
