"""`make load`: starts a portal, a node and the baseline on loopback, sends the load, and writes a table and a plot.

`report.md` and `report.svg` go to `.portal/load/`, or to the folder that is named. `LOAD_SECONDS` is of one stage (30).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
import django  # noqa: E402

django.setup()

import httpx  # noqa: E402
from django.core.management import call_command  # noqa: E402

from accounts.models import Plan, User  # noqa: E402
from accounts.tokens import create_token  # noqa: E402
from portal.launch.run.ports import free_port  # noqa: E402
from tasks.client import Client  # noqa: E402
from tests.load import question, report  # noqa: E402

ACCOUNTS = 10
WORKERS = 2
# In-flight work may end before its stage does; locust waits for it.
STOP_SECONDS = 120


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=PROJECT / ".portal" / "load")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    tokens = [account_token(number) for number in range(ACCOUNTS)]
    portal, baseline = free_port(), free_port()
    with ExitStack() as stack:
        stack.enter_context(child("web", ["-m", "portal.web_server", "--port", str(portal)]))
        stack.enter_context(child("qcluster", ["manage.py", "qcluster"], WORKERS=str(WORKERS)))
        granian = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(baseline)]
        size = ["--workers", str(WORKERS), "--blocking-threads", "4", "--no-access-log", "--log-level", "error"]
        stack.enter_context(child("baseline", [*granian, *size, "tests.load.baseline:application"]))
        warm_up(f"http://127.0.0.1:{portal}", f"http://127.0.0.1:{baseline}", tokens[0])
        return send_load(folder, portal, baseline, tokens)


def account_token(number: int) -> str:
    """Make an account whose plan does not stand in the way: limits are tested elsewhere."""
    plan = Plan.objects.get(name="Internal")
    user = User.objects.create_user(f"load{number}@example.com", "load-has-a-password", plan=plan)
    return create_token(user, name="load", scopes=["tasks:read", "tasks:write"])


def warm_up(portal: str, baseline: str, token: str) -> None:
    """Have every process load its engine: that is not what is measured."""
    asked = {"question": question.QUESTION, "context": question.CONTEXT}
    for url in (f"{portal}/health/ready", f"{baseline}/"):
        wait_for(url)
    with Client(portal, token) as client:
        for task in [client.submit("answer.complete", asked) for _ in range(4 * WORKERS)]:
            assert client.wait(task["id"], timeout=120)["status"] == "succeeded"
    for _ in range(4 * WORKERS):
        httpx.post(f"{baseline}/answer", json=asked, timeout=120).raise_for_status()


def send_load(folder: Path, portal: int, baseline: int, tokens: list[str]) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch) / "tokens"
        listed.touch(mode=0o600)
        listed.write_text("\n".join(tokens))
        environment = os.environ | {
            "LOAD_URL": f"http://127.0.0.1:{portal}",
            "LOAD_BASELINE_URL": f"http://127.0.0.1:{baseline}",
            "LOAD_TOKENS": str(listed),
            "LOAD_DURATIONS": str(Path(scratch) / "durations.json"),
        }
        command = [sys.executable, "-m", "locust", "-f", "tests/load/locustfile.py", "--headless", "--only-summary"]
        outputs = ["--csv", str(Path(scratch) / "figures")]
        code = subprocess.run(
            [
                *command,
                *outputs,
                "--stop-timeout",
                str(STOP_SECONDS),
                "--exit-code-on-error",
                "1",
                "--loglevel",
                "ERROR",
            ],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        ).returncode
        durations = json.loads((Path(scratch) / "durations.json").read_text())
        figures = report.read_figures(Path(scratch) / "figures_stats.csv", durations)
    (folder / "report.md").write_text(table := report.table(figures))
    (folder / "report.svg").write_text(report.plot(figures))
    print(f"{table}\nThe table: {folder / 'report.md'}\nThe plot: {folder / 'report.svg'}")
    return code


def wait_for(url: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} did not answer")
        time.sleep(0.1)


@contextmanager
def child(name: str, words: list[str], **extra: str) -> Iterator[None]:
    """Run a part beside the load; its log is shown when something fails."""
    log = PROJECT / ".portal" / "logs" / f"load-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PORTAL_PROCESS": name, "LOG_LEVEL": "WARNING", "BACKENDS_CHAT": ""} | extra
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=PROJECT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield
        except BaseException:
            print(log.read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
