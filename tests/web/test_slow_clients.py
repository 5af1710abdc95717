"""Clients that send or read slowly, or not at all: against a server of two threads, which goes on answering others."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.models import User
from portal.slow_clients import MEMORY_BYTES
from tasks.files import store_file
from tasks.models import File, Task
from tests.api.conftest import ECHO
from tests.cluster.conftest import wait_until
from tests.web.live import LiveServer, environment_of_test, session_cookie

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

CSRF = "c" * 32
# The server's patience is two seconds (tests.api.hasty_server); whoever had to wait for several such clients, one
# after the other, would wait longer than this.
SOON_SECONDS = 10
MEGA = 1024 * 1024
Send = Callable[..., socket.socket]


@pytest.fixture
def hasty(server: LiveServer, tmp_path: Path) -> Iterator[LiveServer]:
    environment = environment_of_test(media=tmp_path / "media") | {"WEB_THREADS": "2", "WEB_DB_POOL": "2"}
    module = ("tests.api.hasty_server",)
    running = LiveServer(log=tmp_path / "hasty.log", environment=environment, module=module)
    yield running
    running.stop()


@pytest.fixture
def send(hasty: LiveServer) -> Iterator[Send]:
    """Begin a request whose body never comes to its end; closed after the test."""
    with ExitStack() as opened:

        def begin(
            path: str, *, length: int, given: bytes = b"{", method: str = "POST", **headers: str
        ) -> socket.socket:
            wire = opened.enter_context(socket.socket())
            # Before the handshake: it limits what the server may send ahead.
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.settimeout(120)
            wire.connect(("127.0.0.1", hasty.port))
            lines = {"Host": f"127.0.0.1:{hasty.port}", "Content-Length": str(length)} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            wire.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + given)
            return wire

        yield begin


def assert_others_are_answered(server: LiveServer, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=SOON_SECONDS) as other:
        assert other.get("/api/v1/tasks").status_code == 200
        assert other.post("/api/v1/tasks", json=ECHO).status_code == 202
        assert other.get("/status").status_code == 200


def answer_of(wire: socket.socket) -> bytes:
    answer = b""
    while part := wire.recv(65536):
        answer += part
    return answer


def test_slow_senders_hold_up_nobody(hasty: LiveServer, send: Send, alice: User, token_of: Callable[..., str]) -> None:
    token, kind = token_of(alice), {"Content_Type": "application/json"}
    api = [send("/api/v1/tasks", length=1000, Authorization=f"Bearer {token}", **kind) for _ in range(10)]
    # The portal's own address hands it to another system's view by what is in it, for whoever is signed in.
    strangers = [send("/api/v1/tasks", length=1000, **kind) for _ in range(10)]
    form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={CSRF}"}
    forms = [send("/account/login/", length=1000, given=b"login=", **form) for _ in range(10)]
    assert_others_are_answered(hasty, token)
    for wire in (*api, *strangers):
        answer = answer_of(wire)
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"application/problem+json" in answer
        assert b'"code": "body_too_slow"' in answer
    for wire in forms:
        answer = answer_of(wire)
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"came too slowly" in answer
    assert Task.objects.count() == 1


def test_drop_by_drop_is_too_slow(hasty: LiveServer, send: Send, alice: User, token_of: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {token_of(alice)}", "Content_Type": "application/json"}
    wire = send("/api/v1/tasks", length=1000, **headers)
    wire.settimeout(0.2)
    answer, deadline = b"", time.monotonic() + 120
    while not answer:
        assert time.monotonic() < deadline, "drops are waited for without end"
        wire.sendall(b" ")
        try:
            answer = wire.recv(65536)
        except TimeoutError:
            continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_slow_uploads_hold_up_nobody(hasty: LiveServer, send: Send, alice: User, token_of: Callable[..., str]) -> None:
    token = token_of(alice)
    raw = {"Authorization": f"Bearer {token}", "Content_Type": "application/octet-stream"}
    form = {
        "Content_Type": "multipart/form-data; boundary=x",
        "Cookie": f"csrftoken={CSRF}; sessionid={session_cookie(alice)}",
        "X_CSRFToken": CSRF,
        "Accept": "application/json",
    }
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n' + b"x" * 100_000
    wires = [
        send("/api/v1/files?name=a.bin", length=50 * MEGA, given=b"x" * 100_000, **raw),
        send("/files/upload", length=50 * MEGA, given=part, **form),
        send("/api/v1/files", length=50 * MEGA, given=part, **raw | {"Content_Type": form["Content_Type"]}),
        send("/new/file.process", length=50 * MEGA, given=part, **form | {"Accept": "text/html"}),
    ]
    assert_others_are_answered(hasty, token)
    for wire in wires:
        assert answer_of(wire).startswith(b"HTTP/1.1 408 ")
    assert not File.objects.exists()
    assert "Traceback" not in hasty.log()


def test_upload_of_a_stranger_is_not_read(hasty: LiveServer, send: Send) -> None:
    form = {
        "Content_Type": "multipart/form-data; boundary=x",
        "Cookie": f"csrftoken={CSRF}",
        "X_CSRFToken": CSRF,
        "Connection": "close",
    }
    # Not one byte of them follows.
    answer = answer_of(send("/files/upload", length=50 * MEGA, given=b"", **form))
    assert answer.startswith(b"HTTP/1.1 302 ")
    assert answer_of(send("/api/v1/files", length=50 * MEGA, given=b"", **form)).startswith(b"HTTP/1.1 401 ")
    # Whatever takes no files does not take them from anybody.
    for path in ("/account/login/", "/files", "/admin/login/"):
        assert answer_of(send(path, length=50 * MEGA, given=b"", **form)).startswith(b"HTTP/1.1 413 ")


def test_stalled_readers_are_cut_off_and_hold_up_nobody(
    hasty: LiveServer, send: Send, alice: User, token_of: Callable[..., str], settings: Any
) -> None:
    settings.MEDIA_ROOT = hasty.environment["MEDIA_ROOT"]
    # More than the buffers of the system take.
    file = store_file(alice, name="a.bin", chunks=[os.urandom(MEGA)] * 24)
    token = token_of(alice)
    path = f"/api/v1/files/{file.pk}/content"
    asked = {"length": 0, "given": b"", "method": "GET", "Authorization": f"Bearer {token}"}
    readers = [send(path, **asked) for _ in range(4)]
    assert all(reader.recv(12) == b"HTTP/1.1 200" for reader in readers[:2])
    with httpx.Client(base_url=hasty.url, timeout=120) as other:
        assert other.get("/health/live").status_code == 200
    wait_until(lambda: hasty.log().count("does not take its answer") == len(readers), what="the cuts")
    for reader in readers:
        # What the system has taken still comes, and then the end.
        assert len(answer_of(reader)) < file.size
    headers = {"Authorization": f"Bearer {token}"}
    whole = httpx.get(f"{hasty.url}{path}", headers=headers, timeout=120)
    assert len(whole.content) == file.size
    assert "Traceback" not in hasty.log()


def test_body_that_is_kept_on_the_disk_is_whole(hasty: LiveServer, alice: User, token_of: Callable[..., str]) -> None:
    text = "é" * (MEMORY_BYTES - 100)
    body = ECHO | {"input": {"message": text}}
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    with httpx.Client(base_url=hasty.url, headers=headers, timeout=120) as client:
        made = client.post("/api/v1/tasks", content=json.dumps(body, ensure_ascii=False).encode()).json()
        assert made.get("code") == "unsupported_media_type"
        made = client.post("/api/v1/tasks", json=body).json()
        assert made["input"]["message"] == text
        content = os.urandom(5 * MEGA)
        uploaded = client.post("/api/v1/files", files={"file": ("a.bin", content)}).json()
        assert client.get(uploaded["urls"]["content"]).content == content
