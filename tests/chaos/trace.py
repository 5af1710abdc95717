"""Traces: every move that the database makes is written down, and replayed against the model's table of moves.

Triggers of the tests' own note, within each transaction, what it did to tasks, settlements and slots: what a crash
takes back is gone from the trace as well. Read when nobody is at work, the trace must explain all that is there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from tests.model.moves import BY_ENDS, LOOK, NEW, SLOT

INSTALL = """
    CREATE TABLE chaos_trace (id bigserial PRIMARY KEY, xact xid8 DEFAULT pg_current_xact_id(), kind text, task uuid,
                              lane bigint, before text, after text, token uuid, slots int);
    CREATE FUNCTION chaos_task() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO chaos_trace (kind, task, lane, before, after, token) VALUES
            ('move', NEW.id, CASE WHEN TG_OP = 'INSERT' THEN NEW.lane_id ELSE OLD.lane_id END,
             CASE WHEN TG_OP = 'INSERT' THEN 'new' ELSE OLD.status END, NEW.status,
             coalesce(NEW.token, CASE WHEN TG_OP = 'UPDATE' THEN OLD.token END));
        RETURN NULL;
    END $$;
    CREATE FUNCTION chaos_settlement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO chaos_trace (kind, task, lane, token, slots)
            SELECT CASE TG_OP WHEN 'INSERT' THEN 'owed' ELSE 'settled' END, task_id, lane_id, token, slots
              FROM (SELECT (CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END).*) AS row;
        RETURN NULL;
    END $$;
    CREATE FUNCTION chaos_lane() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO chaos_trace (kind, lane, slots) VALUES ('taken', NEW.id, NEW.taken - OLD.taken);
        RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_new AFTER INSERT ON task FOR EACH ROW EXECUTE FUNCTION chaos_task();
    CREATE TRIGGER chaos_move AFTER UPDATE ON task FOR EACH ROW
        WHEN (OLD.status <> NEW.status OR OLD.token IS DISTINCT FROM NEW.token) EXECUTE FUNCTION chaos_task();
    CREATE TRIGGER chaos_settlement AFTER INSERT OR DELETE ON settlement FOR EACH ROW
        EXECUTE FUNCTION chaos_settlement();
    CREATE TRIGGER chaos_lane AFTER UPDATE ON lane FOR EACH ROW
        WHEN (OLD.taken <> NEW.taken) EXECUTE FUNCTION chaos_lane();
"""
REMOVE = "DROP FUNCTION chaos_task, chaos_settlement, chaos_lane CASCADE; DROP TABLE chaos_trace;"

# What each outcome of an attempt may lead to; with a cancellation asked for, what is not complete is cancelled.
RETRYABLE, PUT_OFF = {"scheduled", "failed", "cancelled"}, {"scheduled", "cancelled"}
LEADS_TO = {
    "succeeded": {"succeeded"}, "cancelled": {"cancelled"}, "started_others": {"waiting"},
    "failed": RETRYABLE, "timed_out": RETRYABLE, "died": RETRYABLE, "lost": RETRYABLE,
    "snoozed": PUT_OFF, "busy": PUT_OFF, "unreachable": PUT_OFF, "returned": PUT_OFF,
}  # fmt: skip


class Entry(NamedTuple):
    """One thing that a transaction did: a task's move, a settlement owed or settled, slots taken or given back."""

    xact: int
    kind: str
    task: UUID | None
    lane: int
    before: str | None
    after: str | None
    token: UUID | None
    slots: int | None


@dataclass(frozen=True)
class Trace:
    """What happened, in its order, and what is there now."""

    entries: list[Entry]
    attempts: list[tuple[UUID, int, UUID, str]]  # task, number, token, outcome
    events: list[tuple[UUID, int]]  # task, attempt
    settlements: set[UUID]
    statuses: dict[UUID, str]


class Unexplained(AssertionError):
    """Something happened that the model does not have."""


@contextmanager
def recorded() -> Iterator[None]:
    """Write down all moves from here on, and replay them at the end, unless something else went wrong."""
    with connection.cursor() as cursor:
        cursor.execute(INSTALL)
    try:
        yield
        replay(read())
    finally:
        with connection.cursor() as cursor:
            cursor.execute(REMOVE)


def forget() -> None:
    """Begin anew: the tables are emptied."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM chaos_trace")


def read() -> Trace:
    """Read it all, while nobody is at work: else ids would come in another order than the commits."""

    def rows(statement: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    columns = "xact::text::bigint, " + ", ".join(Entry._fields[1:])
    return Trace(
        [Entry(*row) for row in rows(f"SELECT {columns} FROM chaos_trace ORDER BY id")],
        rows("SELECT task_id, number, token, outcome FROM attempt"),
        rows("SELECT task_id, attempt FROM event"),
        {row[0] for row in rows("SELECT token FROM settlement")},
        dict(rows("SELECT id, status FROM task")),
    )


def replay(trace: Trace) -> Counter[str]:
    """Replay what happened against the table of moves; return how often each was made.

    Raises:
        Unexplained: with the first thing that does not follow from what was before.
    """
    replaying = _Replay(trace)
    replaying.run()
    return replaying.made


class _Replay:
    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._outcomes = {token: outcome for _, _, token, outcome in trace.attempts}
        self.made: Counter[str] = Counter()
        self._statuses: dict[UUID, str] = {}
        self._claims: defaultdict[UUID, list[UUID | None]] = defaultdict(list)
        self._finished: set[UUID | None] = set()
        self._outstanding: set[UUID] = set()
        # By transaction: the settlements that it leaves for a task, and what its moves and
        # settlements do to a lane's slots, less what was done.
        self._left: defaultdict[tuple[int, UUID | None], list[Entry]] = defaultdict(list)
        self._slots: Counter[tuple[int, int]] = Counter()

    def run(self) -> None:
        act = {"move": self._move, "owed": self._owe, "settled": self._settle, "taken": self._take}
        for entry in self._trace.entries:
            if entry.kind == "owed":
                self._left[entry.xact, entry.task].append(entry)
        for entry in self._trace.entries:
            act[entry.kind](entry)
        self._end()

    def _move(self, entry: Entry) -> None:
        assert entry.task is not None
        before = self._statuses.get(entry.task, NEW)
        _explain(entry.before == before, entry, f"it was {before} before")
        move = BY_ENDS.get((str(entry.before), str(entry.after)))
        if move is None:
            raise Unexplained(f"{entry}: the model has no such move")
        self._statuses[entry.task] = move.after
        self.made[move.name] += 1
        self._slots[entry.xact, entry.lane] += move.taken
        claims = self._claims[entry.task]
        if move.name == "claim":
            _explain(entry.token is not None and entry.token not in claims, entry, "the token is not new")
            claims.append(entry.token)
        left = [(one.slots, one.token) for one in self._left[entry.xact, entry.task]]
        if move.owes == SLOT:
            _explain(claims[-1:] == [entry.token], entry, "the token is not that of its claim")
            _explain(entry.token not in self._finished, entry, "it ends a second time")
            self._finished.add(entry.token)
            outcome = self._outcomes.get(entry.token, "nothing") if entry.token else "nothing"
            _explain(move.after in LEADS_TO.get(outcome, ()), entry, f"its attempt is recorded as {outcome}")
            _explain((1, entry.token) in left, entry, "it leaves no settlement of its slot")
        elif move.owes == LOOK:
            _explain(all(slots == 0 for slots, _ in left), entry, "it has no slot to be settled")

    def _owe(self, entry: Entry) -> None:
        assert entry.token is not None
        self._outstanding.add(entry.token)

    def _settle(self, entry: Entry) -> None:
        assert entry.token is not None
        _explain(entry.token in self._outstanding, entry, "it is not owed, or no more")
        self._outstanding.remove(entry.token)
        self._slots[entry.xact, entry.lane] -= entry.slots or 0

    def _take(self, entry: Entry) -> None:
        self._slots[entry.xact, entry.lane] -= entry.slots or 0

    def _end(self) -> None:
        """What is there now is what came of it, nothing else."""
        wrong = {place: slots for place, slots in self._slots.items() if slots}
        _explain(not wrong, wrong, "(transaction, lane): slots that nothing explains")
        _explain(self._outstanding == self._trace.settlements, self._outstanding, "other settlements are there")
        _explain(self._statuses == self._trace.statuses, self._statuses, "other statuses are there")
        _explain(self._finished == set(self._outcomes), self._finished, "other attempts are recorded")
        for task, number, token, _ in self._trace.attempts:
            _explain(self._claims[task][number - 1 : number] == [token], task, f"its claim {number} was another")
        for task, attempt in self._trace.events:
            _explain(0 < attempt <= len(self._claims[task]), task, f"it speaks of an attempt {attempt} that never was")


def _explain(is_so: bool, what: object, otherwise: str) -> None:
    if not is_so:
        raise Unexplained(f"{what}: {otherwise}")
