"""A worker's timer without a lock: django-q2's is held while a result is handed over."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from multiprocessing.sharedctypes import RawValue


class Timer:
    """Stands in for `multiprocessing.Value` in django-q2's sentinel: a number that it shares with one worker.

    A worker that is killed while it holds a lock takes the lock with it: the sentinel, which asks each worker's
    timer in turn, would wait for ever, and with it everybody on the node. The lock keeps django-q2 from ending a
    worker whose time is over while it hands over its result; here this timer counts nobody's time
    (`tasks.cluster.node` does).
    """

    def __init__(self, typecode: str, value: float) -> None:
        self._shared = RawValue(typecode, value)

    @property
    def value(self) -> float:
        return float(self._shared.value)

    @value.setter
    def value(self, value: float) -> None:
        self._shared.value = value

    def get_lock(self) -> AbstractContextManager[None]:
        return nullcontext()
