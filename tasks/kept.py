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

# Whoever is waited for may itself wait for a connection that one of the waiting holds; then each asks for itself.
PATIENCE_SECONDS = 10.0

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


class Kept(Generic[Value]):
    """Values by key, each for some seconds; of too many the least used go. Called in any thread.

    What was begun before something was forgotten is not kept. A forked process starts with nothing: another thread
    may have been halfway through a change, or held a lock, at that moment.
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
        # A lock lives as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[Hashable, threading.Lock] = WeakValueDictionary()
        self._forgotten = 0

    def get(self, key: Hashable) -> Value | None:
        """Return what is kept, or None."""
        entry = self._entry(key)
        return None if entry is None else entry.value

    def mark(self) -> Mark:
        """Return what `put` needs to know of the moment before a look-up."""
        return Mark(self._forgotten, now())

    def put(self, key: Hashable, value: Value, mark: Mark) -> None:
        """Keep a value for the seconds after the mark, unless something was forgotten since."""
        self._keep(key, value, mark.forgotten, mark.at + self._seconds)

    def find(self, key: Hashable, look: Callable[[], Value]) -> Value:
        """Return what is kept, else what `look` finds, which is kept for the seconds from then on.

        Those who ask at the same time wait for the first of them. If that one fails, its error is its own and nothing
        is kept: the others look too. Within a transaction nobody is waited for, who might wait for what it has locked.
        """
        entry = self._entry(key)
        if entry is not None:
            return self._value_of(entry)
        lock = self._lock_of(key)
        if lock.acquire(blocking=False):
            try:
                return self._found(key, look)
            finally:
                lock.release()
        if not connection.in_atomic_block and lock.acquire(timeout=PATIENCE_SECONDS):
            lock.release()
        return self._found(key, look)

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
        with self._guard:
            if forgotten == self._forgotten and until > now():
                self._entries[key] = _Entry(value, until)

    def _lock_of(self, key: Hashable) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(key, threading.Lock())


class KeptFunction(Generic[Params, Value]):
    """A function whose answers are kept, each by its arguments."""

    __name__: str

    def __init__(self, function: Callable[Params, Value], *, seconds: float, most: int) -> None:
        update_wrapper(self, function)
        self._function = function
        self._answers: Kept[Value] = Kept(seconds=seconds, most=most)

    def __call__(self, *args: Params.args, **kwargs: Params.kwargs) -> Value:
        key = args, frozenset(kwargs.items())
        return self._answers.find(key, lambda: self._function(*args, **kwargs))

    def forget(self) -> None:
        """Ask anew next time."""
        self._answers.forget()


def kept(*, seconds: float, most: int = 1) -> Callable[[Callable[Params, Value]], KeptFunction[Params, Value]]:
    """Keep the answers of a function for some seconds, at most so many of them; see `Kept.find`."""

    def decorate(function: Callable[Params, Value]) -> KeptFunction[Params, Value]:
        return KeptFunction(function, seconds=seconds, most=most)

    return decorate


def forget_all() -> None:
    """Forget everything that is kept in this process: for tests."""
    for store in _all:
        store.forget()
