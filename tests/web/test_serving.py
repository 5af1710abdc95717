"""The web process as it is served: sockets, bodies, headers, on one port under uvicorn."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from accounts.models import User
from portal.request_body import ArrivingBody
from portal.slow_clients import from_client, no_body
from portal.threaded_wsgi import ThreadedWsgi, environ_of
from tasks.api.arrival import Arrival
from tasks.lifecycle.claim import Claimed
from tasks.live import channels
from tasks.live.consumer import NOT_SIGNED_IN
from tests.web.conftest import Submit
from tests.web.live import LiveServer, session_cookie

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def open_socket(server: LiveServer, cookie: str = "", *, origin: str | None = None) -> ClientConnection:
    headers = {"Cookie": f"sessionid={cookie}"} if cookie else {}
    address = server.url.replace("http", "ws") + "/ws/tasks"
    return connect(address, origin=Origin(origin or server.url), additional_headers=headers)


def test_socket_tells_what_happens_to_ones_own_tasks(
    server: LiveServer, alice: User, bob: User, submit: Submit, claim: Callable[[], Claimed]
) -> None:
    with open_socket(server, session_cookie(alice)) as mine, open_socket(server, session_cookie(bob)) as theirs:
        wait_until_subscribed(mine, alice)
        wait_until_subscribed(theirs, bob)
        task = submit(alice)
        claim()
        heard = [json.loads(mine.recv(120)) for _ in range(2)]
        assert [(told["id"], told["status"]) for told in heard] == [
            (str(task.pk), "queued"),
            (str(task.pk), "running"),
        ]
        assert "owner" not in heard[0]
        other = submit(bob)
        claim()
        # The first thing that bob's socket says is about his own task.
        assert json.loads(theirs.recv(120))["id"] == str(other.pk)


def wait_until_subscribed(one: ClientConnection, user: User) -> None:
    """Say something of a task that there is not until the socket tells it, and read all that it told of that."""

    def heard(probe: str, *, seconds: float) -> bool:
        message = {"id": probe, "owner": user.pk, "version": 1, "status": "queued"}
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [channels.TASK, json.dumps(message)])
        with suppress(TimeoutError):
            while json.loads(one.recv(seconds)).get("id") != probe:
                pass
            return True
        return False

    assert any(heard("probe", seconds=1) for _ in range(120))
    assert heard("last probe", seconds=120)


def test_socket_of_a_stranger_is_closed(server: LiveServer) -> None:
    with open_socket(server) as stranger, pytest.raises(ConnectionClosed) as closed:
        stranger.recv(120)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == NOT_SIGNED_IN


def test_socket_of_an_ended_session_is_closed(server: LiveServer, alice: User) -> None:
    cookie = session_cookie(alice)
    Session.objects.all().delete()
    with open_socket(server, cookie) as ended, pytest.raises(ConnectionClosed):
        ended.recv(120)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1", "null"])
def test_socket_from_another_site_is_refused(server: LiveServer, alice: User, origin: str) -> None:
    """Another port is another site, too: whatever else runs on this host has the session's cookie sent along."""
    with pytest.raises(InvalidStatus):
        open_socket(server, session_cookie(alice), origin=origin)


def test_socket_of_no_page_is_refused(server: LiveServer, alice: User) -> None:
    headers = {"Cookie": f"sessionid={session_cookie(alice)}"}
    with pytest.raises(InvalidStatus):
        connect(server.url.replace("http", "ws") + "/ws/tasks", additional_headers=headers)


def test_socket_elsewhere_is_refused(server: LiveServer) -> None:
    with pytest.raises(InvalidStatus):
        connect(server.url.replace("http", "ws") + "/ws/other")


def test_pages_carry_a_strict_policy(server: LiveServer) -> None:
    policy = httpx.get(f"{server.url}/status").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy


def test_static_files_are_served(server: LiveServer) -> None:
    response = httpx.get(f"{server.url}/static/ui/css/tokens.css")
    assert response.headers["Content-Type"].startswith("text/css")


def test_body_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"half of", "more_body": True},
        {"type": "http.disconnect"},
    ]
    seen: list[object] = []

    def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        try:
            seen.append(environ["wsgi.input"].read(100))
        except OSError as error:
            seen.append(error)
        start_response("200 OK", [])
        return [b""]

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(_: object) -> None:
        """The client is gone."""

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "http_version": "1.1", "headers": []}
    served = ThreadedWsgi(application, threads=1)

    async def serve() -> None:
        await served(scope, ArrivingBody(from_client(receive, Arrival())), send)

    asyncio.run(serve())
    assert isinstance(seen[0], ConnectionResetError)


def test_upload_that_is_too_large_gets_its_answer(server: LiveServer, alice: User) -> None:
    headers = {"Cookie": f"sessionid={session_cookie(alice)}", "Accept": "application/json"}
    refused = httpx.post(f"{server.url}/files/upload", content=b"x" * 110_000_000, headers=headers, timeout=30)
    assert refused.status_code == 413
    assert "at most" in refused.json()["error"]


def test_raw_bytes_in_a_query_are_no_server_error(server: LiveServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(f"GET /status?q=\xe9 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode("latin-1"))
        assert wire.recv(100).split()[1] in (b"200", b"400")


def test_header_names_with_underscores_are_dropped() -> None:
    scope = {
        "method": "GET",
        "path": "/",
        "http_version": "1.1",
        "headers": [(b"x_forwarded_proto", b"https"), (b"host", b"here")],
        "query_string": b"q=\xe9&page=%20+1",
    }
    environ = environ_of(scope, no_body())
    assert {name: value for name, value in environ.items() if name.startswith("HTTP_")} == {"HTTP_HOST": "here"}
    assert environ["QUERY_STRING"] == "q=%E9&page=%20+1"
