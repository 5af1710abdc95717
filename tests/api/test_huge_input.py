"""Huge, deep and torn bodies: refused with a sentence, quickly, and before they are read where their length tells."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tasks.errors import MOST_FAULTS
from tasks.models import Task
from tests.api.conftest import ECHO, JSON, MakeClient
from tests.web.live import LiveServer

LIVE = pytest.mark.django_db(transaction=True, serialized_rollback=True)
# Refused in linear time; what is quadratic would take minutes. Not a measurement.
PATIENCE_SECONDS = 20


def many_keys(count: int) -> dict[str, int]:
    return {f"k{number}": number for number in range(count)}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        (many_keys(10_000), "/k0"),
        ({"input": {"message": "x"} | many_keys(10_000)}, "/input/k0"),
        ({"metadata": many_keys(10_000)}, "/metadata"),
        ({"metadata": {"a": many_keys(10_000)}}, "/metadata/a/str"),
        ({"tags": [str(number) for number in range(10_000)]}, "/tags"),
    ],
)
def test_ten_thousand_keys_are_a_short_refusal(
    api: MakeClient, alice: User, changes: dict[str, Any], pointer: str
) -> None:
    response = api(alice).post("/api/v1/tasks", ECHO | changes, JSON)
    problem = response.json()
    assert (response.status_code, problem["code"]) in {(422, "invalid_input"), (422, "invalid_body")}
    assert pointer in [fault["pointer"] for fault in problem["errors"]]
    assert len(problem["errors"]) <= MOST_FAULTS
    assert len(response.content) < 50_000
    assert not Task.objects.exists()


def test_faults_of_a_whole_batch_are_a_short_answer(api: MakeClient, alice: User) -> None:
    faulty = ECHO | {"input": many_keys(200)}
    response = api(alice).post("/api/v1/batches", {"tasks": [faulty] * 500, "atomic": True}, JSON)
    assert (response.status_code, len(response.json()["errors"])) == (422, MOST_FAULTS)


@pytest.mark.parametrize("depth", [65, 1_000, 100_000, 900_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
def test_any_depth_is_a_400(api: MakeClient, alice: User, depth: int, brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    depth = min(depth, 1_800_000 // len(opening + closing))
    nested = opening * depth + "1" + closing * depth
    for body in (nested, f'{{"type": "diagnostic.echo", "input": {{"message": {nested}}}}}'):
        response = api(alice).post("/api/v1/tasks", body, JSON)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_json")
        assert "64 levels" in response.json()["detail"]


def test_doubled_key_behind_very_many_is_found_in_time(api: MakeClient, alice: User) -> None:
    keys = ",".join(f'"k{number}":1' for number in range(100_000))
    begun = time.monotonic()
    response = api(alice).post("/api/v1/tasks", f'{{{keys},"k99999":2}}', JSON)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_json")
    assert "'k99999' comes twice" in response.json()["detail"]
    assert time.monotonic() - begun < PATIENCE_SECONDS


def test_very_many_values_are_413(api: MakeClient, alice: User) -> None:
    response = api(alice).post("/api/v1/tasks", ECHO | {"input": {"message": [1] * 300_000}}, JSON)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "shift-jis"])
def test_other_encodings_are_a_400_that_names_the_byte(api: MakeClient, alice: User, encoding: str) -> None:
    text = json.dumps(
        ECHO | {"input": {"message": "é" if encoding in {"latin-1", "cp1252"} else "日本"}}, ensure_ascii=False
    )
    response = api(alice).post("/api/v1/tasks", text.encode(encoding), JSON)
    assert (response.status_code, response.json()["code"] in {"invalid_encoding", "invalid_json"}) == (400, True)
    assert not Task.objects.exists()


def test_byte_order_mark_may_come(api: MakeClient, alice: User) -> None:
    assert api(alice).post("/api/v1/tasks", b"\xef\xbb\xbf" + json.dumps(ECHO).encode(), JSON).status_code == 202


@LIVE
@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/batches", "/api/v1/files", "/api/v1/tokens"])
def test_server_refuses_a_huge_body_before_it_comes(
    server: LiveServer, alice: User, token_of: Callable[..., str], path: str
) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {token_of(alice)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {2**31}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        # Not one byte of the body follows: the answer can only come from the length.
        connection.sendall(head.encode())
        answer = b""
        while b"request_id" not in answer and (part := connection.recv(65536)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


@LIVE
def test_server_refuses_a_body_of_unknown_length(server: LiveServer, alice: User, token_of: Callable[..., str]) -> None:
    head = (
        f"POST /api/v1/tasks HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {token_of(alice)}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        connection.sendall(head.encode())
        answer = b""
        while b"request_id" not in answer and (part := connection.recv(65536)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 411")


@LIVE
def test_submission_that_breaks_off_is_not_half_submitted(
    server: LiveServer, alice: User, token_of: Callable[..., str]
) -> None:
    body = json.dumps(ECHO).encode()
    head = (
        f"POST /api/v1/tasks HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {token_of(alice)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body) + 10}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert not answer.startswith(b"HTTP/1.1 2")
    assert not Task.objects.exists()
