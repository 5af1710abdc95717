"""The port of `make run`: the wanted one or a sentence, else the next free one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from portal.launch.run import ports


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with ports.take_port(ports.free_port()) as listening:
        yield listening


def test_wanted_port_that_is_taken_is_an_error(taken: socket.socket) -> None:
    number = taken.getsockname()[1]
    held = rf"Port {number} cannot be used \(Address already in use, by .+ with process id {os.getpid()}\).*PORT=9000"
    with pytest.raises(ports.PortError, match=held):
        ports.take_port(number)


@pytest.mark.parametrize("number", [-1, 70_000])
def test_impossible_port_is_an_error(number: int) -> None:
    with pytest.raises(ports.PortError, match="cannot be used"):
        ports.take_port(number)


def test_next_free_port_is_taken_when_none_is_wanted(
    taken: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = taken.getsockname()[1]
    monkeypatch.setattr(ports, "FIRST_PORT", number)
    with ports.take_port(None) as listening:
        assert number < listening.getsockname()[1] < number + ports.PORTS_TRIED
    assert f"Port {number} cannot be used (Address already in use, by " in capsys.readouterr().out


def test_only_this_machine_can_connect() -> None:
    with ports.take_port(ports.free_port()) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_free_port_is_not_given_to_whoever_asks_for_any() -> None:
    # A test's web server once came up where a receiver of webhooks listened already: both had been given the port.
    with socket.create_server((ports.HOST, 0)) as any_port:
        assert any_port.getsockname()[1] not in ports.UNASSIGNED
    assert ports.free_port() in ports.UNASSIGNED
