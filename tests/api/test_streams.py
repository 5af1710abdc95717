"""Server-sent events from a real web process: order, resumption, ends, limits, and what they hold."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from accounts import tokens
from accounts.models import ApiToken, User
from tasks.api.streams.all_tasks import AllTasks, Position
from tasks.api.streams.follow import follow
from tasks.api.streams.wake import Wake, Woken
from tasks.api.streams.wire import Wire
from tasks.lifecycle.attempt_context import AttemptContext
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.ending import succeeded
from tasks.lifecycle.finish import finish_attempt
from tasks.lifecycle.retry import retry_task
from tasks.models import Event as EventRow
from tasks.models import Task, TaskContent
from tests.api.conftest import MakeClient, Undisturbed
from tests.api.streaming import Event, EventSource
from tests.cluster.conftest import wait_until
from tests.web.live import LiveServer, environment_of_test, session_cookie

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., dict[str, Any]]
Claim = Callable[[], Claimed]
Open = Callable[..., EventSource]
LIMIT = 50


@pytest.fixture
def open_stream(server: LiveServer, alice: User, token_of: Callable[..., str]) -> Iterator[Open]:
    """Open a stream as alice; all are closed after the test."""
    token = token_of(alice)
    with ExitStack() as opened:

        def make(path: str = "/api/v1/events", *, on: LiveServer = server, **headers: Any) -> EventSource:
            return opened.enter_context(EventSource(on, path, **{"Authorization": f"Bearer {token}"} | headers))

        yield make


@pytest.fixture
def hasty(server: LiveServer, tmp_path: Path) -> Iterator[LiveServer]:
    """A server whose streams have little patience, few threads and few connections."""
    environment = environment_of_test(media=tmp_path) | {"WEB_THREADS": "2", "WEB_DB_POOL": "2"}
    module = ("tests.api.hasty_server",)
    running = LiveServer(log=tmp_path / "hasty.log", environment=environment, module=module)
    yield running
    running.stop()


def say(claimed: Claimed, *words: str) -> None:
    """Say something as the handler of a running task: each word is one event."""
    for word in words:
        context = AttemptContext(claimed, Undisturbed())
        context.emit(word)
        context.flush()


def finish(claimed: Claimed, text: str = "hello") -> None:
    engine = {"name": "test", "version": "1", "kind": "embedded"}
    finish_attempt(claimed, succeeded({"text": text, "attempt": 1, "engine": engine}))


def words_of(events: list[Event]) -> list[str]:
    return [event.data["data"]["text"] for event in events if event.name == "output"]


def test_stream_tells_the_task_what_it_says_and_its_end(
    open_stream: Open, alice: User, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    stream = open_stream(task["urls"]["events"])
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
    assert stream.headers["x-accel-buffering"] == "no"
    assert "content-length" not in stream.headers
    assert [(event.name, event.data["status"]) for event in stream.until("task")] == [("task", "queued")]
    claimed = claim()
    assert stream.until("task")[-1].data["status"] == "running"
    context = AttemptContext(claimed, Undisturbed())
    context.emit("Once")
    context.log("a line\nand another")
    context.progress(0.5, "half")
    context.flush()
    finish(claimed)
    told = stream.until("done")
    assert [event.name for event in told] == ["output", "log", "progress", "done"]
    rows = list(EventRow.objects.order_by("id"))
    assert [event.id for event in told[:-1]] == [str(row.pk) for row in rows]
    assert [event.data["data"] for event in told[:-1]] == [row.data for row in rows]
    assert told[-1].data["result"]["text"] == "hello"
    assert stream.next() is None


def test_events_are_those_of_the_list(
    open_stream: Open, api: MakeClient, alice: User, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    claimed = claim()
    say(claimed, "one", "two")
    finish(claimed)
    listed = api(alice).get(task["urls"]["events"]).json()["data"]
    told = [event.data for event in open_stream(task["urls"]["events"]).until("done")[:-1]]
    assert told == listed
    assert api(alice).get(task["urls"]["self"]).json()["done"]


def test_resumed_stream_misses_nothing_and_repeats_nothing(
    open_stream: Open, alice: User, submit: Submit, claim: Claim
) -> None:
    path = submit(alice)["urls"]["events"]
    claimed = claim()
    stream = open_stream(path)
    say(claimed, "a", "b", "c")
    heard: list[Event] = []
    while len(words_of(heard)) < 2:
        event = stream.next()
        assert event is not None
        heard.append(event)
    stream.close()
    say(claimed, "d", "e")
    stream = open_stream(path, Last_Event_ID=heard[-1].id)
    say(claimed, "f")
    while words_of(heard)[-1] != "f":
        event = stream.next()
        assert event is not None
        heard.append(event)
    assert words_of(heard) == list("abcdef")
    finish(claimed)
    assert stream.until("done")[-1].data["status"] == "succeeded"


def test_more_events_than_are_read_at_once_come_in_order(
    open_stream: Open, alice: User, submit: Submit, claim: Claim
) -> None:
    path = submit(alice)["urls"]["events"]
    claimed = claim()
    EventRow.objects.bulk_create(
        EventRow(task_id=claimed.id, attempt=1, kind="output", data={"text": str(number)}) for number in range(450)
    )
    finish(claimed)
    assert words_of(open_stream(path).until("done")) == [str(number) for number in range(450)]


def test_client_that_has_seen_the_end_is_told_to_stop_until_the_task_is_revived(
    open_stream: Open, alice: User, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    path = task["urls"]["events"]
    cancel_task(task["id"], by=alice, owner=alice)
    end = open_stream(path).until("done")[-1]
    assert open_stream(path, Last_Event_ID=end.id).status == 204
    retry_task(task["id"], by=alice, owner=alice)
    assert open_stream(path, Last_Event_ID=end.id).until("task")[-1].data["status"] == "queued"


def test_stream_without_rights_is_a_problem(
    server: LiveServer, open_stream: Open, alice: User, bob: User, submit: Submit, token_of: Callable[..., str]
) -> None:
    path = submit(alice)["urls"]["events"]
    theirs = f"Bearer {token_of(bob)}"
    refused = [
        open_stream(path, Authorization=theirs),
        open_stream(path, Authorization="Bearer nonsense"),
        open_stream(path, Authorization=f"Bearer {token_of(alice, 'files')}"),
        EventSource(server, path),
        EventSource(server, "/api/v1/events"),
        open_stream(path, Last_Event_ID="yesterday"),
        open_stream("/api/v1/events", Last_Event_ID="17"),
        open_stream("/api/v1/events", Accept="application/json"),
        open_stream(path + "?limit=3"),
    ]
    found = [(answer.status, answer.body()["code"]) for answer in refused]
    assert found == [
        (404, "not_found"),
        (401, "invalid_token"),
        (403, "missing_scope"),
        (401, "not_authenticated"),
        (401, "not_authenticated"),
        (400, "invalid_parameter"),
        (400, "invalid_parameter"),
        (406, "not_acceptable"),
        (400, "invalid_parameter"),
    ]
    for answer in refused:
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.headers["x-request-id"]) == 32
        answer.close()


def test_request_id_of_the_client_is_kept(open_stream: Open) -> None:
    assert open_stream(X_Request_Id="mine-1").headers["x-request-id"] == "mine-1"


def test_session_may_stream(server: LiveServer, alice: User, submit: Submit) -> None:
    cookie = f"sessionid={session_cookie(alice)}"
    with EventSource(server, submit(alice)["urls"]["events"], Cookie=cookie) as stream:
        assert stream.until("task")[-1].data["status"] == "queued"


def test_process_without_an_event_loop_says_so(api: MakeClient, alice: User, submit: Submit) -> None:
    answer = api(alice).get(submit(alice)["urls"]["events"], headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert "portal.asgi" in answer.json()["detail"]


def test_revoked_token_ends_its_streams_and_no_others(
    server: LiveServer, open_stream: Open, alice: User, submit: Submit, token_of: Callable[..., str]
) -> None:
    path = submit(alice)["urls"]["events"]
    other = open_stream(path)
    doomed = token_of(alice, "tasks:read")
    streams = [EventSource(server, where, Authorization=f"Bearer {doomed}") for where in (path, "/api/v1/events")]
    streams[0].until("task")
    tokens.revoke_token(ApiToken.objects.get(scopes=["tasks:read"]))
    for stream in streams:
        assert stream.next() is None
        stream.close()
    other.until("task")
    cancel_task(path.split("/")[-2], by=alice, owner=alice)
    assert other.until("done")


def test_disabled_user_is_cut_off_at_the_next_beat(hasty: LiveServer, open_stream: Open, alice: User) -> None:
    stream = open_stream(on=hasty)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    assert stream.next() is None
    assert "still here" in stream.comments


def test_user_has_so_many_streams_and_no_more(
    server: LiveServer, open_stream: Open, alice: User, bob: User, submit: Submit, token_of: Callable[..., str]
) -> None:
    task = submit(alice)
    streams = [open_stream() for _ in range(1000)]
    refused = [stream for stream in streams if stream.status != 200]
    assert [stream.status for stream in streams[:LIMIT]] == [200] * LIMIT
    assert {stream.status for stream in refused} == {503}
    assert len(refused) == 1000 - LIMIT
    problem = refused[0].body()
    assert (problem["code"], refused[0].headers["retry-after"]) == ("too_many_streams", "10")
    # A long poll is not refused: its preference is not honoured, and it says when to ask again.
    poll = httpx.get(
        f"{server.url}{task['urls']['self']}",
        headers={"Authorization": f"Bearer {token_of(alice)}", "Prefer": "wait=30"},
    )
    assert (poll.status_code, poll.headers["Retry-After"]) == (200, "1")
    assert "Preference-Applied" not in poll.headers
    # Another user is not concerned; and who closes one may open another.
    assert open_stream(Authorization=f"Bearer {token_of(bob)}").status == 200
    streams[0].close()
    wait_until(lambda: _opens(open_stream), what="a place")


def _opens(open_stream: Open) -> bool:
    return open_stream().status == 200


def test_streams_hold_no_thread_and_no_connection(
    hasty: LiveServer, open_stream: Open, api: MakeClient, alice: User, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    streams = [open_stream(task["urls"]["events"], on=hasty) for _ in range(LIMIT)]
    for stream in streams:
        stream.until("task")
    # Two threads and two connections are all that this server has.
    assert httpx.get(f"{hasty.url}/health/ready", timeout=120).json()["checks"]["database"] == "ok"
    assert _busy_connections() == []
    claimed = claim()
    say(claimed, "all")
    finish(claimed)
    assert [words_of(stream.until("done")) for stream in streams] == [["all"]] * LIMIT


def _busy_connections() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, query FROM pg_stat_activity WHERE application_name = 'portal-web'"
            " AND datname = current_database() AND (state <> 'idle' OR backend_xid IS NOT NULL)"
            " AND now() - state_change > interval '2 seconds'"
        )
        return cursor.fetchall()


def test_streams_share_the_one_connection_that_listens(open_stream: Open) -> None:
    listening = _listening()
    assert listening
    for _ in range(10):
        assert open_stream().status == 200
    assert _listening() == listening


def _listening() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'portal-listen' AND datname = current_database()"
            " ORDER BY pid"
        )
        return [pid for (pid,) in cursor.fetchall()]


def test_streams_go_on_when_the_listen_connection_is_cut(
    open_stream: Open, alice: User, submit: Submit, claim: Claim
) -> None:
    task = submit(alice)
    stream, everything = open_stream(task["urls"]["events"]), open_stream()
    stream.until("task")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'portal-listen' AND datname = current_database()"
        )
    claimed = claim()
    say(claimed, "meanwhile")
    assert words_of(stream.until("output")) == ["meanwhile"]
    assert words_of(everything.until("output")) == ["meanwhile"]
    finish(claimed)
    assert stream.until("done")
    assert everything.until("done")


def test_slow_reader_is_dropped_and_its_place_is_free(
    hasty: LiveServer, open_stream: Open, alice: User, submit: Submit, claim: Claim
) -> None:
    path = submit(alice)["urls"]["events"]
    claimed = claim()
    EventRow.objects.bulk_create(
        EventRow(task_id=claimed.id, attempt=1, kind="output", data={"text": "x" * 100_000}) for _ in range(200)
    )
    # More than the buffers of the system take, and nobody reads it.
    reader = open_stream(path, on=hasty)
    wait_until(lambda: "does not read" in hasty.log(), what="the drop")
    heard = words_of([event for event in _rest(reader) if event])
    assert 0 < len(heard) < 200


def _rest(stream: EventSource) -> Iterator[Event | None]:
    """Yield what is left of a stream that is cut off."""
    try:
        yield from iter(stream.next, None)
    except (ConnectionError, AssertionError):
        yield None


def test_stopped_server_ends_its_streams_at_once(
    server: LiveServer, tmp_path: Path, open_stream: Open, alice: User, submit: Submit
) -> None:
    task = submit(alice)
    stopping = LiveServer(log=tmp_path / "web.log", environment=server.environment)
    streams = [open_stream(on=stopping), open_stream(task["urls"]["events"], on=stopping)]
    streams[1].until("task")
    began = time.monotonic()
    stopping.stop()
    assert time.monotonic() - began < 10
    assert [stream.next() for stream in streams] == [None, None]
    assert "Traceback" not in stopping.log()


def test_stream_of_everything_tells_of_all_own_tasks_and_of_no_others(
    open_stream: Open, alice: User, bob: User, submit: Submit, claim: Claim
) -> None:
    stream = open_stream()
    theirs = submit(bob)
    finish(claim())
    tasks = [submit(alice), submit(alice)]
    for _ in tasks:
        claimed = claim()
        say(claimed, str(claimed.id))
        finish(claimed)
    told = stream.until("done") + stream.until("done")
    assert {event.data.get("task", event.data["id"]) for event in told} == {task["id"] for task in tasks}
    assert theirs["id"] not in str(told)
    for task in tasks:
        own = [event for event in told if task["id"] in (event.data["id"], event.data.get("task"))]
        assert [event.name for event in own][-2:] == ["output", "done"]
        assert words_of(own) == [task["id"]]


def test_stream_of_everything_holds_one_large_task_at_a_time(alice: User, submit: Submit) -> None:
    tasks = [submit(alice)["id"] for _ in range(20)]
    large = {"text": "".join(str(number) for number in range(300_000))}
    TaskContent.objects.filter(pk__in=tasks).update(result=large)
    Task.objects.filter(pk__in=tasks[:19]).update(status="succeeded", finished_at=Now())
    told: list[bytes] = []

    async def send(message: dict[str, Any]) -> None:
        told.append(message["body"][:30])

    async def catch_up() -> None:
        resumed = Position(0, int((time.time() - 60) * 1000))
        await AllTasks(Wire(send, Wake()), owner_id=alice.pk, resumed=resumed).tell(Woken(), look=True)

    tracemalloc.start()
    try:
        asyncio.run(catch_up())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    names = [text.split()[1].decode() for text in told if text.startswith(b"event")]
    assert names == ["task"] + ["done"] * 19
    # As rows, as values, and as JSON: a handful of copies, whatever the number of tasks.
    assert most < 10 * len(large["text"])


def test_stream_of_everything_resumes_with_what_was_missed(
    open_stream: Open, alice: User, submit: Submit, claim: Claim
) -> None:
    stream = open_stream()
    task = submit(alice)
    stream.until("task")
    claimed = claim()
    stream.close()
    say(claimed, "missed", "too")
    finish(claimed)
    other = submit(alice)
    resumed = open_stream(Last_Event_ID=stream.last_id)
    told = resumed.until("done")
    assert words_of(told) == ["missed", "too"]
    assert told[-1].data["id"] == task["id"]
    cancel_task(other["id"], by=alice, owner=alice)
    assert resumed.until("done")[-1].data["id"] == other["id"]


def test_stream_that_was_away_too_long_says_so(open_stream: Open, alice: User, submit: Submit) -> None:
    stream = open_stream(Last_Event_ID="1-1000")
    assert stream.until("reset")[-1].data["detail"]
    submit(alice)
    assert stream.until("task")


def test_stream_of_the_test_client_needs_a_server(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    assert client.get("/api/v1/events").status_code == 406


def test_position_in_a_year_that_never_comes_is_refused(open_stream: Open) -> None:
    assert open_stream(Last_Event_ID="1-999999999999999").status == 400
    assert open_stream(Last_Event_ID="1-9999999999999").status == 200


def test_stream_whose_client_left_stops_in_the_middle_of_what_there_was_to_tell() -> None:
    sent = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if len(sent) == 3:
            wake.end()

    class Endless:
        moves_unheard = False

        async def tell(self, woken: Woken, *, look: bool) -> bool:
            while True:
                await wire.event("task", "{}")
                await asyncio.sleep(0)

    async def may_go_on() -> bool:
        return True

    wake = Wake(owner_id=1)
    wire = Wire(send, wake)
    asyncio.run(asyncio.wait_for(follow(Endless(), wake, wire, may_go_on), 10))
    assert len(sent) == 3
