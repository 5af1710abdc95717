"""`make bench`: how fast tasks are submitted, polled, picked up and drained here, beside what the disk can do.

Figures of one run belong together: compare their ratios, not figures of two days.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
import django  # noqa: E402
import psutil  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import Plan, User  # noqa: E402
from accounts.tokens import create_token  # noqa: E402
from portal.launch.run.ports import free_port  # noqa: E402
from tasks.lifecycle.submit import Submission, submit_batch, submit_task  # noqa: E402
from tasks.models import Node, Task  # noqa: E402
from tests.bench import estimates, serving  # noqa: E402
from tests.bench.fairness import Fairness  # noqa: E402

SUBMITS = 300
PICKUPS = 50
DRAIN = 2000
WORKERS = 2
ECHO = Submission("diagnostic.echo", {"message": "bench"})


def main() -> int:
    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench@example.com", "bench", plan=Plan.objects.get(name="Internal"))
    print(f"{'':34}{'p50':>10}{'p95':>10}")
    commits = measure(commit, 200)
    report("commit of the disk", commits)
    with child("qcluster", [sys.executable, "manage.py", "qcluster"], WORKERS=str(WORKERS)):
        wait_for(lambda: Node.objects.filter(status="alive", beat__gt=0).exists())
        report("submit, in process", measure(lambda: submit_task(user, ECHO), SUBMITS))
        wait_for(lambda: not Task.objects.unfinished().exists())
        report("submitted → running", [pick_up(user) for _ in range(PICKUPS)])
        per_second = drain(user)
        print(f"{'drain, no-op tasks':34}{per_second:>10.0f} tasks/s with {WORKERS} workers")
    serve(user, statistics.median(commits))
    estimates.run(child, wait_for)
    missed = Fairness(child, wait_for).run()
    if missed:
        print("\nMissed: " + "; ".join(missed))
    return int(bool(missed))


def serve(user: User, commit_seconds: float) -> None:
    """Measure the API under each server, with nothing else at work."""
    token = create_token(user, name="bench", scopes=["tasks:read", "tasks:write"])
    done = Task.objects.filter(status="succeeded").values_list("pk", flat=True).latest("id")
    for server in serving.SERVERS:
        # Queued as long as no node runs.
        queued = submit_task(user, ECHO).task.pk
        port = free_port()
        with child(
            server, serving.command(server, port), PORTAL_PROCESS="web", MAX_READS_PER_SECOND="100000"
        ) as process:
            serving.wait_until_it_answers(port)
            api = serving.Api(port, token, psutil.Process(process.pid))
            print(f"\n{'under ' + server:34}{'p50':>10}{'p95':>10}{'CPU':>10}{'a core':>10}{'p50 − commit':>15}")
            serving.measure_api(
                api,
                done=done,
                queued=queued,
                submission={"type": ECHO.type, "input": ECHO.input},
                show=lambda what, measured: report_served(what, measured, commit_seconds),
            )


def report_served(what: str, measured: serving.Measured, commit_seconds: float) -> None:
    line = figures(what, measured.seconds) + f"{measured.cpu_seconds * 1000:>7.2f} ms{1 / measured.cpu_seconds:>8.0f}/s"
    if what.startswith("POST"):
        line += f"{(statistics.median(measured.seconds) - commit_seconds) * 1000:>12.2f} ms"
    print(line, flush=True)


def commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cluster SET vclock = vclock")


def pick_up(user: User) -> float:
    task = submit_task(user, ECHO).task
    wait_for(lambda: Task.objects.get(pk=task.pk).done)
    task.refresh_from_db()
    assert task.started_at is not None
    return (task.started_at - task.created_at).total_seconds()


def drain(user: User) -> float:
    for _ in range(DRAIN // 1000):
        submit_batch(user, [ECHO] * 1000)
    began = time.perf_counter()
    left = Task.objects.unfinished().count()
    wait_for(lambda: not Task.objects.unfinished().exists(), seconds=120)
    return left / (time.perf_counter() - began)


def measure(action: Callable[[], object], times: int) -> list[float]:
    action()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return seconds


def report(what: str, seconds: list[float]) -> None:
    print(figures(what, seconds), flush=True)


def figures(what: str, seconds: list[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return f"{what:34}{statistics.median(seconds) * 1000:>7.2f} ms{p95 * 1000:>7.2f} ms"


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the bench waited in vain")
        time.sleep(0.005)


@contextmanager
def child(name: str, command: list[str], **extra: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a part of the portal beside the bench; its log is shown when the bench fails."""
    log = PROJECT / ".portal" / "logs" / f"bench-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PORTAL_PROCESS": name, "LOG_LEVEL": "WARNING"} | extra
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        except BaseException:
            print(log.read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
