"""What the client does when the network and the portal do not do as they should: against a scripted server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.client import Client, PortalError, errors
from tasks.client import sending as sending_module
from tasks.client.wire import AsyncWire, BlockingWire
from tests.client.both import Connect
from tests.scripted_server import Answer, ScriptedServer, scripted_server

TASK = {"id": "t1", "done": False, "status": "queued"}
DONE = TASK | {"done": True, "status": "succeeded"}
PROBLEM = {"Content-Type": "application/problem+json"}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def portal(server: ScriptedServer, connect: Connect) -> Iterator[Client]:
    with connect(server.url, "ptl_secret", timeout=5) as client:
        yield client


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Instead of waiting, note how long the client would have waited."""
    noted: list[float] = []

    async def note(seconds: float) -> None:
        noted.append(seconds)

    for wire in (BlockingWire, AsyncWire):
        monkeypatch.setattr(wire, "pause", lambda wire, seconds: note(seconds))
    return noted


def problem(code: str, status: int, **more: Any) -> Answer:
    headers = PROBLEM | {name.replace("_", "-"): value for name, value in more.pop("headers", {}).items()}
    return Answer(status, {"code": code, "detail": f"because of {code}", "errors": [], **more}, headers)


def test_lost_submission_is_repeated_with_its_key(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    server.answers = [
        Answer(cut=True),
        Answer(502, b"<html>", {"Content-Type": "text/html"}),
        problem("maintenance", 503, headers={"Retry_After": "7"}),
        Answer(202, TASK),
    ]
    assert portal.submit("diagnostic.echo", {"message": "x"})["id"] == "t1"
    assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 1
    assert len({asked.body for asked in server.asked}) == 1
    assert len(pauses) == 3
    assert pauses[2] == 7
    assert 0 < pauses[0] < pauses[1] < 1


def test_two_submissions_have_two_keys(server: ScriptedServer, portal: Client) -> None:
    server.answers = [Answer(202, TASK), Answer(202, TASK), Answer(202, TASK)]
    portal.submit("diagnostic.echo", {})
    portal.submit("diagnostic.echo", {})
    portal.submit("diagnostic.echo", {}, idempotency_key="mine")
    first, second, third = (asked.headers["Idempotency-Key"] for asked in server.asked)
    assert first != second
    assert third == "mine"
    # What is not asked for is not sent: an older portal would refuse fields that it does not know.
    assert json.loads(server.asked[0].body) == {"type": "diagnostic.echo", "input": {}}


def test_client_gives_up_in_the_end(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    server.answers = [problem("maintenance", 503)] * 5
    with pytest.raises(errors.Maintenance):
        portal.get("t1")
    assert len(server.asked) == 5


def test_portal_that_is_not_there_is_a_transport_error(connect: Connect, pauses: list[float]) -> None:
    with connect("http://127.0.0.1:9", "ptl_secret") as client, pytest.raises(httpx.TransportError):
        client.get("t1")
    assert len(pauses) == 4


def test_long_pause_is_left_to_the_caller(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    server.answers = [problem("quota_exceeded", 429, policy="day", headers={"Retry_After": "3600"})]
    with pytest.raises(errors.QuotaExceeded) as caught:
        portal.submit("diagnostic.echo", {})
    assert (caught.value.retry_after, caught.value.policy, pauses) == (3600, "day", [])


def test_retry_after_may_be_a_date(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    server.answers = [problem("quota_exceeded", 429, headers={"Retry_After": until}), Answer(200, TASK)]
    portal.get("t1")
    assert 5 < pauses[0] <= 20


def test_refusal_is_not_repeated(server: ScriptedServer, portal: Client) -> None:
    server.answers = [problem("invalid_input", 422, request_id="r1")]
    with pytest.raises(errors.InvalidInput) as caught:
        portal.submit("diagnostic.echo", {})
    assert (caught.value.detail, caught.value.request_id) == ("because of invalid_input", "r1")


def test_code_that_is_not_known_here_is_still_an_error(server: ScriptedServer, portal: Client) -> None:
    server.answers = [problem("from_the_future", 418)]
    with pytest.raises(PortalError, match="from_the_future"):
        portal.get("t1")


def test_token_does_not_follow_a_redirect(server: ScriptedServer, portal: Client) -> None:
    server.answers = [Answer(301, b"", {"Location": "https://elsewhere.example/api"})]
    with pytest.raises(PortalError, match=r"elsewhere\.example"):
        portal.get("t1")
    assert len(server.asked) == 1


def test_another_server_is_told_apart(server: ScriptedServer, portal: Client) -> None:
    server.answers = [Answer(200, b"<html>hello</html>", {"Content-Type": "text/html"})]
    with pytest.raises(PortalError, match="is this the address of a portal"):
        portal.get("t1")


def test_wait_holds_its_polls_open(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    server.answers = [Answer(200, DONE, {"ETag": '"v2"'})]
    assert portal.wait("t1")["status"] == "succeeded"
    assert (server.asked[0].headers["Prefer"], server.asked[0].headers["If-None-Match"]) == ("wait=20", None)


def test_wait_polls_where_nothing_is_held_open(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    waiting = Answer(200, TASK, {"ETag": '"v1"', "Retry-After": "1"})
    server.answers = [waiting, *[Answer(304, headers={"ETag": '"v1"'})] * 5, Answer(200, DONE, {"ETag": '"v2"'})]
    assert portal.wait("t1")["done"]
    assert [asked.headers["If-None-Match"] for asked in server.asked] == [None] + ['"v1"'] * 6
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1, 1]


def test_changes_come_one_by_one(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    server.answers = [
        Answer(200, TASK, {"ETag": '"v1"'}),
        Answer(200, TASK | {"status": "running"}, {"ETag": '"v2"'}),
        Answer(200, DONE, {"ETag": '"v3"'}),
    ]
    assert [task["status"] for task in portal.changes("t1")] == ["queued", "running", "succeeded"]
    assert [asked.headers["If-None-Match"] for asked in server.asked] == [None, '"v1"', '"v2"']
    assert [asked.headers["Prefer"] for asked in server.asked] == [None, "wait=20", "wait=20"]
    assert pauses == []


def test_results_of_a_batch_come_as_they_are_sent(server: ScriptedServer, portal: Client) -> None:
    lines = json.dumps({"index": 0, "result": "a\u2028b"}, ensure_ascii=False).encode() + b'\n{"index": 1}\n'
    server.answers = [Answer(body=[lines[:9], lines[9:]], headers={"Content-Type": "application/jsonl"})]
    assert list(portal.batch_results("b1")) == [{"index": 0, "result": "a\u2028b"}, {"index": 1}]


def test_cut_results_are_not_taken_for_all(server: ScriptedServer, portal: Client) -> None:
    server.answers = [Answer(body=[b'{"index": 0}\n{"ind'], broken=True)]
    with pytest.raises(httpx.RemoteProtocolError):
        list(portal.batch_results("b1"))


def test_cut_download_leaves_no_half_file(server: ScriptedServer, portal: Client, tmp_path: Path) -> None:
    target = tmp_path / "image.png"
    target.write_bytes(b"the former one")
    server.answers = [Answer(body=[b"half"], broken=True), Answer(body=[b"the ", b"whole"])]
    with pytest.raises(httpx.RemoteProtocolError):
        portal.download("f1", target)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"the former one"]
    portal.download("f1", target)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"the whole"]


def test_lost_upload_is_sent_again_from_its_beginning(
    server: ScriptedServer, portal: Client, pauses: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"some notes" * 20_000)
    for source in (path, path.read_bytes()):
        server.asked.clear()
        server.answers = [Answer(cut=True), Answer(503, b"", {"Content-Type": "text/html"}), Answer(201, {"id": "f1"})]
        assert portal.upload(source)["id"] == "f1"
        assert [asked.body for asked in server.asked] == [path.read_bytes()] * 3
        assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 1
        assert {asked.headers["Content-Length"] for asked in server.asked} == {"200000"}


def test_download_and_results_wait_for_a_portal_that_is_away(
    server: ScriptedServer, portal: Client, pauses: list[float]
) -> None:
    server.answers = [problem("maintenance", 503, headers={"Retry_After": "7"}), Answer(body=b"bytes")]
    assert portal.download("f1") == b"bytes"
    server.answers = [Answer(cut=True), Answer(body=[b'{"index": 0}'])]
    assert list(portal.batch_results("b1")) == [{"index": 0}]
    assert pauses[0] == 7


def test_option_that_there_is_not_is_never_sent(server: ScriptedServer, portal: Client) -> None:
    with pytest.raises(TypeError, match="prioritty"):
        portal.submit("diagnostic.echo", {}, prioritty=3)  # type: ignore[call-arg]
    assert server.asked == []


def test_pauses_spread_clients_out() -> None:
    lost = httpx.ConnectError("gone")
    found = {sending_module.pause_before_retry(lost, 1) for _ in range(20)}
    assert len(found) > 10
    assert sending_module.pause_before_retry(httpx.UnsupportedProtocol("gopher"), 1) is None


def events(*blocks: str) -> list[bytes]:
    return [block.encode() for block in blocks]


SSE = {"Content-Type": "text/event-stream"}


def test_stream_goes_on_where_it_broke(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    server.answers = [
        Answer(
            body=events(
                "retry: 3000\n\n", 'id: 4\nevent: output\ndata: {"n": 1}\n\n', 'id: 5\nevent: output\ndata: {"n"'
            ),
            headers=SSE,
            broken=True,
        ),
        Answer(body=events(": still here\n\n"), headers=SSE),
        Answer(
            body=events('id: 5\nevent: output\ndata: {"n": 2}\n\n', "id: 5-v3\nevent: done\ndata: {}\n\n"), headers=SSE
        ),
    ]
    found = list(portal.stream("t1"))
    assert [(event.id, event.name, event.data) for event in found] == [
        ("4", "output", {"n": 1}), ("5", "output", {"n": 2}), ("5-v3", "done", {}),
    ]  # fmt: skip
    assert [asked.headers["Last-Event-ID"] for asked in server.asked] == [None, "4", "4"]
    assert pauses[0] == 3


def test_stream_of_everything_goes_on_after_a_given_event(server: ScriptedServer, portal: Client) -> None:
    server.answers = [Answer(body=events('data: {"n": 1}\n\n'), headers=SSE)]
    stream = portal.stream(last_event_id="9-1")
    assert next(stream).data == {"n": 1}
    stream.close()
    assert (server.asked[0].path, server.asked[0].headers["Last-Event-ID"]) == ("/api/v1/events", "9-1")


def test_stream_is_read_as_the_standard_says(server: ScriptedServer, portal: Client) -> None:
    body = 'data: "a\u2028b"\r\n\r\ndata: [1,\rdata: 2]\r\revent: done\ndata: 0\n\n'.encode()
    server.answers = [Answer(body=[body[place : place + 1] for place in range(len(body))], headers=SSE)]
    assert [event.data for event in portal.stream("t1")] == ["a\u2028b", [1, 2], 0]


def test_refused_stream_is_an_error(server: ScriptedServer, portal: Client, pauses: list[float]) -> None:
    server.answers = [problem("not_found", 404)]
    with pytest.raises(errors.NotFound):
        next(portal.stream("t1"))
    server.answers = [Answer(200, {"data": []})]
    with pytest.raises(PortalError, match="instead of events"):
        next(portal.stream("t1"))
    server.answers = [Answer(body=[], headers=SSE)] * 5
    with pytest.raises(httpx.RemoteProtocolError):
        next(portal.stream("t1"))
