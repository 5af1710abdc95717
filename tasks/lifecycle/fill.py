"""Gives free slots to held tasks, and gives slots back: the transactions under lane locks.

All of them are asynchronous commits: what they do can be redone from durable rows (held tasks
beside free slots, settlements), and `tasks.lifecycle.sweep` redoes it within a second or two.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from tasks import sql

# Whoever watches the owner's tasks looks at all of them when one is told.
MOST_TOLD = 20

logger = logging.getLogger(__name__)


@contextmanager
def locked_lanes(lanes: Iterable[int]) -> Iterator[list[int]]:
    """Open a transaction that holds these lanes, in id order. Statements inside see what others committed."""
    ids = sorted(set(lanes))
    with transaction.atomic(durable=True):
        sql.run("lock_lanes", {"lanes": ids})
        yield ids


def fill_lanes(lanes: Iterable[int], *, tell: Sequence[UUID] = ()) -> int:
    """Move held tasks into free slots; return how many became ready. Opens its own transaction.

    Args:
        tell: tasks whose watchers are to look again: new ones, and those that came back to life.
    """
    with locked_lanes(lanes) as ids:
        moved = fill_locked(ids)
        if tell:
            sql.run("tell", {"tasks": list(tell[:MOST_TOLD])})
        return moved


def fill_soon(lanes: Iterable[int], *, tell: Sequence[UUID] = ()) -> None:
    """Fill lanes now, or leave it to the sweep: for callers whose first transaction has promised everything already."""
    try:
        fill_lanes(lanes, tell=tell)
    except DatabaseError as error:
        logger.warning("filling lanes is left to the sweep: %s", error)
        connection.close_if_unusable_or_obsolete()


def fill_locked(lanes: list[int]) -> int:
    """Fill lanes whose locks the open transaction holds."""
    moved: int = sql.run_one("fill", {"lanes": lanes}).moved
    return moved


def settle(settlements: Iterable[tuple[UUID, int]]) -> None:
    """Give back the slots of ended attempts and fill their lanes.

    Args:
        settlements: (token of the attempt, lane); those that were settled before are passed over.
    """
    owed = list(settlements)
    with locked_lanes(lane for _, lane in owed) as ids:
        sql.run("settle", {"tokens": [token for token, _ in owed], "lanes": ids})
        fill_locked(ids)
