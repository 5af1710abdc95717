"""Repeats what Postgres broke off to end a deadlock."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import psycopg
from django.db import OperationalError

TIMES = 3

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def again_after_deadlock(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Call the function anew when it was the victim of a deadlock. It opens its own transactions.

    Tasks are locked in order of id by whoever needs several; but who fills a lane or lets go what waited locks
    more of them in a later statement, and a submission with `needs` may stand between the two.
    """

    @functools.wraps(function)
    def repeated(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        for _ in range(TIMES - 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                if not isinstance(error.__cause__, psycopg.errors.DeadlockDetected):
                    raise
        return function(*args, **kwargs)

    return repeated
