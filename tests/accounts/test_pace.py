"""Counters of tries: how fast they let through, alone and from many connections at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from accounts.models import Pace
from accounts.pace import Counter, TooOften, forget_old_tries, take


def counter(name: str = "test", *, free: int = 3, seconds: int = 60) -> Counter:
    return Counter(name, ("somebody",), free=free, seconds=seconds)


def seconds_until_next(one: Counter) -> int:
    """Say how long one has to wait now; a try that is let through is not counted."""
    try:
        take([one])()
    except TooOften as refusal:
        return refusal.retry_after_seconds
    return 0


def let_time_pass(seconds: float) -> None:
    """Have the tries been made earlier: the database's clock is not ours to turn."""
    Pace.objects.update(tried_at=F("tried_at") - timedelta(seconds=seconds))


@pytest.mark.django_db
def test_waits_grow_behind_the_free_tries_up_to_the_longest() -> None:
    # Waits beside which a machine that stands still for a while is nothing.
    one, waits = Counter("test", ("somebody",), free=3, seconds=6000, first_wait=100), []
    for _ in range(12):
        wait = seconds_until_next(one)
        waits.append(wait)
        let_time_pass(wait)
        take([one])
    assert waits[:3] == [0, 0, 0]
    assert 50 < waits[3] <= 100
    # What passes while one waits is forgiven, so the steps are a little shorter than twice.
    assert waits == sorted(waits)
    assert 4000 < waits[-1] <= 6000


@pytest.mark.django_db
def test_never_locked_for_longer_than_the_longest_wait() -> None:
    one = counter(seconds=10)
    for _ in range(50):
        try:
            take([one])
        except TooOften as refusal:
            let_time_pass(refusal.retry_after_seconds)
    assert seconds_until_next(one) <= 10
    let_time_pass(10)
    assert seconds_until_next(one) == 0
    # Silence forgives all of it.
    let_time_pass(10 * 60)
    for _ in range(3):
        take([one])


@pytest.mark.django_db
def test_first_wait_may_be_the_longest() -> None:
    one = Counter("test", ("somebody",), free=3, seconds=3600, first_wait=3600)
    for _ in range(3):
        take([one])
    assert 3500 < seconds_until_next(one) <= 3600
    for _ in range(2):
        let_time_pass(3600)
        take([one])
        assert 3500 < seconds_until_next(one) <= 3600


@pytest.mark.django_db
def test_refused_try_is_counted_nowhere() -> None:
    wide, narrow = counter("wide", free=100), counter("narrow", free=1)
    take([wide, narrow])
    with pytest.raises(TooOften):
        take([wide, narrow])
    assert Pace.objects.get(key=wide.key).level == pytest.approx(1, abs=0.5)


@pytest.mark.django_db
def test_try_that_is_given_back_counts_for_nothing() -> None:
    one = counter(free=1)
    for _ in range(5):
        take([one])()
    assert seconds_until_next(one) == 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_many_at_once_only_the_free_ones_get_through() -> None:
    one = Counter("test", ("somebody",), free=5, seconds=3600, first_wait=3600)

    def attempt(_number: int) -> bool:
        try:
            take([one])
        except TooOften:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == 5


@pytest.mark.django_db
def test_old_counters_are_deleted_and_new_ones_are_kept() -> None:
    take([counter("old")])
    let_time_pass(2 * 24 * 3600)
    take([counter("new")])
    assert forget_old_tries() == 1
    assert bytes(Pace.objects.get().key) == counter("new").key
