"""The bridge between the event loop and Django: what is sent when, and how bodies are read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from portal.request_body import ArrivingBody, KeptBody
from portal.slow_clients import no_body
from portal.threaded_wsgi import ThreadedWsgi

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "http_version": "1.1", "headers": []}
StartResponse = Callable[..., object]


def served(make: Callable[[list[str]], HttpResponseBase]) -> list[str]:
    """Return what happened, in its order, while an answer was made and sent."""
    happened: list[str] = []

    def application(_environ: dict[str, Any], start_response: StartResponse) -> HttpResponseBase:
        answer = make(happened)
        answer._handler_class = None  # type: ignore[attr-defined]
        start_response("200 OK", [("X-Name", " value ")])
        return answer

    async def send(message: dict[str, Any]) -> None:
        happened.append(f"sent {message.get('status') or message['body'].decode()}")

    asyncio.run(ThreadedWsgi(application, threads=1)(SCOPE, no_body(), send))
    return happened


def noting_close(answer: HttpResponseBase, happened: list[str]) -> HttpResponseBase:
    answer._resource_closers.append(lambda: happened.append("closed"))  # type: ignore[attr-defined]
    return answer


def test_whole_answer_gives_up_what_it_holds_before_anybody_waits_for_the_client() -> None:
    happened = served(lambda seen: noting_close(HttpResponse("all"), seen))
    assert happened == ["closed", "sent 200", "sent all"]


def test_each_part_of_a_stream_is_sent_before_the_next_is_made() -> None:
    def parts(happened: list[str]) -> Iterator[bytes]:
        for name in ("one", "two"):
            happened.append(f"made {name}")
            yield name.encode()

    happened = served(lambda seen: noting_close(StreamingHttpResponse(parts(seen)), seen))
    assert happened == ["made one", "sent 200", "sent one", "made two", "sent two", "closed", "sent "]


def test_stream_of_nothing_is_an_answer() -> None:
    assert served(lambda _: StreamingHttpResponse(iter(()))) == ["sent 200", "sent "]


def test_stream_that_breaks_off_is_the_servers_to_tell() -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        served(lambda _: StreamingHttpResponse(parts()))


def test_body_is_read_by_size_and_by_line_however_it_comes() -> None:
    whole = b"first\nsecond\nthird"

    async def read_arriving() -> list[bytes]:
        parts = [whole[at : at + 4] for at in range(0, len(whole), 4)]

        async def receive() -> dict[str, Any]:
            return {"body": parts.pop(0), "more_body": bool(parts)}

        return await asyncio.to_thread(read_all, ArrivingBody(receive))

    def read_all(body: Any) -> list[bytes]:
        return [body.read(2), body.readline(), body.readline(3), body.readline(100), body.read(100), body.readline()]

    expected = [b"fi", b"rst\n", b"sec", b"ond\n", b"third", b""]
    assert read_all(KeptBody(BytesIO(whole))) == expected
    assert asyncio.run(read_arriving()) == expected


def test_kept_body_that_broke_off_says_so_to_who_reads_that_far() -> None:
    body = KeptBody(BytesIO(b"half\nof"), ConnectionResetError())
    assert (body.read(2), body.readline()) == (b"ha", b"lf\n")
    with pytest.raises(ConnectionResetError):
        body.readline()
