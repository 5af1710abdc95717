"""How many may watch: event streams and WebSockets, 1, 100 and 5,000 of them on one web process.

`python -m portal.launch.with_database bench -- python -m tests.bench.watchers [COUNT …]` prints, for each number of
watchers, how long after the end of a task the last of them knew, and what a watcher costs the web process: CPU for the
end, CPU while nothing happens, memory. Streams watch one task together; WebSockets are 30 a user, each with a task.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
import django

if __name__ == "__main__":
    django.setup()

import psutil
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command

from accounts.models import User
from accounts.tokens import create_token
from portal.launch.run.ports import free_port
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_task
from tasks.live.consumer import MOST_SOCKETS
from tasks.models import Task
from tests.bench import processes, scene, serving

COUNTS = (1, 100, 5000)
# A whole round of the signs of life that streams get.
IDLE_SECONDS = 15.0
# So many connect at a time: to be accepted, not to be measured.
AT_ONCE = 20
PATIENCE_SECONDS = 300.0
# Descriptors of a process beside its sockets.
SPARE = 200

Opened = tuple["asyncio.Task[float]", asyncio.StreamWriter]
# A WebSocket's ping with four bytes, as the server sends it, and the head of the answer: masked by nothing.
PING, PONG = b"\x89\x04", b"\x8a\x84\0\0\0\0"


class Watched(NamedTuple):
    """What a number of watchers cost. The last three are of one watcher."""

    kind: str
    watchers: int
    last_told_ms: float
    event_cpu_ms: float
    idle_cpu_ms_a_second: float
    kilobytes: float


class Watch(NamedTuple):
    """One watcher: what it sends to begin, what it has read when it watches, what it reads at the end."""

    request: bytes
    begins: bytes
    ends: bytes


def measure_watchers(counts: Sequence[int] = COUNTS) -> list[Watched]:
    """Measure streams, then sockets. On the bench's database, in which nothing else is under way."""
    needed = max(counts) + SPARE
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < needed:
        raise SystemExit(f"{max(counts)} watchers need {needed} file descriptors; the limit is {hard} (ulimit -Hn).")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    found = []
    for kind, prepare in (("streams", _streams), ("sockets", _sockets)):
        for count in counts:
            found.append(asyncio.run(_measure(kind, *prepare(f"{kind} {count}", count))))
            print(line(found[-1]), flush=True)
    return found


def _streams(name: str, count: int) -> tuple[list[Watch], list[Task]]:
    user = scene.make_user(name)
    task = _queued(user)
    token = create_token(user, name="bench", scopes=["tasks:read"])
    head = _head(f"/api/v1/tasks/{task.pk}/events", Authorization=f"Bearer {token}", Accept="text/event-stream")
    return [Watch(head, b"event: task\n", b"event: done\n")] * count, [task]


def _sockets(name: str, count: int) -> tuple[list[Watch], list[Task]]:
    watches, tasks = [], []
    for first in range(0, count, MOST_SOCKETS):
        user = scene.make_user(f"{name} {first}")
        task = _queued(user)
        head = _head(
            "/ws/tasks",
            Cookie=f"sessionid={_session(user)}",
            Origin="http://127.0.0.1:{port}",
            Connection="Upgrade",
            Upgrade="websocket",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA==",
        )
        tasks.append(task)
        watches += [Watch(head, b"\r\n\r\n", str(task.pk).encode())] * min(MOST_SOCKETS, count - first)
    return watches, tasks


async def _measure(kind: str, watches: list[Watch], tasks: list[Task]) -> Watched:
    port, count = free_port(), len(watches)
    command = [sys.executable, "-m", "portal.web_server", "--port", str(port)]
    most = {"MAX_STREAMS": str(count + SPARE), "MAX_STREAMS_PER_USER": str(count + SPARE)}
    with processes.child("watched", command, PORTAL_PROCESS="web", **most) as process:
        await asyncio.to_thread(serving.wait_until_it_answers, port)
        server = psutil.Process(process.pid)
        # The first one brings what is loaded once.
        opened = [await _open(port, watches[0])]
        memory = server.memory_full_info().pss
        opened += await _each(watches[1:], lambda watch: _open(port, watch))
        # What follows the last handshake is over.
        await asyncio.sleep(1)
        kilobytes = (server.memory_full_info().pss - memory) / max(1, count - 1) / 1000
        cpu = processes.cpu_seconds(server)
        await asyncio.sleep(IDLE_SECONDS)
        idle = (processes.cpu_seconds(server) - cpu) / IDLE_SECONDS / count
        cpu = processes.cpu_seconds(server)
        began = time.perf_counter()
        await asyncio.to_thread(_end, tasks)
        told = max(await asyncio.wait_for(asyncio.gather(*(one[0] for one in opened)), PATIENCE_SECONDS)) - began
        cpu = processes.cpu_seconds(server) - cpu
        for _told, writer in opened:
            writer.close()
    return Watched(kind, count, told * 1000, cpu / count * 1000, idle * 1000, kilobytes)


async def _each(watches: Sequence[Watch], open_one: Callable[[Watch], Awaitable[Opened]]) -> list[Opened]:
    places = asyncio.Semaphore(AT_ONCE)

    async def in_turn(watch: Watch) -> Opened:
        async with places:
            return await open_one(watch)

    return await asyncio.gather(*(in_turn(watch) for watch in watches))


async def _open(port: int, watch: Watch) -> Opened:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(watch.request.replace(b"{port}", str(port).encode()))
    await asyncio.wait_for(_until(reader, writer, watch.begins), PATIENCE_SECONDS)
    return asyncio.create_task(_until(reader, writer, watch.ends)), writer


async def _until(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: bytes) -> float:
    """Read until these words have come, and answer pings; return when they had."""
    seen = b""
    while words not in seen:
        part = await reader.read(65536)
        if not part:
            raise ConnectionError(f"closed before {words!r} came, after {seen[-200:]!r}")
        if part.startswith(PING):
            writer.write(PONG + part[len(PING) : len(PING) + 4])
        seen = seen[-len(words) :] + part
    return time.perf_counter()


def _queued(user: User) -> Task:
    # Nobody works: it stays queued until it is cancelled.
    return submit_task(user, Submission("diagnostic.echo", {"message": "bench"})).task


def _end(tasks: Sequence[Task]) -> None:
    for task in tasks:
        cancel_task(task.pk, by=task.owner)


def _session(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    return str(session.session_key)


def _head(path: str, **headers: str) -> bytes:
    given = {"Host": "127.0.0.1:{port}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return "".join([f"GET {path} HTTP/1.1\r\n", *(f"{n}: {v}\r\n" for n, v in given.items()), "\r\n"]).encode()


def line(one: Watched) -> str:
    return (
        f"{one.watchers:>6,} {one.kind}: the last one knew after {one.last_told_ms:,.0f} ms; of each: "
        f"{one.event_cpu_ms:.2f} ms CPU for the end, {one.idle_cpu_ms_a_second:.3f} ms a second idle, "
        f"{one.kilobytes:.0f} kB"
    )


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    measure_watchers([int(word) for word in sys.argv[1:]] or COUNTS)
