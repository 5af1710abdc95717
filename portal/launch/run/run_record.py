"""What `make run` remembers of itself in `.portal/`: where it runs, and its processes, to clean up after a kill."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from portal.launch.run.local_env import PROJECT, STATE
from portal.launch.run.sessions import kill_all, session_members, wait_until_gone
from portal.process_mark import SAME_START_SECONDS, find, mark

RECORD = STATE / "run.json"
LOCK = STATE / "run.lock"
ENVIRONMENT = STATE / "environment"
DEMO_FILE = STATE / "demo.json"
# Written before the portal is ready, renamed when it is: whoever finds demo.json can use it.
NEW_DEMO_FILE = STATE / "demo.json.new"
SHARED = (
    "DATABASE_URL",
    "SECRET_KEY",
    "MEDIA_ROOT",
    "HTTPS",
    "PORTAL_DEMO",
    "PORTAL_DIAGNOSTICS",
    "BACKENDS_CHAT",
    "OUTBOUND_ALLOW",
    "WEB_ADDRESSES",
)
STOP_SECONDS = 8.0


class AlreadyRunningError(Exception):
    """Another `make run` of this checkout is running."""


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Be the one `make run` of this checkout; being killed ends it, too.

    Raises:
        AlreadyRunningError: there is one.
    """
    STATE.mkdir(mode=0o700, exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError from None
        yield


def is_running() -> bool:
    """Say whether a `make run` of this checkout is running."""
    try:
        with only_one():
            return False
    except AlreadyRunningError:
        return True


def read() -> dict[str, Any]:
    """Return the record, empty when there is none."""
    try:
        record = json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write(url: str, children: Mapping[str, int | None]) -> None:
    """Record this process and its children."""
    record = {
        "url": url,
        "process": mark(os.getpid()),
        "children": {name: marked for name, pid in children.items() if pid and (marked := mark(pid))},
    }
    write_private(RECORD, json.dumps(record, indent=1))


def write_environment(environment: Mapping[str, str]) -> None:
    """Write what commands that are typed beside this run need to find its database (see `portal.env`)."""
    shared = {name: environment[name] for name in SHARED if name in environment}
    write_private(ENVIRONMENT, json.dumps({"process": mark(os.getpid()), "environment": shared}, indent=1))


def remove() -> None:
    """Remove what is true only while a run lasts."""
    for path in (DEMO_FILE, NEW_DEMO_FILE, ENVIRONMENT, RECORD):
        path.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file in one step, readable by its owner only."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)


def recorded_process() -> psutil.Process | None:
    """Return the process that wrote the record, if it is still there."""
    return find(read().get("process"))


def recorded_url() -> str | None:
    """Return where the running portal is; None while it is only starting, whatever the run before it wrote."""
    return read().get("url") if recorded_process() else None


def stop_leftovers() -> list[str]:
    """Stop the children of a `make run` that was killed; return their names."""
    children = read().get("children", {})
    leaders = {name: find(marked) for name, marked in children.items()}
    sessions = {name: _members(marked, leaders[name]) for name, marked in children.items()}
    # Leaders are asked first: a cluster gives its tasks back on SIGTERM.
    asked = [leader for leader in leaders.values() if leader]
    for leader in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            leader.terminate()
    wait_until_gone(asked, STOP_SECONDS)
    everyone = [member for members in sessions.values() for member in members]
    kill_all(everyone)
    wait_until_gone(everyone)
    remove()
    return [name for name, members in sessions.items() if members]


def wait_until_stopped(seconds: float) -> bool:
    """Return whether the running `make run` ended in time."""
    deadline = time.monotonic() + seconds
    while is_running():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _members(marked: Mapping[str, float], leader: psutil.Process | None) -> list[psutil.Process]:
    """Return the processes of a child's session. Where its leader is gone, they must be of this checkout."""
    pid = int(marked["pid"])
    if (
        leader is None
        and psutil.pid_exists(pid)
        and psutil.Process(pid).create_time() > marked["started"] + SAME_START_SECONDS
    ):
        # Its number was given to someone else, which happens only after the whole session ended.
        return []
    members = session_members(pid)
    return [member for member in members if leader or _is_ours(member)]


def _is_ours(process: psutil.Process) -> bool:
    try:
        return any(str(PROJECT) in word for word in process.cmdline())
    except psutil.Error:
        return False
