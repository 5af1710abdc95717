"""What a submission costs until it is answered: CPU of client and server, round trips, commits, pages, WAL.

    python -m portal.launch.with_database bench -- python tests/bench/submit_costs.py
    python -m portal.launch.with_database bench -- python tests/bench/submit_costs.py --ways one full key --profile

In process, no node runs. CPU can be compared between two runs on a machine that does other work; `/s` only with the
commits of the disk that stand beside it.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
import django

django.setup()

import psycopg  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import Plan, User  # noqa: E402
from tasks.direct import connection_parameters  # noqa: E402
from tasks.lifecycle.submit import Submission, submit_batch, submit_task  # noqa: E402

ECHO = Submission("diagnostic.echo", {"message": "bench"})
SLOTS = 1_000_000
COUNTERS = """
    SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,
           (SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()) AS pages,
           wal_records, wal_bytes,
           (SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal') AS fsyncs
      FROM pg_stat_wal
"""


class Counters(NamedTuple):
    """What the server has counted since it started."""

    commits: int
    pages: int
    wal_records: int
    wal_bytes: int
    fsyncs: int


class Way(NamedTuple):
    """`submit` is called with a number that rises; it makes so many tasks."""

    submit: Callable[[int], object]
    tasks: int = 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ways", nargs="*")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="show where the client's time goes")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    ways = make_ways()
    print(
        f"{'':18}{'/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'client':>8}{'server':>8}{'trips':>7}{'commits':>9}{'fsyncs':>8}"
        f"{'pages':>8}{'records':>9}{'WAL B':>8}   (a task; ms of CPU)"
    )
    for _ in range(options.rounds):
        commits = [seconds_of(commit) for _ in range(200)]
        print(f"{'commit of the disk':18}{1 / statistics.median(commits):>8.0f}")
        for name in options.ways or ways:
            measure(name, ways[name], max(3, options.count // ways[name].tasks))
    for name in (options.ways or ways) if options.profile else ():
        profile(name, ways[name], max(3, options.count // ways[name].tasks))
    return 0


def make_ways() -> dict[str, Way]:
    free, full = make_user("free", slots=SLOTS), make_user("full", slots=1)
    many = [make_user(f"many-{number}", slots=SLOTS) for number in range(100)]
    for user in (free, full, *many):
        submit_task(user, ECHO)
    ended = submit_task(free, ECHO).task.pk
    later = datetime.now(UTC) + timedelta(days=1)
    return {
        "one": Way(lambda _: submit_task(free, ECHO)),
        "full": Way(lambda _: submit_task(full, ECHO)),
        "100 users": Way(lambda number: submit_task(many[number % len(many)], ECHO)),
        "key": Way(lambda _: submit_task(free, ECHO, idempotency_key=str(uuid4()), body_sha256="x")),
        "needs": Way(lambda _: submit_task(free, Submission(ECHO.type, ECHO.input, after=[ended]))),
        "later": Way(lambda _: submit_task(free, Submission(ECHO.type, ECHO.input, run_after=later))),
        "batch of 100": Way(lambda _: submit_batch(free, [ECHO] * 100), 100),
        "batch of 1000": Way(lambda _: submit_batch(free, [ECHO] * 1000), 1000),
        "full, of 1000": Way(lambda _: submit_batch(full, [ECHO] * 1000), 1000),
        "100 users, 1000": Way(lambda number: submit_batch(many[number % len(many)], [ECHO] * 1000), 1000),
    }


def make_user(name: str, slots: int) -> User:
    limits = {field.name: getattr(Plan.objects.get(name="Internal"), field.name) for field in Plan._meta.fields}
    free = {"id": None, "name": name, "is_default": False, "slots": slots, "max_waiting": 2**31 - 1}
    return User.objects.create_user(f"{name}@example.com", None, plan=Plan.objects.create(**limits | free))


def commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cluster SET vclock = vclock")


def seconds_of(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measure(name: str, way: Way, times: int) -> None:
    way.submit(0)
    way.submit(1)
    trips = round_trips(lambda: way.submit(2))
    before, server, client = server_counters(), server_cpu(), time.process_time()
    seconds = [seconds_of(lambda number=number: way.submit(number)) for number in range(times)]  # type: ignore[misc]
    client, server = time.process_time() - client, server_cpu() - server
    counted = [(after - was) / times / way.tasks for was, after in zip(before, server_counters(), strict=True)]
    commits, pages, records, size, fsyncs = counted
    each = [second / way.tasks for second in seconds]
    print(
        f"{name:18}{1 / statistics.mean(each):>8.0f}{statistics.median(each) * 1000:>8.3f}{last_of(each) * 1000:>8.3f}"
        f"{client / times / way.tasks * 1000:>8.3f}{server / times / way.tasks * 1000:>8.3f}{trips:>7}"
        f"{commits:>9.2f}{fsyncs:>8.2f}{pages:>8.1f}{records:>9.1f}{size:>8.0f}",
        flush=True,
    )


def last_of(seconds: Sequence[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * 0.99))]


def server_cpu() -> float:
    """Return the CPU seconds of this connection's backend (Linux: to the nanosecond)."""
    return int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


def server_counters() -> Counters:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    with psycopg.connect(**connection_parameters(), autocommit=True) as other:
        row: Any = other.execute(COUNTERS).fetchone()
    return Counters(*map(int, row))


def round_trips(action: Callable[[], object]) -> int:
    """Return how often the server was ready for a query, that is: answered while nothing more was on its way."""
    raw = connection.connection.pgconn
    with tempfile.TemporaryFile() as trace:
        raw.trace(trace.fileno())
        try:
            action()
        finally:
            raw.untrace()
        trace.seek(0)
        return trace.read().count(b"ReadyForQuery")


def profile(name: str, way: Way, times: int) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for number in range(times):
        way.submit(number)
    profiler.disable()
    print(f"\n{name}, {times} times")
    pstats.Stats(profiler).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    sys.exit(main())
