"""Progress never goes back, whoever writes it: only a retry that a person asks for begins anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle import ending, finish, sweep
from tasks.lifecycle.attempt_context import AttemptContext
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.retry import retry_task
from tasks.models import Event, Task
from tests.attempts import Uninterrupted

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed | None]
Submit = Callable[..., Task]
FORWARD = """
    CREATE FUNCTION test_progress_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.status NOT IN ('failed', 'cancelled', 'expired')
           AND coalesce(NEW.progress_fraction, -1) < coalesce(OLD.progress_fraction, -1) THEN
            RAISE 'progress of % went from % to %', OLD.id, OLD.progress_fraction, NEW.progress_fraction;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER test_progress BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION test_progress_goes_forward()
"""


@pytest.fixture(autouse=True)
def _going_back_is_an_error(transactional_db: None) -> Iterator[None]:
    """The database itself refuses a row whose progress goes back."""
    with connection.cursor() as cursor:
        cursor.execute(FORWARD)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER test_progress ON task; DROP FUNCTION test_progress_goes_forward")


def say(claimed: Claimed | None, fraction: float) -> float | None:
    """Say how far it is as a handler does; return how far it is shown to be."""
    assert claimed is not None
    context = AttemptContext(claimed, Uninterrupted())
    context.progress(fraction, f"at {fraction}")
    context.flush()
    return Task.objects.values_list("progress_fraction", flat=True).get(pk=claimed.id)


def claim_again(claim: Claim) -> Claimed | None:
    """Claim what waits for its next attempt, whose time has come."""
    Task.objects.filter(status="scheduled").update(run_after=Now() - timedelta(seconds=1))
    sweep.start_due()
    return claim()


def test_attempt_that_begins_anew_shows_what_was_reached_until_it_is_further(
    alice: User, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    claimed = claim()
    assert claimed is not None
    assert [say(claimed, fraction) for fraction in (0.5, 0.8, 0.3)] == [0.5, 0.8, 0.8]
    finish.finish_attempt(claimed, ending.failed(claimed, errors.HandlerError("once more")))
    claimed = claim_again(claim)
    assert claimed is not None
    task.refresh_from_db()
    assert (task.progress_fraction, task.progress_stage) == (0.8, "")
    assert [say(claimed, fraction) for fraction in (0.1, 0.9)] == [0.8, 0.9]
    told = [event.data["fraction"] for event in Event.objects.filter(task=task, kind="progress").order_by("id")]
    assert told == [0.5, 0.8, 0.8, 0.8, 0.9]
    engine = {"name": "t", "version": "1", "kind": "embedded"}
    finish.finish_attempt(claimed, ending.succeeded({"text": "hello", "engine": engine}))
    task.refresh_from_db()
    assert (task.status, task.progress_fraction) == ("succeeded", 1)


def test_retry_that_a_person_asks_for_begins_anew(alice: User, submit: Submit, claim: Claim) -> None:
    task = submit(alice)
    claimed = claim()
    assert claimed is not None
    say(claimed, 0.4)
    cancel_task(task.pk, by=alice)
    finish.finish_attempt(claimed, ending.cancelled(claimed))
    assert retry_task(task.pk, by=alice, owner=alice).progress_fraction is None


def test_every_statement_that_writes_progress_is_known_here() -> None:
    """One more has to go forward, too."""
    folder = Path(sql.__file__).parent
    writers = {path.stem for path in folder.rglob("*.sql") if "progress_fraction =" in path.read_text()}
    assert writers == {"say", "depend", "finish", "revive"}
