"""How much waits and runs: one count for every screen, the same for all of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import User
from tasks.figures import depths
from tasks.figures.depths import Depth, own_depths, queue_depths
from tasks.models import Task
from tasks.statuses import Status

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., Task]


def test_each_status_is_counted_by_queue_and_only_those_asked_for(
    make_user: Callable[..., User], submit: Submit, claim: Callable[[], Any]
) -> None:
    carol = make_user("carol", slots=3)
    running, *_ = [submit(carol) for _ in range(5)]
    submit(carol, needs=[running.pk])
    later = submit(carol)
    Task.objects.filter(pk=later.pk).update(status="scheduled", run_after=Now() + timedelta(hours=1), rank=None)
    claim()
    [(queue, depth)] = queue_depths(depths.UNFINISHED).items()
    assert queue == "diagnostics"
    assert depth.tasks == {"running": 1, "ready": 2, "held": 2, "waiting": 1, "scheduled": 1}
    assert (depth.queued, depth.running, depth.cut) == (4, 1, frozenset())
    assert queue_depths()["diagnostics"].tasks == {"running": 1, "ready": 2, "held": 2}
    own = own_depths(carol)["diagnostics"]
    assert (own.queued, own.running) == (depth.queued, depth.running)


def test_age_is_that_of_the_oldest_that_is_queued_since_its_time_came(
    make_user: Callable[..., User], submit: Submit, claim: Callable[[], Any]
) -> None:
    carol = make_user("carol", slots=1)
    first, second = submit(carol, priority=2), submit(carol)
    Task.objects.update(created_at=Now() - timedelta(days=1))
    for seconds in (depth_of(carol), own_depths(carol)["diagnostics"].oldest_seconds):
        assert seconds is not None
        assert 0 <= seconds < 60
    Task.objects.filter(pk=second.pk).update(line_key=second.line_key - 600)
    for seconds in (depth_of(carol), own_depths(carol)["diagnostics"].oldest_seconds):
        assert seconds is not None
        assert 600 <= seconds < 660
    # What runs does not wait.
    claim()
    Task.objects.exclude(status="running").delete()
    assert Task.objects.get().pk in {first.pk, second.pk}
    assert queue_depths()["diagnostics"].oldest_seconds is None
    assert own_depths(carol)["diagnostics"].oldest_seconds is None


def depth_of(user: User) -> float | None:
    return queue_depths()["diagnostics"].oldest_seconds


@pytest.mark.parametrize(
    ("cut", "texts"),
    [
        (set(), ("5", "3", "2", "8")),
        ({Status.HELD}, ("5+", "3", "2", "8+")),
        ({Status.READY}, ("5", "3+", "2", "8+")),
        ({Status.RUNNING}, ("5", "3", "2+", "8")),
    ],
)
def test_what_was_not_counted_to_its_end_says_so(cut: set[Status], texts: tuple[str, ...]) -> None:
    depth = Depth({Status.HELD: 5, Status.READY: 3, Status.RUNNING: 2}, cut=frozenset(cut))
    assert (depth.held_text, depth.ready_text, depth.running_text, depth.queued_text) == texts


def test_queue_that_others_leave_no_room_for_is_not_told_to_be_empty(
    make_user: Callable[..., User], alice: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", slots=3)
    for _ in range(3):
        submit(carol)
    Task.objects.filter(pk=submit(alice).pk).update(queue="text")
    assert queue_depths()["text"].ready_text == "1"
    assert (queue_depths()["images"].ready_text, queue_depths()["images"].oldest_text) == ("0", "–")
    monkeypatch.setattr(depths, "CAP", 3)
    behind = queue_depths()["text"]
    assert (behind.ready_text, behind.held_text, behind.queued_text) == ("not counted", "0", "not counted")
    assert (behind.oldest_text, behind.counted(Status.READY), behind.counted(Status.HELD)) == ("not counted", None, 0)
    assert (queue_depths()["diagnostics"].ready_text, queue_depths()["diagnostics"].oldest_text[0]) == ("3+", "≥")


def test_no_queue_is_left_out_for_the_length_of_another(
    make_user: Callable[..., User], submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held tasks are counted lane by lane and queue by queue; what is left of the cap goes to those that have more."""
    carol, dave = make_user("carol", slots=1), make_user("dave", slots=1)
    for _ in range(21):
        submit(carol)
    for user in (carol, dave):
        for _ in range(4):
            task = submit(user)
            Task.objects.filter(pk=task.pk, status="held").update(queue="text", line_key=task.line_key - 600)
    monkeypatch.setattr(depths, "FEW", 2)
    monkeypatch.setattr(depths, "CAP", 100)
    whole = queue_depths()
    assert (whole["diagnostics"].held_text, whole["text"].held_text) == ("20", "7")
    monkeypatch.setattr(depths, "CAP", 18)
    shared = queue_depths()
    assert (shared["diagnostics"].held_text, shared["text"].held_text) == ("6+", "7")
    assert shared["images"].held_text == "0"
    assert 600 <= (shared["text"].oldest_seconds or 0) < 660


def test_counting_stops_at_the_cap(
    make_user: Callable[..., User], submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", slots=3)
    for _ in range(8):
        submit(carol)
    monkeypatch.setattr(depths, "CAP", 4)
    depth = queue_depths()["diagnostics"]
    assert (depth.held, depth.ready, depth.cut) == (4, 3, {Status.HELD})
    assert own_depths(carol)["diagnostics"].queued == 4
