"""Temporary files of contained processes go with them, however they and their workers end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tasks.engines import scratch
from tasks.engines.contained import Child
from tasks.errors import TaskError

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_killed_child_leaves_no_files(folder: Path) -> None:
    child = Child()
    child.call("pdf_contained:close_document")
    (own,) = folder.iterdir()
    told = Path(f"/proc/{child._process.pid}/environ").read_bytes() if sys.platform == "linux" else b""
    assert not told or f"TMPDIR={own}".encode() in told.split(b"\0")
    (own / "portal-ocr-x").mkdir()
    (own / "portal-ocr-x" / "picture.npy").write_bytes(b"large")
    os.kill(child._process.pid, signal.SIGKILL)
    with pytest.raises(TaskError):
        child.call("pdf_contained:close_document")
    child.close()
    assert list(folder.iterdir()) == []


def test_what_a_killed_worker_left_is_removed_and_what_is_in_use_stays(folder: Path) -> None:
    program = (
        f"import tempfile, time; tempfile.tempdir = {str(folder)!r}\n"
        "from tasks.engines.scratch import Scratch\n"
        "mine = Scratch(); (mine.path / 'large').touch(); print(mine.path, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        left = Path(worker.stdout.readline().strip())
        os.utime(left, (1, 1))
        scratch.remove_abandoned()
        assert (left / "large").exists()
        worker.kill()
    scratch.remove_abandoned()
    assert not left.exists()


def test_one_that_was_made_just_now_and_links_are_left_alone(folder: Path) -> None:
    (young := folder / f"{scratch.PREFIX}young").mkdir()
    (elsewhere := folder / "elsewhere").mkdir()
    os.utime(elsewhere, (1, 1))
    (folder / f"{scratch.PREFIX}link").symlink_to(elsewhere)
    scratch.remove_abandoned()
    assert young.exists()
    assert elsewhere.exists()
