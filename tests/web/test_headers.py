"""Headers that have no end, and connections that say nothing: against the real server, by real sockets."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.sync.client import connect as open_websocket
from websockets.typing import Origin

from accounts.models import User
from portal.bounded_http import MAX_HEAD_BYTES
from tests.web.conftest import Submit
from tests.web.live import LiveServer, environment_of_test, session_cookie

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MEGA = 1024 * 1024
Connect = Callable[[], socket.socket]


@pytest.fixture
def hasty(server: LiveServer, tmp_path: Path) -> Iterator[LiveServer]:
    """A server that waits for headers for a second and a half (tests.api.hasty_server)."""
    environment = environment_of_test(media=tmp_path / "media")
    running = LiveServer(log=tmp_path / "hasty.log", environment=environment, module=("tests.api.hasty_server",))
    yield running
    running.stop()


@pytest.fixture
def connect(hasty: LiveServer) -> Iterator[Connect]:
    """Open a connection; it is closed after the test."""
    with ExitStack() as opened:

        def open_one() -> socket.socket:
            return opened.enter_context(socket.create_connection(("127.0.0.1", hasty.port), timeout=120))

        yield open_one


def head(*lines: str, path: str = "/health/live") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *lines]).encode()


def send_without_end(wire: socket.socket, begin: bytes, piece: bytes, *, byte_count: int) -> int:
    """Send until it is not taken any more; return how much was."""
    sent = 0
    with suppress(OSError):
        wire.sendall(begin)
        while sent < byte_count:
            wire.sendall(piece)
            sent += len(piece)
    return sent


def answer_of(wire: socket.socket) -> bytes:
    """Return all that comes until the server closes."""
    answer = b""
    with suppress(ConnectionResetError):
        while part := wire.recv(65536):
            answer += part
    return answer


def problem_of(answer: bytes) -> dict[str, object]:
    return dict(json.loads(answer.partition(b"\r\n\r\n")[2]))


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (head() + b"\r\nX-Long: ", b"x" * 65536),
        (head() + b"\r\n", b"X-Many: yes\r\n" * 5000),
        (b"GET /", b"x" * 65536),
        (b"", b"\r\n" * 32768),
    ],
    ids=["one header", "many headers", "the address", "blank lines"],
)
def test_head_without_end_is_refused_unparsed(hasty: LiveServer, connect: Connect, begin: bytes, piece: bytes) -> None:
    process = psutil.Process(hasty.pid)
    httpx.get(f"{hasty.url}/health/live")
    before = process.memory_info().rss
    wire = connect()
    send_without_end(wire, begin, piece, byte_count=40 * MEGA)
    assert process.memory_info().rss - before < 10 * MEGA
    assert httpx.get(f"{hasty.url}/health/live").status_code == 200
    assert "Traceback" not in hasty.log()
    # What was not read when the connection closed may have cost us the answer; so it is asked for once more.
    wire = connect()
    wire.sendall(begin + piece[: MAX_HEAD_BYTES + 10 - len(begin)])
    answer = answer_of(wire)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert problem_of(answer)["code"] == "headers_too_large"


def test_whole_head_that_is_too_large_is_refused_and_one_below_is_not(hasty: LiveServer) -> None:
    padding = MAX_HEAD_BYTES - 1000
    assert httpx.get(f"{hasty.url}/health/live", headers={"X-Pad": "x" * padding}).status_code == 200
    refused = httpx.get(f"{hasty.url}/health/live", headers={"X-Pad": "x" * (padding + 1000)})
    assert refused.status_code == 431
    assert refused.headers["Connection"] == "close"
    assert refused.json()["status"] == 431


def test_trailers_without_end_are_cut_off(hasty: LiveServer, connect: Connect) -> None:
    wire = connect()
    start = b"POST /api/v1/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = send_without_end(wire, start + b"1\r\nx\r\n0\r\nX-Trailer: ", b"x" * 65536, byte_count=40 * MEGA)
    assert sent < 40 * MEGA
    assert httpx.get(f"{hasty.url}/health/live").status_code == 200


@pytest.mark.parametrize("given", [b"GET", head(), head("X-Half: ")], ids=["a word", "lines", "half a header"])
def test_half_sent_head_is_answered_408(connect: Connect, given: bytes) -> None:
    wire = connect()
    wire.sendall(given)
    answer = answer_of(wire)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert problem_of(answer)["code"] == "headers_too_slow"


def test_head_that_comes_drop_by_drop_is_answered_408(connect: Connect) -> None:
    wire = connect()
    wire.sendall(head() + b"\r\nX-Drops: ")
    wire.settimeout(0.1)
    answer, deadline = b"", time.monotonic() + 120
    while not answer:
        assert time.monotonic() < deadline, "drops are waited for without end"
        wire.sendall(b"x")
        with suppress(TimeoutError):
            answer = wire.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_silent_connection_is_closed(connect: Connect) -> None:
    assert answer_of(connect()) == b""


@pytest.mark.parametrize("has_asked_before", [False, True], ids=["fresh", "kept open"])
def test_websocket_outlives_the_wait_for_headers(
    hasty: LiveServer, connect: Connect, alice: User, submit: Submit, has_asked_before: bool
) -> None:
    wire = connect()
    if has_asked_before:
        wire.sendall(head() + b"\r\n\r\n")
        answer = HTTPResponse(wire)
        answer.begin()
        assert json.loads(answer.read())
    address = f"ws://127.0.0.1:{hasty.port}/ws/tasks"
    cookie = {"Cookie": f"sessionid={session_cookie(alice)}"}
    with open_websocket(address, sock=wire, origin=Origin(hasty.url), additional_headers=cookie) as websocket:
        # Opened later, and closed for its silence: so the time is over for the other as well.
        assert answer_of(connect()) == b""
        assert websocket.ping().wait(120)
        task = submit(alice)
        assert json.loads(websocket.recv(120))["id"] == str(task.pk)


def test_half_a_head_after_an_answer_is_answered_408(connect: Connect) -> None:
    wire = connect()
    wire.sendall(head() + b"\r\n\r\n")
    assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
    wire.sendall(b"GET /hea")
    # The last of the answer before it may still be under way.
    assert b"HTTP/1.1 408 " in answer_of(wire)


def test_body_that_nobody_reads_does_not_keep_the_connection(connect: Connect) -> None:
    wire = connect()
    # Answered at once, whatever follows; one byte of the body would have kept the connection for ever.
    wire.sendall(b"POST /api/v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000000\r\n\r\n")
    assert wire.recv(65536).startswith(b"HTTP/1.1 401 ")
    wire.sendall(b"x")
    answer_of(wire)


def test_several_requests_at_once_are_each_answered(connect: Connect) -> None:
    wire = connect()
    one = head() + b"\r\n\r\n"
    wire.sendall(one * 20 + head("Connection: close") + b"\r\n\r\n")
    assert answer_of(wire).count(b"HTTP/1.1 200 OK") == 21
