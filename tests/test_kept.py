"""What is kept for seconds: found out once however many ask, never after it was forgotten, and no failure at all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import transaction
from django.utils.translation import gettext, override

from tasks import kept as kept_module
from tasks.kept import Kept, kept
from tests.cluster.conftest import wait_until

SECONDS = 5.0


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = 1000.0
        monkeypatch.setattr(kept_module, "now", lambda: self.time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Source:
    """Answers with how often it was asked; each answer takes until `may_answer`."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()
        self.fails = False

    def answer(self) -> int:
        self.asked += 1
        mine = self.asked
        self.is_asked.set()
        assert self.may_answer.wait(120)
        if self.fails:
            raise LookupError(mine)
        return mine


@pytest.fixture
def source() -> Source:
    return Source()


@contextmanager
def many(ask: Callable[[], int], source: Source, *, threads: int = 8) -> Iterator[list[int | str]]:
    """Ask in many threads, all of them while the first is at it; gives the answers, or the errors, at the end."""
    answers: list[int | str] = []
    started = threading.Semaphore(0)

    def one() -> None:
        started.release()
        try:
            answers.append(ask())
        except LookupError as error:
            answers.append(f"failed {error}")

    with ThreadPoolExecutor(threads) as pool:
        pool.submit(one)
        assert source.is_asked.wait(120)
        for _ in range(threads - 1):
            pool.submit(one)
        for _ in range(threads):
            assert started.acquire(timeout=120)
        yield answers


def test_answer_is_kept_for_the_seconds_and_asked_for_anew_after_them(clock: Clock, source: Source) -> None:
    ask = kept(seconds=SECONDS)(source.answer)
    source.may_answer.set()
    assert (ask(), ask()) == (1, 1)
    clock.time += SECONDS - 0.1
    assert ask() == 1
    clock.time += 0.2
    assert (ask(), ask()) == (2, 2)


def test_stampede_asks_once(source: Source) -> None:
    ask = kept(seconds=SECONDS)(source.answer)
    with many(ask, source) as answers:
        source.may_answer.set()
    assert (answers, source.asked) == ([1] * 8, 1)


def test_each_of_a_stampede_asks_when_the_first_fails_and_nothing_is_kept(source: Source) -> None:
    ask = kept(seconds=SECONDS)(source.answer)
    source.fails = True
    with many(ask, source) as answers:
        source.may_answer.set()
    assert len(set(answers)) == source.asked == 8
    source.fails = False
    assert ask() == 9
    assert ask() == 9


def test_others_take_turns_after_a_failure_and_the_first_success_serves_the_rest(source: Source) -> None:
    looking: list[int] = []
    are_two = threading.Event()

    def look() -> int:
        looking.append(1)
        if len(looking) > 1:
            are_two.set()
        try:
            answer = source.answer()
            # Time for another one to come, if any does.
            assert answer == 1 or not are_two.wait(0.3)
            if answer < 3:
                raise LookupError(answer)
            return answer
        finally:
            looking.pop()

    ask = kept(seconds=SECONDS)(look)
    with many(ask, source, threads=40) as answers:
        source.may_answer.set()
    assert sorted(map(str, answers)) == ["3"] * 38 + ["failed 1", "failed 2"]


def test_who_waits_in_vain_for_those_who_fail_has_their_error(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, "PATIENCE_SECONDS", 1.0)
    second, waiting = threading.Event(), threading.Semaphore(0)

    class Connection:
        @property
        def in_atomic_block(self) -> bool:
            waiting.release()
            return False

    monkeypatch.setattr(kept_module, "connection", Connection())

    def look() -> int:
        if source.asked:
            source.asked += 1
            assert second.wait(120)
        source.fails = True
        return source.answer()

    ask = kept(seconds=SECONDS)(look)
    with many(ask, source) as answers:
        for _ in range(7):
            assert waiting.acquire(timeout=120)
        source.may_answer.set()
        wait_until(lambda: len(answers) == 7, what="those who wait")
        second.set()
    assert (answers.count("failed 1"), source.asked) == (7, 3)
    assert len(ask._answers._turns) == 0, "nothing is left of the errors"


def test_answers_are_kept_by_arguments_and_the_least_used_goes() -> None:
    asked = []

    @kept(seconds=SECONDS, most=2)
    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    assert [double(number) for number in (1, 2, 1, 3, 1, 2)] == [2, 4, 2, 6, 2, 4]
    assert asked == [1, 2, 3, 2]
    assert double.__name__ == "double"


def test_other_arguments_wait_for_nobody(source: Source) -> None:
    @kept(seconds=SECONDS, most=10)
    def ask(number: int) -> int:
        return source.answer() if number == 0 else number

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, 0)
        assert source.is_asked.wait(120)
        assert ask(7) == 7
        source.may_answer.set()
        assert first.result(120) == 1


def test_nothing_is_an_answer_too(source: Source) -> None:
    asked = []
    ask = kept(seconds=SECONDS)(lambda: asked.append(1))
    assert (ask(), ask(), len(asked)) == (None, None, 1)


def test_what_was_begun_before_it_was_forgotten_is_not_kept(source: Source) -> None:
    ask = kept(seconds=SECONDS)(source.answer)
    with ThreadPoolExecutor(1) as pool:
        before = pool.submit(ask)
        assert source.is_asked.wait(120)
        ask.forget()
        source.may_answer.set()
        assert before.result(120) == 1
    assert (ask(), ask()) == (2, 2)


def test_value_that_was_put_counts_from_before_its_look_up(clock: Clock) -> None:
    store: Kept[str] = Kept(seconds=SECONDS)
    mark = store.mark()
    clock.time += 3
    store.put("key", "value", mark)
    assert store.get("key") == "value"
    clock.time += 2
    assert store.get("key") is None
    # A look-up that took longer than its answer is good for.
    mark = store.mark()
    clock.time += SECONDS
    store.put("key", "value", mark)
    assert store.get("key") is None


def test_only_what_it_applies_to_is_forgotten() -> None:
    store: Kept[int] = Kept(seconds=SECONDS, most=10)
    late = store.mark()
    for number in range(4):
        store.put(number, number, store.mark())
    store.forget_if(lambda value: value % 2 == 1)
    assert [store.get(number) for number in range(4)] == [0, None, 2, None]
    store.put(1, 1, late)
    assert store.get(1) is None


@pytest.mark.django_db(transaction=True)
def test_nobody_is_waited_for_in_a_transaction(source: Source) -> None:
    answers = iter([source.answer, lambda: 99])
    ask = kept(seconds=SECONDS)(lambda: next(answers)())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask)
        assert source.is_asked.wait(120)
        with transaction.atomic():
            assert ask() == 99
        source.may_answer.set()
        assert first.result(120) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_found_in_a_transaction_is_not_kept(source: Source) -> None:
    source.may_answer.set()
    ask = kept(seconds=SECONDS)(source.answer)
    store: Kept[str] = Kept(seconds=SECONDS)
    with transaction.atomic():
        assert (ask(), ask()) == (1, 2)
        store.put("key", "value", store.mark())
        assert store.get("key") is None
    assert (ask(), ask()) == (3, 3)
    with transaction.atomic():
        assert ask() == 3


def test_whoever_takes_too_long_is_not_waited_for(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, "PATIENCE_SECONDS", 0.01)
    answers = iter([source.answer, lambda: 99])
    ask = kept(seconds=SECONDS)(lambda: next(answers)())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask)
        assert source.is_asked.wait(120)
        assert ask() == 99
        source.may_answer.set()
        assert first.result(120) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_forked_process_waits_for_no_lock_of_its_parent(source: Source) -> None:
    answers = iter([source.answer, lambda: 99])
    ask = kept(seconds=SECONDS)(lambda: next(answers)())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask)
        assert source.is_asked.wait(120)
        with ask._answers._guard:  # Just now somebody changes it.
            child = os.fork()
            if child == 0:
                # One that waits is killed; os._exit: nothing of pytest is to run twice.
                signal.alarm(10)
                os._exit(7 if ask() == 99 and ask() == 99 else 1)
        ended: list[int] = []
        wait_until(lambda: _has_ended(child, ended), what="the child")
        source.may_answer.set()
        assert first.result(120) == 1
    assert os.waitstatus_to_exitcode(ended[0]) == 7


def _has_ended(child: int, ended: list[int]) -> bool:
    pid, status = os.waitpid(child, os.WNOHANG)
    ended.extend([status] if pid else [])
    return bool(pid)


def test_words_are_kept_by_language() -> None:
    greet = kept(seconds=60, has_words=True)(lambda: gettext("Yes"))
    found = []
    for language in ("en", "zh-hans", "en"):
        with override(language):
            found.append(greet())
    assert found == ["Yes", "是", "Yes"]


_answered: list[int] = []
_ask_for_long = kept(seconds=3600)(lambda: len(_answered))


@pytest.mark.parametrize("_time", ["first", "second"])
def test_no_test_is_answered_what_another_was(_time: str) -> None:
    assert _ask_for_long() == len(_answered)
    _answered.append(_ask_for_long())
