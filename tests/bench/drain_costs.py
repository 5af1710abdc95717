"""What a no-op task costs from its claim to its settlement: CPU by process, statements, commits, WAL, NOTIFYs.

    python -m portal.launch.with_database bench -- python tests/bench/drain_costs.py --tasks 8000 --users 1

Where the server has pg_stat_statements loaded, time by statement is shown as well. Real workers, everything recorded.
CPU per task can be compared between two runs on a machine that does other work; tasks a second cannot.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
import django

django.setup()

import psutil  # noqa: E402
import psycopg  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import Plan, User  # noqa: E402
from tasks.direct import connection_parameters  # noqa: E402
from tasks.lifecycle import estimate  # noqa: E402
from tasks.lifecycle.submit import Submission, submit_batch  # noqa: E402
from tasks.models import Attempt, Estimate, Node, Task  # noqa: E402
from tests.bench.processes import child, wait_for  # noqa: E402

ECHO = Submission("diagnostic.echo", {"message": "bench"})

STATEMENTS = """
    SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 60) AS query, calls, rows, total_exec_time, total_plan_time,
           wal_records, wal_bytes, shared_blks_hit
      FROM pg_stat_statements
     WHERE total_exec_time > %s
     ORDER BY total_exec_time DESC
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=8000)
    parser.add_argument("--users", type=int, default=1)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--behind", type=int, default=0, help="tasks more of each user that stay held")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--listen", action="store_true", help="count NOTIFYs, as a web process would hear them")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    users = [make_user(f"bench-{number}", options.slots) for number in range(options.users)]
    with node(options.workers):
        fill(users[:1], 200)
        wait_for(done)
    estimate.learn_estimates()
    print(f"estimates: {dict(Estimate.objects.values_list('type', 'seconds'))}")
    for _ in range(options.rounds):
        fill(users, options.tasks)
        measure(options)
    return 0


def make_user(name: str, slots: int) -> User:
    limits = {field.name: getattr(Plan.objects.get(name="Internal"), field.name) for field in Plan._meta.fields}
    plan = Plan.objects.create(**limits | {"id": None, "name": name, "is_default": False, "slots": slots})
    return User.objects.create_user(f"{name}@example.com", None, plan=plan)


def node(workers: int) -> Any:
    return child("qcluster", [sys.executable, "manage.py", "qcluster"], WORKERS=str(workers))


def fill(users: list[User], count: int) -> None:
    each = max(1, count // len(users))
    for user in users:
        for first in range(0, each, 1000):
            submit_batch(user, [ECHO] * min(1000, each - first))


def done() -> bool:
    return not Task.objects.filter(status__in=["held", "ready", "running"]).exists()


def measure(options: argparse.Namespace) -> None:
    before = server_figures()
    listener = listen() if options.listen else None
    last = Attempt.objects.order_by("-id").values_list("id", flat=True).first() or 0
    reset_statements()
    with node(options.workers) as process:
        wait_for(lambda: Node.objects.filter(pid=process.pid, status="alive", beat__gt=0).exists())
        began = time.perf_counter()
        own = cpu_of_node(process.pid)
        wait_for(done, seconds=300)
        took = time.perf_counter() - began
        cpu = {name: seconds - own.get(name, 0.0) for name, seconds in cpu_of_node(process.pid).items()}
    ended = Attempt.objects.filter(id__gt=last)
    count = ended.count()
    rate = speed(last)
    after = server_figures()
    print(f"\n{count} tasks, {rate:.0f}/s between the first and the last start ({took:.2f} s from the node's start)")
    for name, seconds in sorted(cpu.items()):
        print(f"  CPU {name:20}{seconds / count * 1000:>9.3f} ms a task")
    print(f"  CPU {'all':20}{sum(cpu.values()) / count * 1000:>9.3f} ms a task")
    for name in after:
        print(f"  {name:24}{(after[name] - before[name]) / count:>9.3f} a task")
    if listener is not None:
        heard = Counter(notice.channel for notice in listener.notifies(timeout=0.5))
        print("  NOTIFYs heard           ", {name: round(number / count, 3) for name, number in heard.items()})
        listener.close()
    show_statements(count)


def speed(last: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) / extract(epoch FROM max(finished_at) - min(started_at)) FROM attempt WHERE id > %s",
            [last],
        )
        return float(cursor.fetchone()[0])


def cpu_of_node(pid: int) -> dict[str, float]:
    """Return CPU seconds by kind of process: the node's own, their backends', the server's others."""
    seconds: Counter[str] = Counter()
    main = psutil.Process(pid)
    for process in [main, *main.children(recursive=True)]:
        times = process.cpu_times()
        seconds["node"] += times.user + times.system
    backends = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid, coalesce(nullif(application_name, ''), backend_type) FROM pg_stat_activity")
        backends = dict(cursor.fetchall())
    for backend, name in backends.items():
        if backend != connection.connection.info.backend_pid:
            try:
                times = psutil.Process(backend).cpu_times()
            except psutil.NoSuchProcess:
                continue
            seconds[name] += times.user + times.system
    return dict(seconds)


def server_figures() -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT wal_records, wal_bytes, wal_fpi, xact_commit, n_tup_upd, n_tup_hot_upd,"
            " (SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal')"
            "  FROM pg_stat_wal, pg_stat_database,"
            "       (SELECT sum(n_tup_upd) AS n_tup_upd, sum(n_tup_hot_upd) AS n_tup_hot_upd FROM pg_stat_user_tables)"
            "       AS tables WHERE datname = current_database()"
        )
        names = ("WAL records", "WAL bytes", "full page images", "commits", "updates", "of them HOT", "WAL fsyncs")
        return {name: float(value) for name, value in zip(names, cursor.fetchone(), strict=True)}


def has_statements() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'")
        return bool(cursor.fetchone()[0])


def reset_statements() -> None:
    if has_statements():
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            cursor.execute("SELECT pg_stat_statements_reset()")


def show_statements(count: int) -> None:
    if not has_statements():
        return
    print(
        f"  {'statement':62}{'a task':>8}{'rows':>7}{'µs each':>9}{'µs a task':>10}{'WAL':>6}{'bytes':>7}{'pages':>7}"
    )
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS, [count / 1000 * 2])
        for query, calls, rows, spent, planned, records, size, pages in cursor.fetchall():
            print(
                f"  {query:62}{calls / count:>8.3f}{rows / calls:>7.1f}{spent / calls * 1000:>9.0f}"
                f"{(spent + planned) / count * 1000:>10.1f}{records / count:>6.1f}{size / count:>7.0f}"
                f"{pages / count:>7.1f}"
            )


def listen() -> psycopg.Connection[Any]:
    raw = psycopg.connect(**connection_parameters(), autocommit=True)
    for channel in ("portal_task", "portal_ready"):
        raw.execute(f"LISTEN {channel}")
    return raw


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    sys.exit(main())
