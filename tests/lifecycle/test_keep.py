"""What attempts keep for those after them: fenced, bounded, gone with the task."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import ending, finish, keep, purge
from tasks.lifecycle.attempt_context import AttemptContext, Superseded
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.retry import retry_task, retry_with_input
from tasks.lifecycle.sweep import start_due
from tasks.models import KeptPiece, Task
from tests.attempts import Uninterrupted

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]
PIECES = [{"text": "nul \0, half \ud800, é"}, [0.1, 1e-300, 1.0], "", None]


def context_of(claimed: Claimed | None) -> AttemptContext:
    assert claimed is not None
    return AttemptContext(claimed, Uninterrupted())


def claim_again(claim: Claim) -> Claimed | None:
    Task.objects.filter(status="scheduled").update(run_after=Now() - timedelta(seconds=1))
    start_due()
    return claim()


def test_next_attempt_gets_what_was_kept_in_order_and_goes_on_after_it(
    alice: User, submit: Submit, claim: Claim
) -> None:
    submit(alice)
    claimed = claim()
    first = context_of(claimed)
    assert first.kept("sound") == []
    for piece in PIECES[:3]:
        first.keep(piece, "sound")
    first.keep("other", "weights have changed")
    assert claimed is not None
    finish.finish_attempt(claimed, ending.failed(claimed, errors.HandlerError("once more")))
    assert keep.forget_kept_pieces() == 0, "the task goes on"

    second = context_of(claim_again(claim))
    # Without asking before: what is there stays.
    second.keep(PIECES[3], "sound")
    assert second.kept("sound") == PIECES
    assert (second.kept("weights have changed"), second.kept()) == (["other"], [])


def test_superseded_attempt_keeps_nothing(alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice)
    stale = context_of(claim())
    stale.keep("mine")
    Task.objects.filter(pk=task.pk).update(token=uuid4())
    with pytest.raises(Superseded):
        stale.keep("stale")
    Task.objects.filter(pk=task.pk).update(status="held", token=None)
    with pytest.raises(Superseded):
        stale.keep("stale")
    assert KeptPiece.objects.count() == 1


def test_a_piece_that_is_sent_twice_is_kept_once_and_a_gap_ends_what_is_read(
    alice: User, submit: Submit, claim: Claim
) -> None:
    submit(alice)
    claimed = claim()
    assert claimed is not None
    # The first answer was lost on its way.
    assert keep.keep_piece(claimed, "", 0, "a")
    assert keep.keep_piece(claimed, "", 0, "a")
    assert keep.keep_piece(claimed, "", 2, "c")
    assert keep.read_pieces(claimed.id, "") == ["a"]


def test_what_an_attempt_kept_behind_a_gap_is_not_taken_for_what_the_next_one_did(
    alice: User, submit: Submit, claim: Claim
) -> None:
    """The server lost some pieces of an attempt, which went on; the next one begins before them, and cuts otherwise."""
    submit(alice)
    claimed = claim()
    assert claimed is not None
    for number in (0, 2, 3):
        keep.keep_piece(claimed, "", number, "old")
    keep.keep_piece(claimed, "another", 1, "old")
    context_of(claimed).keep("new")
    assert keep.read_pieces(claimed.id, "") == ["old", "new"]
    assert KeptPiece.objects.filter(key="another").exists()


def test_what_was_kept_of_another_input_is_forgotten(alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice)
    claimed = claim()
    assert claimed is not None
    context_of(claimed).keep("of the first input")
    finish.finish_attempt(claimed, ending.failed(claimed, errors.GiveUp("no")))
    retry_with_input(task.pk, {"message": "another"}, by=alice)
    assert context_of(claim()).kept() == []


def test_more_than_a_task_may_keep_is_refused_with_the_limit(
    alice: User, submit: Submit, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep, "MOST_BYTES", 2 * keep.MIB)
    submit(alice)
    context = context_of(claim())
    context.keep("x" * keep.MIB)
    with pytest.raises(errors.TooMuchKept, match=r"2\.1 MB in all"):
        context.keep("y" * keep.MIB, "another key")
    context.keep("z")
    assert [piece[0] for piece in context.kept()] == ["x", "z"]
    for piece, key in ((object(), ""), ("a", "k" * 201)):
        with pytest.raises(errors.GiveUp):
            context.keep(piece, key)


@pytest.mark.parametrize("how", ["duty", "purge", "retention"])
def test_it_is_gone_when_the_task_has_ended(alice: User, submit: Submit, claim: Claim, how: str) -> None:
    task, other = submit(alice), submit(alice)
    claimed, running = claim(), claim()
    assert claimed is not None
    assert {task.pk, other.pk} == {claimed.id, running and running.id}
    for one in (claimed, running):
        context_of(one).keep("secret")
    finish.finish_attempt(claimed, ending.failed(claimed, errors.GiveUp("no")))
    if how == "duty":
        assert (keep.forget_kept_pieces(), keep.forget_kept_pieces()) == (1, 0)
    elif how == "purge":
        purge.purge_task(claimed.id, by=alice)
    else:
        Task.objects.filter(pk=claimed.id).update(keep_until=Now() - timedelta(seconds=1))
        assert purge.purge_content() == 1
    assert [piece.task_id for piece in KeptPiece.objects.all()] == [running and running.id]


def test_what_a_retried_task_has_kept_is_not_taken_from_its_new_attempt(
    alice: User, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    claimed = claim()
    context_of(claimed).keep("a")
    assert claimed is not None
    finish.finish_attempt(claimed, ending.failed(claimed, errors.GiveUp("no")))
    with transaction.atomic():
        # Somebody is just retrying it.
        Task.objects.select_for_update().get(pk=task.pk)
        found = _in_another_connection()
    assert found == 0
    retry_task(task.pk, by=alice)
    assert keep.forget_kept_pieces() == 0
    assert context_of(claim()).kept() == ["a"]


def _in_another_connection() -> int:

    def forget() -> int:
        try:
            return sql.count("lifecycle/forget_kept", {"limit": 10})
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(forget).result()
