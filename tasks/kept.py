"""Answers that stay good for a few seconds, kept in this process: what many callers ask for is computed once.

`@kept(seconds=3.0)` stands on a function; its `forget()` is called after writes, and by tests.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable
from functools import update_wrapper
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from cachetools import TLRUCache
from django.db import connection
from django.utils.translation import get_language

# Whoever is waited for may itself wait for a connection that one of the waiting holds; then each asks for itself.
PATIENCE_SECONDS = 10.0
MOST_LANGUAGES = 4

Params = ParamSpec("Params")
Value = TypeVar("Value")

_all: list[Kept[Any]] = []


def now() -> float:
    """Return the time by which answers age; tests replace it."""
    return time.monotonic()


class Mark(NamedTuple):
    """When somebody began to find something out: how often had been forgotten by then, and the time."""

    forgotten: int
    at: float


class _Entry(NamedTuple):
    value: Any
    until: float


class _Turns:
    """Those who look something up at the same time: one of them after another, and the last error of theirs."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.failures = 0
        self.error: Exception | None = None


class Kept(Generic[Value]):
    """Values by key, each for some seconds; of too many the least used go. Called in any thread.

    What was begun before something was forgotten is not kept, nor what is found within a transaction: it may have been
    made there, and be rolled back. A forked process starts with nothing: another thread may have been halfway through a
    change, or held a lock, at that moment.
    """

    def __init__(self, *, seconds: float, most: int = 1) -> None:
        self._seconds, self._most = seconds, most
        self._start()
        os.register_at_fork(after_in_child=self._start)
        _all.append(self)

    def _start(self) -> None:
        self._guard = threading.Lock()
        self._entries: TLRUCache[Hashable, _Entry] = TLRUCache(
            self._most, ttu=lambda _key, entry, _now: entry.until, timer=lambda: now()
        )
        # Turns live as long as somebody looks or waits.
        self._turns: WeakValueDictionary[Hashable, _Turns] = WeakValueDictionary()
        self._forgotten = 0

    def get(self, key: Hashable) -> Value | None:
        """Return what is kept, or None."""
        entry = self._entry(key)
        return None if entry is None else entry.value

    def mark(self) -> Mark:
        """Return what `put` needs to know of the moment before a look-up."""
        return Mark(self._forgotten, now())

    def put(self, key: Hashable, value: Value, mark: Mark) -> None:
        """Keep a value for the seconds after the mark, unless something was forgotten since; not in a transaction."""
        self._keep(key, value, mark.forgotten, mark.at + self._seconds)

    def find(self, key: Hashable, look: Callable[[], Value]) -> Value:
        """Return what is kept, else what `look` finds, which is kept for the seconds from then on.

        Those who ask at the same time take turns: what the first finds serves the others. Where it fails, the next one
        looks, and whoever runs out of patience meanwhile has the last of these errors; none is kept for others. Within
        a transaction nobody is waited for, who might wait for what it has locked.
        """
        entry = self._entry(key)
        if entry is not None:
            return self._value_of(entry)
        turns = self._turns_of(key)
        try:
            return self._look_in_turn(turns, lambda: self._found(key, look))
        finally:
            # The error that the turns remember remembers this frame: without this, neither would ever be freed.
            del turns

    def forget(self) -> None:
        """Find everything out anew."""
        with self._guard:
            self._forgotten += 1
            self._entries.clear()

    def forget_if(self, applies: Callable[[Value], bool]) -> None:
        """Find out anew whatever this applies to."""
        with self._guard:
            self._forgotten += 1
            for key in list(self._entries):
                entry = self._entries.get(key)
                if entry is not None and applies(entry.value):
                    self._entries.pop(key, None)

    @staticmethod
    def _look_in_turn(turns: _Turns, look: Callable[[], Value]) -> Value:
        failures = turns.failures
        is_mine = turns.lock.acquire(blocking=False) or (
            not connection.in_atomic_block and turns.lock.acquire(timeout=PATIENCE_SECONDS)
        )
        try:
            if not is_mine and turns.failures > failures and turns.error is not None:
                raise turns.error
            return look()
        except Exception as error:
            if is_mine:
                turns.error, turns.failures = error, turns.failures + 1
            raise
        finally:
            if is_mine:
                turns.lock.release()
            del turns

    def _found(self, key: Hashable, look: Callable[[], Value]) -> Value:
        # Meanwhile somebody may have been faster.
        entry = self._entry(key)
        if entry is not None:
            return self._value_of(entry)
        before = self._forgotten
        value = look()
        self._keep(key, value, before, now() + self._seconds)
        return value

    def _entry(self, key: Hashable) -> _Entry | None:
        with self._guard:
            try:
                return self._entries[key]
            except KeyError:
                return None

    @staticmethod
    def _value_of(entry: _Entry) -> Value:
        value: Value = entry.value
        return value

    def _keep(self, key: Hashable, value: Value, forgotten: int, until: float) -> None:
        if connection.in_atomic_block:
            return
        with self._guard:
            if forgotten == self._forgotten and until > now():
                self._entries[key] = _Entry(value, until)

    def _turns_of(self, key: Hashable) -> _Turns:
        with self._guard:
            return self._turns.setdefault(key, _Turns())


class KeptFunction(Generic[Params, Value]):
    """A function whose answers are kept, each by its arguments."""

    __name__: str

    def __init__(self, function: Callable[Params, Value], *, seconds: float, most: int, has_words: bool) -> None:
        update_wrapper(self, function)
        self._function = function
        self._has_words = has_words
        self._answers: Kept[Value] = Kept(seconds=seconds, most=most * (MOST_LANGUAGES if has_words else 1))

    def __call__(self, *args: Params.args, **kwargs: Params.kwargs) -> Value:
        key = args, frozenset(kwargs.items()), get_language() if self._has_words else None
        return self._answers.find(key, lambda: self._function(*args, **kwargs))

    def forget(self) -> None:
        """Ask anew next time."""
        self._answers.forget()


def kept(
    *, seconds: float, most: int = 1, has_words: bool = False
) -> Callable[[Callable[Params, Value]], KeptFunction[Params, Value]]:
    """Keep the answers of a function for some seconds, at most so many of them; see `Kept.find`.

    Args:
        has_words: there are words for people in them, so that each language has its own.
    """

    def decorate(function: Callable[Params, Value]) -> KeptFunction[Params, Value]:
        return KeptFunction(function, seconds=seconds, most=most, has_words=has_words)

    return decorate


def forget_all() -> None:
    """Forget everything that is kept in this process: for tests."""
    for store in _all:
        store.forget()
