"""What this machine can do at all: durable commits, and the barest queue there can be on the same Postgres.

Plain psycopg, so that a figure of ours stands beside one that no queue on this disk can beat.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from subprocess import PIPE

import psycopg
from django.db import connection

from tests.bench.processes import PROJECT

SECONDS = 1.0
LOOP_TASKS = 20_000
PROCESSES = 2


def commits_a_second(clients: int, *, seconds: float = SECONDS) -> float:
    """Return how often a small change is committed for good, by so many clients at once, each to its own row."""
    with connect() as wire:
        wire.execute("CREATE TABLE IF NOT EXISTS bench_commit (id int PRIMARY KEY, value int NOT NULL)")
        wire.execute("INSERT INTO bench_commit SELECT n, 0 FROM generate_series(0, 63) AS n ON CONFLICT DO NOTHING")
    done: list[int] = []

    def client(number: int) -> None:
        with connect() as own:
            own.execute("SET synchronous_commit = on")
            statement = "UPDATE bench_commit SET value = value + 1 WHERE id = %s"
            done.append(_repeat(lambda: own.execute(statement, [number], prepare=True), seconds))

    threads = [threading.Thread(target=client, args=[number]) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def bare_loop_a_second(at_once: int, *, seconds: float = SECONDS) -> float:
    """Return how many tasks two processes take from a bare table and mark as done, so many in a commit."""
    with connect() as wire:
        wire.execute("DROP TABLE IF EXISTS bench_queue")
        wire.execute(
            "CREATE TABLE bench_queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " status text NOT NULL DEFAULT 'ready', payload jsonb NOT NULL, result jsonb)"
        )
        wire.execute("CREATE INDEX bench_queue_ready ON bench_queue (id) WHERE status = 'ready'")
        payload = json.dumps({"number": 1})
        wire.execute(
            "INSERT INTO bench_queue (payload) SELECT %s FROM generate_series(1, %s)",
            [payload, LOOP_TASKS * (1 if at_once == 1 else 10)],
        )
    command = [sys.executable, "-m", "tests.bench.bare_loop", str(at_once), str(seconds)]
    loops = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=PROJECT) for _ in range(PROCESSES)]
    for loop in loops:
        assert loop.stdin is not None
        loop.stdin.write(json.dumps(parameters()))
        loop.stdin.close()
    rates = [float(loop.stdout.read()) for loop in loops if loop.stdout is not None]
    for loop in loops:
        loop.wait()
    with connect() as wire:
        wire.execute("DROP TABLE bench_queue")
    return sum(rates)


def parameters() -> dict[str, str]:
    """Return how to connect to the bench's database."""
    settings = connection.get_connection_params()
    return {name: str(settings[name]) for name in ("host", "port", "user", "password", "dbname") if settings.get(name)}


def connect() -> psycopg.Connection:
    return psycopg.connect(**parameters(), autocommit=True)  # type: ignore[arg-type]


def _repeat(action: Callable[[], object], seconds: float) -> int:
    ends_at = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < ends_at:
        action()
        count += 1
    return count
