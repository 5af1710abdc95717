"""The OCR program never outlives the attempt that started it."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

import numpy as np
import psutil
import pytest
from PIL import Image

from tasks.engines import tesseract
from tasks.errors import CancelRequested, InputTooLarge

# Specks on which Tesseract works for longer than any test.
SLOW = Image.fromarray(np.random.default_rng(5).integers(0, 255, (3000, 3000), dtype=np.uint8))


def started_by(pid: int) -> list[psutil.Process]:
    try:
        return [child for child in psutil.Process(pid).children() if "tesseract" in child.name()]
    except psutil.NoSuchProcess:
        return []


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_is_killed_when_the_attempt_is_interrupted() -> None:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise CancelRequested

    def send_when_started() -> None:
        wait_until(lambda: started_by(psutil.Process().pid))
        signal.raise_signal(signal.SIGUSR2)

    before = signal.signal(signal.SIGUSR2, interrupt)
    thread = threading.Thread(target=send_when_started)
    try:
        thread.start()
        with pytest.raises(CancelRequested):
            tesseract.read_words(SLOW)
    finally:
        thread.join()
        signal.signal(signal.SIGUSR2, before)
    assert started_by(psutil.Process().pid) == []


def test_it_dies_with_its_worker() -> None:
    worker = multiprocessing.get_context("spawn").Process(target=tesseract.read_words, args=(SLOW,))
    worker.start()
    wait_until(lambda: started_by(worker.pid or 0))
    [program] = started_by(worker.pid or 0)

    worker.kill()
    worker.join()
    wait_until(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE)


def test_it_is_stopped_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "CPU_SECONDS", 1)

    with pytest.raises(InputTooLarge, match="1 s of processor time"):
        tesseract.read_words(SLOW)
    assert started_by(psutil.Process().pid) == []
