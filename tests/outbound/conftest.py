"""Fixtures of the guard's tests: a server on loopback that may be called, and a resolver that answers as told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.outbound.receiver import ANY_PORT_OF_LOOPBACK


@pytest.fixture
def loopback_allowed(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = [ANY_PORT_OF_LOOPBACK]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let a host name have these addresses: one sequence for each time that it is looked up, the last for ever."""
    real = socket.getaddrinfo

    def set_name(name: str, *answers: Sequence[str]) -> list[str]:
        asked: list[str] = []

        def look_up(host: str, port: int, *args: Any, **options: Any) -> Any:
            if host != name:
                return real(host, port, *args, **options)
            asked.append(host)
            addresses = answers[min(len(asked), len(answers)) - 1]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return set_name


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return a list that grows by every address that a connection is made to."""
    made: list[tuple[str, int]] = []
    real = socket.create_connection

    def connect(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        made.append(address)
        return real(address, *args, **options)

    monkeypatch.setattr(socket, "create_connection", connect)
    return made
