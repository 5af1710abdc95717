"""What a piece of work may take is counted in processor time, not by the clock."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.engines.contained import Child, Kind
from tasks.errors import EngineError, InputTooLarge

PHOTO: dict[str, Any] = {"path": str(Path(__file__).parents[1] / "samples" / "photo.jpg")}


def test_work_that_is_kept_waiting_is_not_blamed_on_the_file() -> None:
    child = Child()
    pid = child._process.pid
    try:
        # With its libraries loaded, so that it has next to nothing to do.
        child.call("picture_contained:make_thumbnail", seconds=60, into=os.devnull, **PHOTO)
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(3.0, os.kill, (pid, signal.SIGCONT)).start()
        began = time.monotonic()

        # Half the time that it stands still, and more than it works.
        assert child.call("picture_contained:make_thumbnail", seconds=1.5, into=os.devnull, **PHOTO)["width"] == 320
        assert time.monotonic() - began > 2.5
    finally:
        child.close()


def test_a_child_that_has_got_stuck_is_told_from_one_that_is_slow() -> None:
    child = Child()
    try:
        child.call("pdf_contained:close_document")
        child.kind = Kind("stuck", stalled_seconds=1.0)
        os.kill(child._process.pid, signal.SIGSTOP)
        with pytest.raises(EngineError, match="did nothing for 1 seconds"):
            child.call("picture_contained:read_text", **PHOTO)
    finally:
        child.close()


def test_what_takes_too_long_is_given_up() -> None:
    child = Child()
    try:
        # The libraries alone take longer to load.
        with pytest.raises(InputTooLarge, match="processor time"):
            child.call("picture_contained:analyze", seconds=0.2, **PHOTO)
    finally:
        child.close()


def test_a_child_is_not_kept_for_ever() -> None:
    child = Child(Kind("short", most_calls=2))
    try:
        child.call("pdf_contained:close_document")
        assert child.usable
        child.call("pdf_contained:close_document")
        assert not child.usable
    finally:
        child.close()
