"""Ends of a claim are recorded together: all in one commit, and none suffers from what is wrong with another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.cluster import recorder
from tasks.lifecycle import ending, finish, recover, run, sweep
from tasks.lifecycle.accept import accept
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed, claim_tasks
from tasks.lifecycle.finish import Ended
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import Attempt, Lane, Settlement, Task
from tasks.sql.turns import SharedConnections
from tests.chaos import laws
from tests.chaos.proxy import Proxy, connected_through

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

RESULT = {"engine": {"name": "portal", "version": "0"}, "message": "x"}


@pytest.fixture
def carol(make_user: Callable[..., User]) -> User:
    return make_user("carol", slots=64)


@pytest.fixture
def claim_many(carol: User, node: UUID) -> Callable[[int], list[Claimed]]:
    """Submit so many short tasks and claim them at once."""

    def claim(count: int) -> list[Claimed]:
        submit_batch(carol, [Submission("diagnostic.echo", {"message": "x"})] * count)
        Task.objects.update(est_seconds=0.0001)
        claimed = claim_tasks(cluster="default", node=node, pid=1, tokens=[uuid4() for _ in range(32)])
        assert len(claimed) == count
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
    others = [claimed[0], *claimed[2:]]
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM task WHERE id = %s FOR UPDATE", [claimed[1].id])
            recording = threading.Thread(target=_record_and_close, args=[succeed(claimed)])
            recording.start()
            deadline = time.monotonic() + 10
            while set(statuses(others)) != {"succeeded"}:
                assert time.monotonic() < deadline, statuses(claimed)
                time.sleep(0.01)
            assert statuses(claimed)[1] == "running"
            cursor.execute("COMMIT")
    finally:
        holder.close()
    recording.join(10)
    assert set(statuses(claimed)) == {"succeeded"}


def _record_and_close(ended: list[Ended]) -> None:
    try:
        run.record_together(ended)
    finally:
        connection.close()


def test_dependents_are_let_go_and_children_started(
    claim_many: Callable[[int], list[Claimed]], carol: User, node: UUID
) -> None:
    claimed = claim_many(3)
    echo = Submission("diagnostic.echo", {"message": "y"})
    [child] = submit_batch(carol, [Submission(echo.type, echo.input, needs=(claimed[0].id,))]).batch.tasks.all()
    assert child.status == "waiting"
    ended = succeed(claimed)
    started = accept(carol, limits_of(carol), echo, started_by=claimed[2].id)
    ended[2] = Ended(claimed[2], ending.started_others([(started, "part")]))
    run.record_together(ended)
    assert statuses(claimed) == ["succeeded", "succeeded", "waiting"]
    child.refresh_from_db()
    assert child.status == "ready"
    assert Task.objects.get(pk=started.id).status == "ready"


def test_group_that_was_committed_and_whose_answer_was_lost_is_known_by_its_tokens(
    claim_many: Callable[[int], list[Claimed]],
    proxy: Proxy,
) -> None:
    claimed = claim_many(5)
    ids = [one.id for one in claimed]

    def committed() -> bool:
        return Task.objects.filter(pk__in=ids, status="succeeded").count() == len(ids)

    with connected_through(proxy):
        lost: list[bool] = []

        def lose_the_answer() -> None:
            deadline = time.monotonic() + 10
            while not committed() and time.monotonic() < deadline:
                time.sleep(0.005)
            lost.append(committed())
            connection.close()
            proxy.refuse()
            proxy.serve()

        through = connections["default"]
        real = through.commit
        commits: list[int] = []

        def commit() -> None:
            commits.append(1)
            if len(commits) == 1:
                proxy.swallow_answers()
                watcher.start()
            real()

        watcher = threading.Thread(target=lose_the_answer)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(through, "commit", commit)
            assert finish.finish_attempts(succeed(claimed)) == {one.token for one in claimed}
        watcher.join(10)
    assert lost == [True]
    assert Attempt.objects.count() == len(claimed)
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
    claimed = claim_many(2)
    before = Lane.objects.get().vfinish
    time.sleep(1.2)
    at = time.monotonic() - 1.0
    run.record_together([Ended(one, ending.succeeded(RESULT), at) for one in claimed])
    for attempt in Attempt.objects.all():
        assert (attempt.finished_at - attempt.started_at).total_seconds() < 0.9
    assert Lane.objects.get().vfinish - before < 2 * 0.9


def test_large_results_are_not_gathered_into_one_statement(
    claim_many: Callable[[int], list[Claimed]], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = claim_many(5)
    groups: list[int] = []
    monkeypatch.setattr(recorder, "record_together", lambda ended: groups.append(len(ended)))
    large = recorder.Recorder(SharedConnections(1), keep_seconds=60)
    for one, size in zip(claimed, (1_000, 3_000_000, 2_000_000, 9_000_000, 1_000), strict=True):
        large.keep(Ended(one, ending.succeeded(RESULT, size_bytes=size)))
    assert large.is_full
    large.record()
    assert groups == [2, 1, 1, 1]
    assert not large.is_full
