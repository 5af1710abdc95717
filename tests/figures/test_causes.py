"""Causes of failures: each is noted once, with when it was seen first and last, however many failures there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from tasks.figures import causes
from tasks.figures.causes import forget_causes, note_causes
from tasks.models import AlarmSettings, Cause, Node, Task
from tests.admin.conftest import fail_one, node

__all__ = ["node"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_failures_of_one_cause_are_one(alice: User, node: Node) -> None:
    for number in range(3):
        fail_one(alice, node, f"Page {number} of /srv/{number}.pdf could not be read.")
    fail_one(alice, node, "Nothing was there.")
    assert note_causes() == 4
    assert set(Cause.objects.values_list("type", "code", "fingerprint")) == {
        ("diagnostic.echo", "unreadable_file", "Page <n> of <path> could not be read."),
        ("diagnostic.echo", "unreadable_file", "Nothing was there."),
    }
    page = Cause.objects.get(fingerprint__startswith="Page")
    times = Task.objects.filter(error__message__startswith="Page").order_by("finished_at")
    assert (page.first_at, page.last_at) == (times.first().finished_at, times.last().finished_at)


def test_rounds_get_further_however_many_failed_at_once(
    alice: User, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "LIMIT", 2)
    for number in range(5):
        fail_one(alice, node, f"cause {'x' * number}")
    assert note_causes() >= 5
    assert Cause.objects.count() == 5
    mark = AlarmSettings.objects.get().failures_noted_until
    # Once all is read, the last minute is looked at again: it may not all have been committed.
    assert timezone.now() - causes.OVERLAP - timedelta(seconds=30) < mark
    assert mark < timezone.now() - causes.OVERLAP
    fail_one(alice, node, "late")
    Task.objects.filter(error__message="late").update(finished_at=mark + timedelta(microseconds=1))
    note_causes()
    assert Cause.objects.filter(fingerprint="late").exists()


def test_causes_of_long_ago_are_forgotten() -> None:
    for days in (399, 401):
        at = Now() - timedelta(days=days)
        Cause.objects.create(type="t", code="", fingerprint=str(days), first_at=at, last_at=at)
    forget_causes()
    assert list(Cause.objects.values_list("fingerprint", flat=True)) == ["399"]
