"""`make run` from end to end, in a copy of the checkout: started, asked, killed, started again, stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from portal.launch.embedded.folders import far_home
from portal.launch.run import local_env

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ["accounts", "portal", "tasks", "templates", "tests/samples", "manage.py"]
START_SECONDS = 120
CONFIGURED = {*local_env.test_environment("", ""), "PORT"}


class Checkout:
    """A copy of the sources with this environment, and at most one `make run` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / ".portal"
        self.process: subprocess.Popen[str] | None = None

    def command(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        # What `make test` sets would configure this start, too.
        inherited = {name: value for name, value in os.environ.items() if name not in CONFIGURED}
        with (self.folder / "output").open("a") as output:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=self.folder,
                env=inherited | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )

    def start(self, **environment: str) -> dict[str, Any]:
        """Start the portal and return demo.json as soon as it is there."""
        self.process = self.command("-m", "portal.launch.run.up", WORKERS="1", **environment)
        assert eventually((self.state / "demo.json").exists, START_SECONDS), self.output()
        demo: dict[str, Any] = json.loads((self.state / "demo.json").read_text())
        return demo

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def processes(self) -> list[psutil.Process]:
        """Return every process of this checkout, the database among them."""
        found = []
        for process in psutil.process_iter(["cmdline", "status", "cwd"]):
            words = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
            if process.info["status"] != psutil.STATUS_ZOMBIE and any(str(self.folder) in word for word in words):
                found.append(process)
        return found


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    folder = Path(tempfile.mkdtemp(prefix="portal-"))
    folder.chmod(0o755)
    for part in PARTS:
        source = PROJECT / part
        (folder / part).parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    made = Checkout(folder)
    yield made
    made.command("-m", "portal.launch.run.stop").wait()
    shutil.rmtree(folder)
    # Where root keeps a copy of the binaries when `nobody` cannot go into this environment.
    shutil.rmtree(far_home(folder), ignore_errors=True)


def eventually(condition: Callable[[], object], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def run_task(demo: dict[str, Any], name: str, kind: str, given: dict[str, Any]) -> str:
    """Submit a task with the token of demo.json and return its status when it is done."""
    headers = {"Authorization": f"Bearer {demo['users'][name]['token']}"}
    with httpx.Client(base_url=f"{demo['url']}/api/v1/", headers=headers, timeout=30) as client:
        task = client.post("tasks", json={"type": kind, "input": given}).json()
        assert eventually(lambda: client.get(f"tasks/{task['id']}").json()["done"])
        return str(client.get(f"tasks/{task['id']}").json()["status"])


def run_echo(demo: dict[str, Any], name: str) -> str:
    return run_task(demo, name, "diagnostic.echo", {"message": "hello"})


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=30).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_portal_comes_up_survives_every_kill_and_leaves_nothing(checkout: Checkout) -> None:
    demo = checkout.start()
    assert stat.S_IMODE((checkout.state / "demo.json").stat().st_mode) == 0o600
    assert [run_echo(demo, name) for name in ("alice", "bob", "olga")] == ["succeeded"] * 3
    assert eventually(lambda: "samples are through" in checkout.output(), 240)
    assert_samples_were_shown(checkout)
    assert list(readable_by_others(checkout.state)) == []

    second = checkout.command("-m", "portal.launch.run.up")
    assert second.wait(timeout=120) == 0
    assert f"already running in this checkout: {demo['url']}" in checkout.output()

    kill_everything_but_the_supervisor(checkout)
    assert eventually(lambda: "Postgres is gone; starting it again" in checkout.output())
    assert eventually(lambda: is_ready(demo["url"]))
    assert run_echo(demo, "alice") == "succeeded"

    assert checkout.process
    checkout.process.kill()
    checkout.process.wait()
    assert checkout.processes(), "its children live on"
    assert checkout.command("manage.py", "check").wait(timeout=60) == 1
    assert "environment was killed: start it again" in checkout.output()
    (checkout.state / "demo.json").unlink()
    again = checkout.start()
    assert checkout.command("manage.py", "check").wait(timeout=60) == 0
    written = json.loads((checkout.state / "environment").read_text())["environment"]
    assert written["OUTBOUND_ALLOW"].count("127.0.0.1") == 1
    assert run_task(again, "alice", "text.generate", {"prompt": "Say hello.", "max_tokens": 5}) == "succeeded"
    for name, user in again["users"].items():
        assert user["password"] == demo["users"][name]["password"]
        assert user["token"] != demo["users"][name]["token"]
    assert checkout.output().count("tasks submitted, of each type") == 1, "only at the first start"
    assert smoke(checkout, again, again["users"]["alice"]["token"]) == 0
    assert smoke(checkout, again, demo["users"]["alice"]["token"]) == 1, "a token of the start before"

    os.killpg(checkout.process.pid, signal.SIGINT)
    assert checkout.process.wait(timeout=120) == 0
    assert eventually(lambda: not checkout.processes()), checkout.processes()
    assert not (checkout.state / "demo.json").exists()


def assert_samples_were_shown(checkout: Checkout) -> None:
    lines = checkout.output().splitlines()
    where_to_look = next(number for number, line in enumerate(lines) if "Portal is running at http" in line)
    assert where_to_look < next(number for number, line in enumerate(lines) if line.startswith("samples"))
    submitted = next(int(line.split()[2]) for line in lines if "tasks submitted, of each type" in line)
    ended = [line.split()[2:4] for line in lines if line.startswith("samples") and " succeeded " in line]
    assert len(ended) == submitted, checkout.output()
    assert ["pdf.extract", "succeeded"] in ended
    assert "│ North  │ 1,204 │" in checkout.output(), "the first table of the report"
    assert (checkout.state / "samples.done").exists()


def readable_by_others(folder: Path) -> Iterator[Path]:
    """Yield what another account could read, or could see the names in."""
    if folder.stat().st_mode & 0o044:
        yield folder
    # A folder that nobody else can go into keeps what is in it.
    for entry in folder.iterdir() if folder.stat().st_mode & 0o011 else ():
        if entry.is_dir():
            yield from readable_by_others(entry)
        elif entry.stat().st_mode & 0o066:
            yield entry


def smoke(checkout: Checkout, demo: dict[str, Any], token: str) -> int:
    """Run `manage.py smoke` against the portal; it needs no database."""
    settings = {
        "SECRET_KEY": "x",
        "PORTAL_DEMO": "1",
        "PORTAL_DIAGNOSTICS": "1",
        "DATABASE_URL": "postgres://nowhere/x",
    }
    return checkout.command("manage.py", "smoke", demo["url"], "--token", token, **settings).wait(timeout=180)


def kill_everything_but_the_supervisor(checkout: Checkout) -> None:
    record = json.loads((checkout.state / "run.json").read_text())
    pids = [child["pid"] for child in record["children"].values()]
    server = next(checkout.folder.glob(".portal/postgres-*/run/data/postmaster.pid"))
    for pid in [*pids, int(server.read_text().split()[0])]:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_signal_during_the_start_ends_it(checkout: Checkout) -> None:
    process = checkout.command("-m", "portal.launch.run.up")
    assert eventually(lambda: "starting Postgres" in checkout.output())
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert eventually(lambda: not checkout.processes()), checkout.processes()


def test_taken_port_is_one_sentence(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = checkout.command("-m", "portal.launch.run.up", PORT=str(taken.getsockname()[1]))
        assert process.wait(timeout=120) == 1
    assert "cannot be used (Address already in use, by " in checkout.output()
    assert "Traceback" not in checkout.output()
