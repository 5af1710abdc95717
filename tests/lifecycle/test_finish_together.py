"""Ends of a claim are recorded together: all in one commit, and none suffers from what is wrong with another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.cluster import recorder
from tasks.direct import connection_parameters
from tasks.lifecycle import ending, fill, finish, recover, run, sweep
from tasks.lifecycle.accept import accept
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed, claim_tasks
from tasks.lifecycle.finish import Ended
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.live import channels
from tasks.models import Attempt, Lane, Settlement, Task
from tasks.sql.turns import SharedConnections
from tests.chaos import laws
from tests.chaos.proxy import Proxy, connected_through

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ECHO = Submission("diagnostic.echo", {"message": "x"})
RESULT = {"engine": {"name": "portal", "version": "0"}, "message": "x"}


@pytest.fixture
def carol(make_user: Callable[..., User]) -> User:
    return make_user("carol", slots=64)


@pytest.fixture
def claim_many(carol: User, node: UUID) -> Callable[[int], list[Claimed]]:
    """Submit so many short tasks and claim them at once."""

    def claim(count: int) -> list[Claimed]:
        submit_batch(carol, [ECHO] * count)
        Task.objects.update(est_seconds=0.0001)
        claimed = claim_tasks(cluster="default", node=node, pid=1, tokens=[uuid4() for _ in range(32)])
        assert len(claimed) >= count
        return claimed

    return claim


def succeed(claimed: list[Claimed]) -> list[Ended]:
    return [Ended(one, ending.succeeded(RESULT)) for one in claimed]


def statuses(claimed: list[Claimed]) -> list[str]:
    found = dict(Task.objects.filter(pk__in=[one.id for one in claimed]).values_list("pk", "status"))
    return [found[one.id] for one in claimed]


def test_thirty_two_ends_are_one_statement_and_one_settlement(
    claim_many: Callable[[int], list[Claimed]], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = claim_many(32)
    sent: list[str] = []
    real = sql._sent
    monkeypatch.setattr(sql, "_sent", lambda name, *rest: sent.append(name) or real(name, *rest))
    run.record_together(succeed(claimed))
    assert [sent.count(f"lifecycle/{name}") for name in ("finish", "settle", "fill")] == [1, 1, 1]
    assert set(statuses(claimed)) == {"succeeded"}
    assert Attempt.objects.count() == 32
    assert not Settlement.objects.exists()
    assert Lane.objects.get().taken == 0


def test_each_end_has_its_own_outcome(claim_many: Callable[[int], list[Claimed]], carol: User) -> None:
    claimed = claim_many(4)
    cancel_task(claimed[2].id, by=carol)
    again = errors.Retry("not yet", after=60.0)
    ends = [
        ending.succeeded(RESULT),
        ending.failed(claimed[1], errors.GiveUp("no")),
        ending.failed(claimed[2], again),
        ending.failed(claimed[3], again),
    ]
    run.record_together([Ended(one, how) for one, how in zip(claimed, ends, strict=True)])
    assert statuses(claimed) == ["succeeded", "failed", "cancelled", "scheduled"]
    outcomes = dict(Attempt.objects.values_list("task", "outcome"))
    assert [outcomes[one.id] for one in claimed] == ["succeeded", "failed", "failed", "failed"]
    assert Task.objects.get(pk=claimed[0].id).content.result == RESULT
    assert Task.objects.get(pk=claimed[3].id).run_after is not None
    laws.check(laws.take_picture(), accepted={one.id for one in claimed})


def test_superseded_member_is_left_alone(claim_many: Callable[[int], list[Claimed]], node: UUID) -> None:
    claimed = claim_many(3)
    assert recover.give_back(node, [claimed[1].token]) == 1
    run.record_together(succeed(claimed))
    assert statuses(claimed) == ["succeeded", "scheduled", "succeeded"]
    assert list(Attempt.objects.filter(task=claimed[1].id).values_list("outcome", flat=True)) == ["returned"]


def test_member_that_cannot_be_stored_fails_alone(claim_many: Callable[[int], list[Claimed]]) -> None:
    claimed = claim_many(5)
    ended = succeed(claimed)
    ended[2] = Ended(claimed[2], ending.succeeded({"engine": {}, "text": "\0"}))
    run.record_together(ended)
    assert statuses(claimed) == ["succeeded", "succeeded", "failed", "succeeded", "succeeded"]
    assert "cannot be stored" in Task.objects.get(pk=claimed[2].id).error["message"]
    laws.check(laws.take_picture(), accepted={one.id for one in claimed})


def test_member_whose_row_somebody_holds_keeps_no_other_waiting(claim_many: Callable[[int], list[Claimed]]) -> None:
    claimed = claim_many(4)
    ended = succeed(claimed)
    with _holding("SELECT FROM task WHERE id = %s FOR UPDATE", claimed[1].id):
        assert run.record_together(ended) == [ended[1]]
        assert statuses(claimed) == ["succeeded", "running", "succeeded", "succeeded"]
        assert run.record_together([ended[1]]) == [ended[1]]
    assert run.record_together([ended[1]]) == []
    assert set(statuses(claimed)) == {"succeeded"}


def test_lane_that_somebody_holds_keeps_no_other_users_slots(
    claim_many: Callable[[int], list[Claimed]], make_user: Callable[..., User], node: UUID
) -> None:
    dave = make_user("dave", slots=64)
    submit_batch(dave, [ECHO] * 2)
    claimed = claim_many(4)
    with _holding("SELECT FROM lane WHERE user_id = %s FOR UPDATE", dave.pk):
        assert run.record_together(succeed(claimed)) == []
        assert set(statuses(claimed)) == {"succeeded"}
        taken = dict(Lane.objects.values_list("user__email", "taken"))
        assert taken == {"carol@example.com": 0, "dave@example.com": 2}
    assert Settlement.objects.count() == 2


def test_group_whose_lane_somebody_holds_is_recorded_and_settled_later(
    claim_many: Callable[[int], list[Claimed]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under the lock of a frozen session: the worker goes on after a tenth of a second."""
    claimed = claim_many(32)
    with _holding("SELECT FROM lane WHERE id = %s FOR UPDATE", claimed[0].lane_id):
        assert run.record_together(succeed(claimed)) == []
        assert set(statuses(claimed)) == {"succeeded"}
    assert Settlement.objects.count() == 32
    monkeypatch.setattr(sweep, "STALE", timedelta(0))
    assert sweep.settle_old() == 32
    assert Lane.objects.get().taken == 0


@contextmanager
def _holding(lock: str, what: UUID | int) -> Iterator[None]:
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(lock, [what])
            yield
            cursor.execute("ROLLBACK")
    finally:
        holder.close()


def test_recorder_tries_again_what_somebody_held(claim_many: Callable[[int], list[Claimed]]) -> None:
    claimed = claim_many(2)
    shared = SharedConnections(1)
    made = recorder.Recorder(shared, keep_seconds=0.001)
    waiting = threading.Thread(target=made.keep_and_wait, args=[succeed(claimed)[0]])
    with _holding("SELECT FROM task WHERE id = %s FOR UPDATE", claimed[0].id):
        waiting.start()
        # Meanwhile others are recorded.
        made.keep_and_wait(succeed(claimed)[1])
        assert statuses(claimed) == ["running", "succeeded"]
    waiting.join(120)
    assert set(statuses(claimed)) == {"succeeded"}
    _close(shared)


def test_recorder_without_a_thread_records_all_the_same(
    claim_many: Callable[[int], list[Claimed]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_self: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(recorder, "SILENCE_SECONDS", 0.01)
    made = recorder.Recorder(SharedConnections(1), keep_seconds=0.001)
    monkeypatch.setattr(recorder.Recorder, "start", start)
    claimed = claim_many(2)
    made.keep(succeed(claimed)[0])
    made.keep_and_wait(succeed(claimed)[1])
    assert set(statuses(claimed)) == {"succeeded"}


def test_end_that_cannot_be_recorded_at_all_takes_no_other_along(
    claim_many: Callable[[int], list[Claimed]], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = claim_many(4)
    real = finish._as_json

    def broken(ended: Ended, now: float) -> dict[str, object]:
        if ended.claimed == claimed[1]:
            raise TypeError("no JSON")
        return real(ended, now)

    monkeypatch.setattr(finish, "_as_json", broken)
    with pytest.raises(TypeError):
        run.record_together(succeed(claimed))
    assert statuses(claimed) == ["succeeded", "running", "succeeded", "succeeded"]


def _close(shared: SharedConnections) -> None:
    # In a thread: a turn takes the place of the connection that a thread has of its own.
    def close() -> None:
        with shared.turn():
            connection.close()

    closing = threading.Thread(target=close)
    closing.start()
    closing.join()


def test_dependents_are_let_go_and_children_started(
    claim_many: Callable[[int], list[Claimed]], carol: User, node: UUID
) -> None:
    claimed = claim_many(3)
    [child] = submit_batch(carol, [Submission(ECHO.type, ECHO.input, needs=(claimed[0].id,))]).batch.tasks.all()
    assert child.status == "waiting"
    ended = succeed(claimed)
    started = accept(carol, limits_of(carol), ECHO, started_by=claimed[2].id)
    ended[2] = Ended(claimed[2], ending.started_others([(started, "part")]))
    made = recorder.Recorder(SharedConnections(1), keep_seconds=60)
    for one in ended:
        made.keep(one)
    made.record_all()
    assert statuses(claimed) == ["succeeded", "succeeded", "waiting"]
    child.refresh_from_db()
    assert child.status == "ready"
    assert Task.objects.get(pk=started.id).status == "ready"


def test_group_that_was_committed_and_whose_answer_was_lost_is_known_by_its_tokens(
    claim_many: Callable[[int], list[Claimed]],
    proxy: Proxy,
) -> None:
    first, *claimed = claim_many(6)
    ids = [one.id for one in claimed]

    def committed() -> bool:
        return Task.objects.filter(pk__in=ids, status="succeeded").count() == len(ids)

    with connected_through(proxy):
        lost: list[bool] = []

        def lose_the_answer() -> None:
            deadline = time.monotonic() + 60
            while not committed() and time.monotonic() < deadline:
                time.sleep(0.005)
            lost.append(committed())
            connection.close()
            proxy.refuse()
            proxy.serve()

        real = sql._sent
        sent: list[str] = []

        def send(name: str, *rest: Any) -> Any:
            sent.append(name)
            if sent.count("lifecycle/finish") == 1 and name == "lifecycle/finish":
                proxy.swallow_answers()
                watcher.start()
            return real(name, *rest)

        watcher = threading.Thread(target=lose_the_answer)
        # The statement is prepared with it.
        finish.finish_attempts(succeed([first]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sql, "_sent", send)
            assert finish.finish_attempts(succeed(claimed)) == {one.token for one in claimed}
        watcher.join()
    assert lost == [True]
    assert Attempt.objects.count() == len(claimed) + 1
    sweep.settle_old()
    assert Lane.objects.get().taken == 0


def test_settlement_of_a_group_that_is_lost_is_made_up_for_once(
    claim_many: Callable[[int], list[Claimed]], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = claim_many(6)
    assert len(finish.record_ends(succeed(claimed))) == 6
    assert Lane.objects.get().taken == 6
    monkeypatch.setattr(sweep, "STALE", timedelta(0))
    assert sweep.settle_old() == 6
    assert sweep.settle_old() == 0
    assert Lane.objects.get().taken == 0


def test_time_that_an_end_stood_behind_others_is_not_charged(claim_many: Callable[[int], list[Claimed]]) -> None:
    began = time.monotonic()
    claimed = claim_many(2)
    before = Lane.objects.get().vfinish
    time.sleep(1.2)
    at = time.monotonic() - 1.0
    run.record_together([Ended(one, ending.succeeded(RESULT), at) for one in claimed])
    without_the_second = time.monotonic() - began - 0.9
    for attempt in Attempt.objects.all():
        assert (attempt.finished_at - attempt.started_at).total_seconds() < without_the_second
    lane = Lane.objects.get()
    assert (lane.vfinish - before) * lane.weight < 2 * without_the_second


def test_large_results_are_not_gathered_into_one_statement(
    claim_many: Callable[[int], list[Claimed]], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = claim_many(6)
    groups: list[int] = []

    def record(ended: list[Ended]) -> list[Ended]:
        groups.append(len(ended))
        return []

    monkeypatch.setattr(recorder, "record_together", record)
    made = recorder.Recorder(SharedConnections(1), keep_seconds=60)
    for one, size in zip(claimed, (1_000, 3_000_000, 2_000_000, 9_000_000, 1_000, 1_000), strict=True):
        made.keep(Ended(one, ending.succeeded(RESULT, size_bytes=size)))
    assert groups == [2, 1, 1], "recorded as soon as it is much"
    made.record_all()
    assert groups == [2, 1, 1, 2]


def test_a_group_is_told_of_by_one_notice(claim_many: Callable[[int], list[Claimed]]) -> None:
    with psycopg.connect(**connection_parameters(), autocommit=True) as ear:
        ear.execute("LISTEN portal_task")
        claimed = claim_many(32)
        run.record_together(succeed(claimed))
        notices = _heard(ear)
    # A submission tells of its first twenty one by one.
    running, ended = (said for said in notices if len(said) > 1)
    assert [one["id"] for one in running] == [str(one.id) for one in claimed]
    assert {(one["id"], one["status"]) for one in ended} == {(str(one.id), "succeeded") for one in claimed}


def test_what_does_not_fit_one_notice_is_told_in_several(claim_many: Callable[[int], list[Claimed]]) -> None:
    claimed = claim_many(20)
    lane = claimed[0].lane_id
    owed = [
        Settlement(token=uuid4(), task_id=one.id, lane_id=lane, charge_seconds=0.0, slots=0)
        for one in claimed
        for _ in range(8)
    ]
    Settlement.objects.bulk_create(owed)
    with psycopg.connect(**connection_parameters(), autocommit=True) as ear:
        ear.execute("LISTEN portal_task")
        fill.settle_plain([(one.token, lane) for one in owed])
        notices = _heard(ear)
    assert sum(map(len, notices)) == 160
    assert len(notices) == 4


def _heard(ear: psycopg.Connection[Any]) -> list[list[dict[str, Any]]]:
    """Return what each notice so far says; they come in the order of the commits, so what is said now comes last."""
    ear.execute("LISTEN the_end; NOTIFY the_end")
    heard = takewhile(lambda notice: notice.channel != "the_end", ear.notifies(timeout=60))
    return [channels.messages_in(notice.payload) for notice in heard]
