"""The child process that reads untrusted files: it dies of them, the worker does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tasks.engines import contained
from tasks.engines.contained import Child
from tasks.errors import CancelRequested, EngineError, InputTooLarge, UnreadableFile
from tests.engines import evil_files

PROJECT = Path(__file__).resolve().parents[2]
SAMPLES = PROJECT / "tests" / "samples"
SCAN: dict[str, Any] = {"path": str(SAMPLES / "photo.jpg")}


@pytest.fixture
def fresh() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


def analyze_again_and_again(child: Child) -> None:
    while True:
        child.call("picture_contained:analyze", **SCAN)


def pid_of(child: Child) -> int:
    return child._process.pid


def test_a_child_is_kept_for_the_next_call_and_ended_after_a_failure() -> None:
    with contained.child() as first:
        pass
    with contained.child() as second:
        assert second is first
        with pytest.raises(UnreadableFile):
            second.call("picture_contained:read_text", path=str(PROJECT / "README.md"))
        raised = second
    with pytest.raises(UnreadableFile):
        contained.call("picture_contained:read_text", path=str(PROJECT / "README.md"))
    assert raised._process.poll() is not None


def test_a_child_is_judged_by_its_own_memory_and_not_its_workers() -> None:
    # As large as a worker with a model in it.
    ballast = bytearray(os.urandom(1024) * (700 * 1024))
    child = Child()
    try:
        child.call("pdf_contained:close_document")
        assert child.rss_bytes < len(ballast) / 2
    finally:
        child.close()


def test_a_file_that_takes_too_much_memory_fails_and_the_worker_lives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(contained, "MEMORY_BYTES", 1200 * 1024**2)
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(evil_files.pdf_bomb(1536))
    child = Child()
    try:
        assert child.call("pdf_contained:open_document", path=str(bomb))["page_count"] == 1
        with pytest.raises((UnreadableFile, InputTooLarge), match="memory"):
            child.call("pdf_contained:read_page", number=1, use_ocr="auto")
    finally:
        child.close()
    assert psutil.Process().memory_info().rss < 1200 * 1024**2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit counts little of what a process takes")
def test_memory_is_limited_below_the_address_space(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(evil_files.pdf_bomb(1536))
    assert contained.MEMORY_BYTES > contained.READER.data_bytes > 0
    child = Child()
    try:
        child.call("pdf_contained:open_document", path=str(bomb))
        with pytest.raises((UnreadableFile, InputTooLarge), match="memory"):
            child.call("pdf_contained:read_page", number=1, use_ocr="auto")
    finally:
        child.close()


def test_a_crash_is_the_files_doing_and_a_kill_is_not(fresh: Child) -> None:
    for sent, error in ((signal.SIGSEGV, UnreadableFile), (signal.SIGKILL, EngineError)):
        child = Child()
        threading.Timer(0.3, os.kill, (pid_of(child), sent)).start()
        with pytest.raises(error):
            analyze_again_and_again(child)
        child.close()


def test_it_takes_no_notice_of_what_stops_the_worker(fresh: Child) -> None:
    fresh.call("pdf_contained:close_document")
    os.kill(pid_of(fresh), signal.SIGTERM)

    assert "PIER 7" in fresh.call("picture_contained:read_text", **SCAN)["text"]


def test_a_cancelled_call_ends_the_child_and_all_that_it_started() -> None:
    started: list[psutil.Process] = []
    began = time.monotonic()

    def cancel_when_tesseract_runs() -> None:
        # Other tests' servers may be children of this process, too.
        kept = [child for child in psutil.Process().children() if "contained_child" in " ".join(child.cmdline())]
        for child in kept:
            # Nor is a child that is kept for other work this call's.
            mine = [child, *child.children(recursive=True)]
            if any("tesseract" in " ".join(process.cmdline()) for process in mine if process.is_running()):
                started.extend(mine)
                raise CancelRequested
        assert time.monotonic() < began + 120

    with pytest.raises(CancelRequested):
        contained.call("picture_contained:analyze", check=cancel_when_tesseract_runs, **SCAN)
    _, alive = psutil.wait_procs([process for process in started if "contained_child" in str(process)], timeout=120)
    assert alive == []
    deadline = time.monotonic() + 120
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in started):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_takes_too_long_is_given_up(fresh: Child) -> None:
    with pytest.raises(InputTooLarge, match="too long"):
        fresh.call("picture_contained:analyze", seconds=0.05, **SCAN)


def test_an_unexpected_error_brings_its_traceback(fresh: Child) -> None:
    with pytest.raises(EngineError, match="FileNotFoundError") as caught:
        fresh.call("picture_contained:read_text", path="/nowhere/picture.png")
    assert "picture_file.py" in caught.value.__notes__[0]


def test_what_it_says_on_the_way_is_passed_on(fresh: Child) -> None:
    told: list[tuple[float, str]] = []
    fresh.call("picture_contained:analyze", tell=lambda *said: told.append(said), **SCAN)

    assert told == [(0.1, "reading the text"), (0.7, "looking for faces and codes")]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when it next reads from the pipe")
def test_it_dies_with_its_worker_however_that_dies() -> None:
    program = (
        "import time\nfrom tasks.engines import contained\n"
        "with contained.child() as child:\n"
        "    child.call('pdf_contained:close_document')\n"
        "    print(child._process.pid, flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        child = psutil.Process(int(worker.stdout.readline()))
        worker.kill()
    deadline = time.monotonic() + 120
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
