"""The balancer: a call goes to one server of a kind, within its limit, and to the next one when that fails."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from django.db import Error

from tasks import tracing
from tasks.backends import directory, leases
from tasks.backends.directory import SETTINGS, Listed
from tasks.backends.wire import connected, translated
from tasks.context import Server
from tasks.errors import BackendBusy, BackendError, BackendUnreachable, GiveUp, ServerFailed
from tasks.models.backend import Kind
from tasks.secrets import CannotOpen, open_sealed

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Caller:
    """The attempt that calls, and whose task it is: leases end with it, and stickiness is by user."""

    task: UUID
    token: UUID
    owner: int


class Guard(Protocol):
    """How an attempt speaks to the database: never torn by a signal, and again while the database is away."""

    def __call__(self, ask: Callable[[], Answer], /) -> Answer: ...


class BalancedPool:
    """Implements `tasks.context.Pool`. `patiently` is told each thing to do with the database."""

    def __init__(self, kind: str, caller: Caller, *, patiently: Guard, demo: bool = False) -> None:
        self._kind = kind
        self._caller = caller
        self._patiently = patiently
        self._demo = demo
        servers = self._servers()
        if not servers:
            raise BackendError(none_set_up(kind))
        if not any(server.enabled for server in servers):
            raise BackendBusy(f"Every model server for {kind} is switched off.")

    def call(self, use: Callable[[Server], Answer], *, model: str = "") -> Answer:
        """See `tasks.context.Pool.call`."""
        failures: list[ServerFailed] = []
        tried: set[int] = set()
        while True:
            wanted = [server for server in self._servers(model) if server.id not in tried]
            lease = self._lease(wanted)
            if lease is None:
                raise self._verdict(failures, wanted, model)
            server = next(server for server in wanted if server.id == lease.server_id)
            try:
                with _span_to(server):
                    return self._call_one(server, lease, use)
            except ServerFailed as failure:
                failures.append(failure)
                if not failure.elsewhere:
                    raise BackendError(failure.message) from failure
                # A key that is used up rests by itself: the server may have another.
                if failure.why != "busy" or lease.key_id is None:
                    tried.add(lease.server_id)

    def _call_one(self, listed: Listed, lease: leases.Lease, use: Callable[[Server], Answer]) -> Answer:
        started = time.monotonic()
        failure: ServerFailed | None = None
        counts = False
        try:
            key = _key_of(listed, lease)
            with connected(listed.kind, listed.name, listed.base_url, key, listed.models or ()) as server, translated():
                answer = use(server)
            counts = True
            return answer
        except ServerFailed as error:
            failure, counts = error, True
            tracing.fail(error.why)
            raise
        except GiveUp:
            # The server is well; it was the request.
            counts = True
            raise
        finally:
            seconds = time.monotonic() - started
            # Done work is not thrown away because this cannot be written: the lease ends with the attempt.
            with suppress(Error):
                self._patiently(lambda: leases.end_lease(lease, seconds=seconds, failure=failure, counts=counts))

    def _verdict(
        self, failures: Sequence[ServerFailed], left: Sequence[Listed], model: str
    ) -> BackendError | BackendBusy | GiveUp:
        """Say what became of a call that no server is left for."""
        ids = [server.id for server in left]
        if not failures:
            if not any(server.enabled for server in left):
                return BackendBusy(f"Every model server for {self._kind} that could do this is switched off.")
            if self._patiently(lambda: leases.any_works(ids)):
                return BackendBusy("Every model server for this work is busy or rests for the moment.")
            return BackendUnreachable(f"No model server for {self._kind} answers.")
        last = failures[-1]
        if not left and all(failure.why == "missing" for failure in failures):
            return GiveUp(f"{last.message} (model {model!r})" if model else last.message)
        # One that works had no place: the others' failures are not to be paid for. Where none works the attempt
        # counts: it may be the request that brings one server after the other down. One that was not even reached
        # tells nothing of the request.
        if any(failure.why == "busy" for failure in failures) or self._patiently(lambda: leases.any_works(ids)):
            return BackendBusy()
        if all(failure.why == "unreachable" for failure in failures):
            return BackendUnreachable(last.message)
        return BackendError(last.message)

    def _lease(self, wanted: Sequence[Listed]) -> leases.Lease | None:
        ids = [server.id for server in wanted]
        caller = self._caller
        return self._patiently(lambda: leases.take_lease(ids, task=caller.task, token=caller.token)) if ids else None

    def _servers(self, model: str = "") -> list[Listed]:
        """Return the servers that may do, in the order of the sticky strategy.

        Raises:
            GiveUp: none of them has the model.
        """
        listed = self._patiently(lambda: _with_rows(self._kind))
        able = [server for server in listed if self._demo or not server.is_demo]
        having = [server for server in able if server.has_model(model)]
        if able and not having:
            raise GiveUp(f"No model server for {self._kind} has the model {model!r}.")
        return sorted(having, key=lambda server: rendezvous_score(server, self._caller.owner), reverse=True)


def _span_to(listed: Listed) -> AbstractContextManager[None]:
    return tracing.span(f"{listed.kind} {listed.name}", kind="client", server_name=listed.name, server_kind=listed.kind)


def names_of(servers: Sequence[Listed]) -> str:
    """Return the names of servers for people: not more than fit."""
    names = list(dict.fromkeys(server.name for server in servers))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def none_set_up(kind: str) -> str:
    """Return the sentence that says what to set up."""
    setting = SETTINGS.get(Kind(kind))
    how = f"set {setting}, or add one" if setting else "add one"
    return f"No model server for {kind} is set up: {how} with `manage.py backend add {kind} URL`."


def rendezvous_score(server: Listed, owner: int) -> float:
    """Return how strongly a user belongs to a server: the highest gets the user, and only a lost server's users move.

    Source: weighted rendezvous hashing (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005).
    """
    digest = hashlib.sha256(f"{owner}\0{server.base_url}".encode()).digest()
    place = (int.from_bytes(digest[:8]) + 1) / (2**64 + 1)
    return -server.strategy_weight / math.log(place)


def _with_rows(kind: str) -> list[Listed]:
    listed = directory.servers(kind)
    if any(server.id == 0 for server in listed):
        directory.name_environment()
        listed = directory.servers(kind, fresh=True)
    return listed


def _key_of(listed: Listed, lease: leases.Lease) -> str:
    if not lease.sealed_key:
        return listed.key
    try:
        return open_sealed(lease.sealed_key)
    except CannotOpen as error:
        message = "The key of a model server cannot be opened: SECRET_KEY changed. Give it again."
        raise ServerFailed(message, why="key") from error
