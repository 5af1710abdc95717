"""The supervisor and its record, with real processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from portal.launch.run import run_record
from portal.launch.run.child_log import ChildLog
from portal.launch.run.local_env import PROJECT
from portal.launch.run.supervisor import Child, Program, stop_all

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# Leaves a process behind in its session that does not care for SIGTERM.
LITTER = f"import subprocess, sys, time; print(subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]).pid, flush=True)"
TELL = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *a: (print("TERM", flush=True), sys.exit(0)))
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    children = []

    def make(code: str, name: str = "child", stop_seconds: float = 5) -> Child:
        # The folder of the project in the command, as every command line of `make run` has it.
        command = [sys.executable, "-c", code, str(PROJECT)]
        child = Child(Program(name, command, os.environ, stop_seconds=stop_seconds), ChildLog(name, tmp_path))
        child.start()
        children.append(child)
        return child

    yield make
    for child in children:
        child.kill()


def eventually(condition: Callable[[], object], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def logged(folder: Path, name: str = "child") -> str:
    path = folder / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_dead_child_is_started_again(start: Callable[..., Child]) -> None:
    child = start(SLEEP)
    first = child.pid
    assert first
    os.kill(first, signal.SIGKILL)
    assert eventually(child.keep_running)
    assert child.pid != first
    assert child.exit_code() is None


def test_child_that_keeps_dying_is_waited_for_longer(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start("raise SystemExit(3)")
    assert eventually(child.keep_running)
    assert eventually(lambda: child.keep_running() or "in 1 s" in logged(tmp_path))
    assert "ended with code 3; starting it again in 0.5 s" in logged(tmp_path)


def test_session_of_a_dead_child_is_swept(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start(LITTER)
    assert eventually(lambda: "up" in logged(tmp_path))
    left_behind = int(logged(tmp_path).split()[0])
    assert eventually(lambda: child.exit_code() is not None)
    child.keep_running()
    assert eventually(lambda: is_gone(left_behind))


def test_child_is_asked_before_it_is_killed(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start(TELL)
    assert eventually(lambda: "up" in logged(tmp_path))
    stop_all([[child]], hurry=lambda: False)
    assert child.exit_code() == 0
    assert eventually(lambda: "TERM" in logged(tmp_path))


def test_child_that_does_not_stop_is_killed(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start(STUBBORN, stop_seconds=0.3)
    assert eventually(lambda: "up" in logged(tmp_path))
    stop_all([[child]], hurry=lambda: False)
    assert child.exit_code() == -signal.SIGKILL


def test_hurry_ends_the_waiting(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start(STUBBORN, stop_seconds=60)
    assert eventually(lambda: "up" in logged(tmp_path))
    stop_all([[child]], hurry=lambda: True)
    assert child.exit_code() == -signal.SIGKILL


def test_child_has_a_session_of_its_own(start: Callable[..., Child]) -> None:
    pid = start(SLEEP).pid
    assert pid
    assert os.getsid(pid) == pid


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run_record, "STATE", tmp_path)
    monkeypatch.setattr(run_record, "RECORD", tmp_path / "run.json")
    monkeypatch.setattr(run_record, "LOCK", tmp_path / "run.lock")
    return tmp_path / "run.json"


def test_leftovers_of_a_killed_run_are_stopped(
    start: Callable[..., Child], record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, litter = start(STUBBORN, "stubborn"), start(LITTER, "litter")
    assert eventually(lambda: "up" in logged(tmp_path, "stubborn") and "up" in logged(tmp_path, "litter"))
    run_record.write("http://127.0.0.1:1", {"stubborn": child.pid, "litter": litter.pid, "never": None})
    monkeypatch.setattr(run_record, "STOP_SECONDS", 0.5)
    left_behind = int(logged(tmp_path, "litter").split()[0])
    assert "stubborn" in run_record.stop_leftovers()
    assert eventually(lambda: child.exit_code() is not None)
    assert eventually(lambda: is_gone(left_behind)), "it is of this checkout, though its leader is gone"
    assert not record.exists()


def test_stranger_with_a_recorded_number_is_spared(start: Callable[..., Child], record: Path) -> None:
    child = start(SLEEP)
    run_record.write("http://127.0.0.1:1", {"web": child.pid})
    record.write_text(record.read_text().replace('"started": 1', '"started": '))
    assert run_record.stop_leftovers() == []
    assert child.exit_code() is None


def test_broken_record_is_no_record(record: Path) -> None:
    record.write_text('{"url": ')
    assert run_record.read() == {}
    assert run_record.stop_leftovers() == []


@pytest.mark.usefixtures("record")
def test_second_run_of_a_checkout_is_noticed() -> None:
    with run_record.only_one():
        assert run_record.is_running()
        with pytest.raises(run_record.AlreadyRunningError), run_record.only_one():
            pass
    assert not run_record.is_running()


def test_private_file_is_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    run_record.write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
