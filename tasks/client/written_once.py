"""Makes methods of both clients from one coroutine: `AsyncClient` awaits it, `Client` runs it to its end.

What blocks never waits for an event loop (`wire.BlockingWire`), so such a coroutine ends in its first step: no loop, no
thread, and no second copy of the methods.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from functools import wraps
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

P = ParamSpec("P")
T = TypeVar("T")


class Blocking:
    """A client whose methods return when they are done."""


class Awaiting:
    """A client whose methods are awaited."""


class method(Generic[P, T]):  # noqa: N801 - used as a decorator
    """A coroutine that is a plain method of a client that blocks."""

    def __init__(self, written: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> None:
        self._written = written
        self.__doc__ = written.__doc__

    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[..., Any]: ...
    def __get__(self, client: object, owner: type) -> Callable[..., Any]:
        written = self._written if client is None else MethodType(self._written, client)
        return written if issubclass(owner, Awaiting) else _finished(written)


class series(Generic[P, T]):  # noqa: N801 - used as a decorator
    """A coroutine that yields, and is a plain generator of a client that blocks."""

    def __init__(self, written: Callable[Concatenate[Any, P], AsyncGenerator[T]]) -> None:
        self._written = written
        self.__doc__ = written.__doc__

    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, Generator[T]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, AsyncGenerator[T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[..., Any]: ...
    def __get__(self, client: object, owner: type) -> Callable[..., Any]:
        written = self._written if client is None else MethodType(self._written, client)
        return written if issubclass(owner, Awaiting) else _walked(written)


def finish(work: Awaitable[T]) -> T:
    """Run what never waits for an event loop, and return what it returns."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("The blocking wire waited for an event loop.")


def _finished(written: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
    @wraps(written)
    def run(*arguments: Any, **named: Any) -> T:
        return finish(written(*arguments, **named))

    return run


def _walked(written: Callable[..., AsyncGenerator[T]]) -> Callable[..., Generator[T]]:
    @wraps(written)
    def walk(*arguments: Any, **named: Any) -> Generator[T]:
        items = written(*arguments, **named)
        try:
            while True:
                try:
                    item = finish(anext(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            # Whoever stops in the middle gives the connection back at once.
            finish(items.aclose())

    return walk
