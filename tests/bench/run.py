"""`make bench`: how fast tasks are submitted, polled, picked up and drained here, beside what the disk can do.

Figures of one run belong together: compare their ratios, not figures of two days.
"""

from __future__ import annotations

import http.client
import json
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

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import Plan, User  # noqa: E402
from accounts.tokens import create_token  # noqa: E402
from portal.start.ports import free_port  # noqa: E402
from tasks.lifecycle.submit import Submission, submit_batch, submit_task  # noqa: E402
from tasks.models import Node, Task  # noqa: E402

SUBMITS = 300
POLLS = 1000
PICKUPS = 50
DRAIN = 2000
WORKERS = 2
ECHO = Submission("diagnostic.echo", {"message": "bench"})


def main() -> None:
    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench@example.com", "bench", plan=Plan.objects.get(name="Internal"))
    print(f"{'':34}{'p50':>10}{'p95':>10}")
    report("commit of the disk", measure(commit, 200))
    with child("qcluster", [sys.executable, "manage.py", "qcluster"], WORKERS=str(WORKERS)):
        wait_for(lambda: Node.objects.filter(status="alive", beat__gt=0).exists())
        report("submit, in process", measure(lambda: submit_task(user, ECHO), SUBMITS))
        wait_for(lambda: not Task.objects.unfinished().exists())
        report("submitted → running", [pick_up(user) for _ in range(PICKUPS)])
        per_second = drain(user)
        print(f"{'drain, no-op tasks':34}{per_second:>10.0f} tasks/s with {WORKERS} workers")
    serve(user)


def serve(user: User) -> None:
    """Measure the API over one kept connection, as a client on this machine sees it."""
    port = free_port()
    token = create_token(user, name="bench", scopes=["tasks:read", "tasks:write"])
    command = [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--port", str(port), "--log-level", "error"]
    with child("web", command):
        wait_for(lambda: request(http.client.HTTPConnection("127.0.0.1", port), "GET", "/health/live")[0] == 200)
        client = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"type": ECHO.type, "input": ECHO.input})

        def submit() -> dict[str, str]:
            status, answer = request(client, "POST", "/api/v1/tasks", body, headers)
            assert status == 202, answer
            return json.loads(answer)

        task = submit()
        report("POST /api/v1/tasks (uvicorn)", measure(submit, SUBMITS))
        path = f"/api/v1/tasks/{task['id']}"
        assert request(client, "GET", path, None, headers)[0] == 200
        report("GET /api/v1/tasks/{id} (uvicorn)", measure(lambda: request(client, "GET", path, None, headers), POLLS))


def request(
    client: http.client.HTTPConnection,
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    try:
        client.request(method, path, body, headers or {})
        response = client.getresponse()
        return response.status, response.read()
    except ConnectionError:
        return 0, b""


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
    p95 = statistics.quantiles(seconds, n=20)[-1]
    print(f"{what:34}{statistics.median(seconds) * 1000:>7.2f} ms{p95 * 1000:>7.2f} ms", flush=True)


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the bench waited in vain")
        time.sleep(0.005)


@contextmanager
def child(name: str, command: list[str], **extra: str) -> Iterator[None]:
    """Run a part of the portal beside the bench; its log is shown when the bench fails."""
    log = PROJECT / ".portal" / "logs" / f"bench-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PORTAL_PROCESS": name, "LOG_LEVEL": "WARNING"} | extra
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield
        except BaseException:
            print(log.read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
