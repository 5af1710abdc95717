"""http.request against real servers on the loopback interface: what it sends, keeps, refuses and tries again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tasks.errors import FetchFailed, GiveUp, InputTooLarge, InvalidInput, Retry, UrlRefused
from tasks.handlers import http_request
from tasks.registry import get_type
from tasks.testing import FolderContext, run
from tests.outbound.receiver import Receiver, answer_with, running_receiver


@pytest.fixture
def server(receiver: Receiver) -> Receiver:
    return receiver


def call(ctx: FolderContext, server: Receiver, **data: Any) -> dict[str, Any]:
    return run("http.request", ctx, url=server.url, **data)


def test_json_is_sent_and_parsed(server: Receiver, ctx: FolderContext) -> None:
    server.answer = answer_with(201, b'{"score": 0.5, "of": [1, 2]}', Content_Type="application/json; charset=utf-8")
    result = call(ctx, server, method="POST", json={"text": "h\u00e9"}, headers={"Authorization": "Bearer k"})
    [sent] = server.received
    assert json.loads(sent.body) == {"text": "h\u00e9"}
    assert (sent.headers["content-type"], sent.headers["authorization"]) == ("application/json", "Bearer k")
    assert sent.headers["idempotency-key"] == str(ctx.task_id)
    assert (result["status"], result["json"]) == (201, {"score": 0.5, "of": [1, 2]})
    assert result["text"].startswith('{"score"')
    assert result["content_type"] == "application/json"
    assert "content-type" in result["headers"]
    assert result["engine"]["name"] == "portal"


def test_text_is_sent_with_its_type(server: Receiver, ctx: FolderContext) -> None:
    server.answer = answer_with(200, "gr\u00fcn".encode("latin-1"), Content_Type="text/plain; charset=iso-8859-1")
    result = call(ctx, server, method="PUT", body="a,b", headers={"Content-Type": "text/csv"})
    assert (server.received[0].body, server.received[0].headers["content-type"]) == (b"a,b", "text/csv")
    assert "idempotency-key" not in server.received[0].headers
    assert (result["text"], result["json"]) == ("gr\u00fcn", None)


def test_answer_that_is_no_text_is_kept_as_a_file(server: Receiver, ctx: FolderContext) -> None:
    server.answer = answer_with(200, b"\x89PNG\0", Content_Type="image/png")
    result = call(ctx, server)
    [file] = result["files"]
    assert (result["text"], result["json"]) == (None, None)
    with ctx.open(UUID(str(file))) as stored:
        assert stored.read() == b"\x89PNG\0"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"x" * 1_000_001, "text/plain"),
        (b"\xff\xfe\xfd", "text/plain; charset=utf-8"),
        (b"abc", "text/plain; charset=idna"),
        (b"abc", "text/plain; charset=nonsense"),
    ],
)
def test_text_that_a_result_cannot_hold_is_kept_as_a_file(
    server: Receiver, ctx: FolderContext, body: bytes, content_type: str
) -> None:
    server.answer = answer_with(200, body, Content_Type=content_type)
    result = call(ctx, server)
    assert result["text"] is None
    assert len(result["files"]) == 1


@pytest.mark.parametrize("body", [b"{broken", b"[" * 5_000, b"[" * 61 + b"]" * 61, b'{"n": ' + b"9" * 5_000 + b"}"])
def test_json_that_cannot_be_kept_stays_text(server: Receiver, ctx: FolderContext, body: bytes) -> None:
    server.answer = answer_with(200, body, Content_Type="application/json")
    result = call(ctx, server)
    assert (result["json"], result["text"]) == (None, body.decode())


def test_answer_that_is_too_large_gives_up(server: Receiver, ctx: FolderContext) -> None:
    server.answer = answer_with(200, bytes(http_request.MAX_BYTES + 1))
    with pytest.raises(InputTooLarge, match="10 MB"):
        call(ctx, server)


def test_head_has_headers_and_no_body(server: Receiver, ctx: FolderContext) -> None:
    server.answer = answer_with(200, b"never sent", X_Here="yes")
    result = call(ctx, server, method="HEAD")
    assert (result["headers"]["x-here"], result["text"], result["files"]) == ("yes", None, [])


# --- Failures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "status", "retry", "again"),
    [
        ("GET", 503, None, True),
        ("GET", 404, None, False),
        ("PUT", 500, None, True),
        ("DELETE", 429, None, True),
        ("POST", 503, None, False),
        ("PATCH", 500, None, False),
        ("POST", 503, True, True),
        ("GET", 503, False, False),
        ("POST", 404, True, False),
    ],
)
def test_only_what_may_be_repeated_is_tried_again(
    server: Receiver, ctx: FolderContext, method: str, status: int, retry: bool | None, again: bool
) -> None:
    server.answer = answer_with(status, b"secret of the service")
    with pytest.raises(FetchFailed, match=str(status)) as caught:
        call(ctx, server, method=method, retry=retry)
    assert caught.value.retryable is again
    assert "secret" not in caught.value.message


def test_service_says_when_to_come_again(server: Receiver, ctx: FolderContext) -> None:
    server.answer = answer_with(429, Retry_After="17")
    with pytest.raises(Retry) as caught:
        call(ctx, server)
    assert caught.value.after == 17


def test_error_status_can_be_a_result(server: Receiver, ctx: FolderContext) -> None:
    server.answer = answer_with(404, b"no", Content_Type="text/plain")
    result = call(ctx, server, fail_on_error=False)
    assert (result["status"], result["text"]) == (404, "no")


@pytest.mark.parametrize(("method", "again"), [("GET", True), ("POST", False)])
def test_connection_that_breaks_is_tried_again_only_where_that_may_be(
    server: Receiver, ctx: FolderContext, method: str, again: bool
) -> None:
    def hang_up(handler: Any) -> None:
        handler.close_connection = True

    server.answer = hang_up
    with pytest.raises(FetchFailed) as caught:
        call(ctx, server, method=method)
    assert caught.value.retryable is again


def test_redirect_is_a_result_unless_it_is_to_be_followed(server: Receiver, ctx: FolderContext) -> None:
    with running_receiver() as other:
        server.answer = answer_with(302, Location=other.url)
        assert call(ctx, server)["status"] == 302
        assert not other.received
        assert call(ctx, server, redirects=1)["status"] == 204


@pytest.mark.parametrize("url", ["https://169.254.169.254/latest/", "https://10.0.0.1/", "https://localhost/"])
def test_private_address_is_refused_without_trying_again(ctx: FolderContext, url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        run("http.request", ctx, url=url)
    assert isinstance(caught.value, GiveUp)
    assert not caught.value.retryable


# --- Input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"url": "ftp://example.com/"}, "/input/url"),
        ({"url": "https://user:pw@example.com/"}, "/input/url"),
        ({"url": "nonsense"}, "/input/url"),
        ({"url": "https://example.com/", "method": "TRACE"}, "/input/method"),
        ({"url": "https://example.com/", "headers": {"Host": "x"}}, "/input/headers"),
        ({"url": "https://example.com/", "headers": {"X": "x" * 20_000}}, "/input/headers"),
        ({"url": "https://example.com/", "method": "POST", "json": 1, "body": "x"}, "/input"),
        ({"url": "https://example.com/", "json": {}}, "/input"),
        ({"url": "https://example.com/", "json_body": {}}, "/input/json_body"),
        ({"url": "https://example.com/", "redirects": 4}, "/input/redirects"),
        ({"url": "https://example.com/", "timeout_seconds": 0}, "/input/timeout_seconds"),
    ],
)
def test_faulty_input_is_refused_at_submission(data: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        get_type("http.request").validate(data)
    assert caught.value.errors[0]["pointer"] == pointer


def test_input_survives_being_stored() -> None:
    definition = get_type("http.request")
    data = definition.validate({"url": "https://example.com/", "method": "POST", "json": {"a": 1}})
    stored = data.model_dump(mode="json", exclude_unset=True)
    assert stored == {"url": "https://example.com/", "method": "POST", "json": {"a": 1}}
    assert definition.validate(stored) == data


def test_header_that_would_split_the_request_is_given_up(server: Receiver, tmp_path: Path) -> None:
    with pytest.raises(GiveUp):
        call(FolderContext(tmp_path), server, headers={"X-Key": "a\r\nHost: inside"})
    assert not server.received
