"""Any order of things that can happen to tasks, two at once, on real Postgres: the laws hold after every step."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tasks.lifecycle import sweep
from tasks.statuses import MOVES, REVIVABLE, TERMINAL, Status
from tests.chaos import laws, trace
from tests.chaos.conftest import say
from tests.chaos.world import PEOPLE, Action, World

# In every run; of the others Hypothesis chooses some, so that runs differ in kind.
ALWAYS = ("submit", "claim", "finish", "upkeep")
ALONE = ("let_time_pass", "be_late", "turn_short")  # writes of the test's own, in no order of locks
SOMETIMES = (
    "submit_many", "cancel", "cancel_many", "ask_to_cancel_and_crash", "retry", "change_plan", "pause", "resume",
    "pause_type", "resume_type", "move", "change_priority", "give_back", "finish_with_an_old_token",
    "say", "lose_the_node", "recover_lost_nodes", "fill", *ALONE,
)  # fmt: skip
# Short enough to end in time.
RUNS_A_ROUND = 10
people = st.integers(0, PEOPLE - 1)
picks = st.integers(0, 10_000)

# Statements take a fraction of a millisecond: two at once would rarely meet in the middle.
DAWDLE = """
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF random() < 0.2 THEN PERFORM pg_sleep(0.004 * random()); END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER dawdle BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION dawdle();
    CREATE TRIGGER dawdle BEFORE UPDATE ON lane FOR EACH ROW EXECUTE FUNCTION dawdle();
"""

_pool: ThreadPoolExecutor


class LifecycleMachine(RuleBasedStateMachine):
    """Runs actions of the world one by one, or two at once on two connections."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        trace.forget()
        self.before = laws.take_picture()

    @initialize(chosen=st.sets(st.sampled_from(SOMETIMES), min_size=4))
    def choose_actions(self, chosen: set[str]) -> None:
        self.actions = [*ALWAYS * 2, *sorted(chosen)]

    @rule(action=picks, who=people, pick=picks, number=picks)
    def act(self, action: int, who: int, pick: int, number: int) -> None:
        self._prepare(self.actions, action, who, pick, number)()

    @rule(first=picks, second=picks, who=people, pick=picks, number=picks, same=st.booleans())
    def act_at_once(self, first: int, second: int, who: int, pick: int, number: int, same: bool) -> None:
        """Half of the time both pick the same user and task."""
        racing = [name for name in self.actions if name not in ALONE]
        other = (who, pick) if same else (1 - who, pick + 1)
        actions = [
            self._prepare(racing, first, who, pick, number),
            self._prepare(racing, second, *other, number // 3),
        ]
        barrier = threading.Barrier(len(actions))

        def run(action: Action) -> None:
            barrier.wait()
            action()

        for future in [_pool.submit(run, action) for action in actions]:
            future.result()

    def _prepare(self, names: list[str], action: int, who: int, pick: int, number: int) -> Action:
        prepare = getattr(self.world, names[action % len(names)])
        prepared: Action = prepare(who, pick, number)
        return prepared

    @invariant()
    def the_laws_hold(self) -> None:
        picture = laws.take_picture()
        laws.check(picture, accepted=self.world.accepted)
        if not self.world.may_be_passed_over:
            laws.check_order(picture)
        assert set(picture.tasks) == set(self.world.accepted), "a task that nobody was promised"
        self._only_legal_moves_were_made(picture)
        self._no_lane_took_more_than_its_slots(picture)
        self.before = picture
        self.world.begin_step()

    def _only_legal_moves_were_made(self, picture: laws.Picture) -> None:
        for id_, old in self.before.tasks.items():
            new = picture.tasks[id_]
            assert new.version >= old.version
            if new.status != old.status:
                assert new.version > old.version
                assert _reachable(Status(old.status), Status(new.status), revived=id_ in self.world.revived)

    def _no_lane_took_more_than_its_slots(self, picture: laws.Picture) -> None:
        """After a plan has shrunk, a lane may have more for a while, but never comes to more."""
        owners = {task.lane: task.owner for task in picture.tasks.values()}
        for lane, (slots, taken) in picture.lanes.items():
            old_slots, old_taken = self.before.lanes.get(lane, (0, 0))
            between = self.world.most_slots[owners[lane]] if lane in owners else 0
            assert taken <= max(slots, old_slots, between, old_taken)

    def teardown(self) -> None:
        """Whatever happened: with open queues, slots and nodes, everything ends and all slots come back."""
        if hasattr(self, "actions"):
            self.world.let_everything_end()
            laws.check_settled(laws.take_picture(), accepted=self.world.accepted)
            trace.replay(trace.read())


def _reachable(before: Status, after: Status, *, revived: bool) -> bool:
    """Several moves may be made between two looks; an end is left only because a person asked."""
    seen: set[Status] = {before}
    front: set[Status] = {before}
    while front:
        moving = {status for status in front if status not in TERMINAL or (revived and status in REVIVABLE)}
        front = {following for status in moving for following in MOVES[status]} - seen
        seen |= front
    return after in seen


@pytest.fixture
def _two_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads that keep their connections; what the upkeep would leave alone for a second it takes at once."""
    global _pool
    monkeypatch.setattr(sweep, "STALE", timedelta(0))
    threads = 2
    barrier = threading.Barrier(threads)

    def close() -> None:
        barrier.wait()  # so that each thread closes its own
        connection.close()

    with ThreadPoolExecutor(threads) as _pool:
        yield
        for future in [_pool.submit(close) for _ in range(threads)]:
            future.result()


@pytest.fixture
def _slow_rows(transactional_db: None) -> Iterator[None]:
    """Changing a row takes a while now and then."""
    with connection.cursor() as cursor:
        cursor.execute(DAWDLE)
    with trace.recorded():
        yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION dawdle() CASCADE")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.usefixtures("_slow_rows", "_two_connections")
@pytest.mark.timeout(7200)
def test_whatever_happens_in_whatever_order_the_laws_hold() -> None:
    """Once in `make test`; in `make chaos` round after round, each with a seed of its own, until the time is over."""
    if "CHAOS_SECONDS" not in os.environ:
        return _run(LifecycleMachine, int(os.environ.get("CHAOS_EXAMPLES", "25")))
    ends_at = time.monotonic() + float(os.environ["CHAOS_SECONDS"])
    rounds = 0
    while not rounds or time.monotonic() < ends_at:
        chosen = f"{os.environ.get('CHAOS_SEED', '0')}.{rounds}"
        _run(seed(chosen)(type(f"Round{rounds}", (LifecycleMachine,), {})), RUNS_A_ROUND)
        rounds += 1
        say(f"round {rounds}, seed {chosen}, {max(0, ends_at - time.monotonic()):.0f} s to go")
    return None


def _run(machine: type[LifecycleMachine], runs: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=40,
            deadline=None,
            # Shrinking takes minutes, and whoever only asks whether there is a failure does not need it.
            phases=[Phase.generate] if os.environ.get("CHAOS_SHRINK") == "0" else list(Phase),
            suppress_health_check=list(HealthCheck),
            database=None,
            print_blob=True,
        ),
    )
