"""The stack of a running handler, for an operator: the worker writes it when it gets a signal, its node sends it.

faulthandler writes files, lines and names of functions, and never a value. It does so in the signal's own handler, so
a handler that hangs in a C library has one as well; nothing is stopped for it, and nobody needs the right to trace.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO
from uuid import UUID

from django.db import connections
from django.db.models.functions import Now

from tasks.cluster.node import Node
from tasks.cluster.shared import BUSY
from tasks.models import WorkerStack

logger = logging.getLogger(__name__)

STACK_SIGNAL = signal.SIGUSR2
ANSWER_SECONDS = 2.0
STEP_SECONDS = 0.02
# What comes in this time after the last of it belongs to it.
CALM_SECONDS = 0.1
MOST_BYTES = 64 * 1024

GONE = "This worker has ended meanwhile."
IDLE = "This worker runs nothing now."
DEAF = "This worker does not take the signal: a handler has changed what becomes of SIGUSR2."
SILENT = "The worker wrote nothing within two seconds: its process is stopped, or gets no processor time."

_file: IO[str] | None = None
_one_at_a_time = threading.Lock()


def write_stack_on_signal(folder: Path) -> None:
    """Let this worker write the stacks of all its threads into a file of its own whenever it gets the signal."""
    global _file
    # Open as long as the worker lives: the handler of the signal knows its number alone.
    _file = (folder / str(os.getpid())).open("w")
    faulthandler.register(STACK_SIGNAL, file=_file, all_threads=True, chain=False)


def answer_soon(node: Node, payload: str) -> None:
    """Answer an operator's question to this node in a thread of its own: the line of tasks does not wait for it."""
    question = json.loads(payload)
    if question["node"] == str(node.id):
        threading.Thread(target=_answer, args=[node, UUID(question["id"])], name="stack", daemon=True).start()


def _answer(node: Node, question: UUID) -> None:
    try:
        with _one_at_a_time:
            row = WorkerStack.objects.filter(pk=question, node=node.id, answered_at=None).first()
            if row is None:
                return
            try:
                text, error = stack_of(node, row.pid), ""
            except NoStack as none:
                text, error = "", str(none)
            WorkerStack.objects.filter(pk=question).update(text=text, error=error, answered_at=Now())
    except Exception:
        logger.exception("an operator's question for a stack could not be answered")
    finally:
        connections.close_all()


class NoStack(Exception):
    """There is none, and why."""


def stack_of(node: Node, pid: int) -> str:
    """Return what a busy worker of this node writes, its newest call first in each thread.

    Raises:
        NoStack: it is none of this node's, runs nothing, or wrote nothing in time.
    """
    records = [record for record in node.memory.records if record.pid == pid]
    path = node.stacks / str(pid)
    if not records or not path.exists():
        raise NoStack(GONE)
    if not any(record.state in BUSY for record in records):
        raise NoStack(IDLE)
    if not _takes_signal(pid):
        raise NoStack(DEAF)
    before = path.stat().st_size
    try:
        os.kill(pid, STACK_SIGNAL)
    except ProcessLookupError as error:
        raise NoStack(GONE) from error
    written = _written(path, before)
    if not written:
        raise NoStack(SILENT)
    return written


def _written(path: Path, before: int) -> str:
    """Return what was added to the file, once nothing more comes; empty where nothing came."""
    deadline = time.monotonic() + ANSWER_SECONDS
    size, grown_at = before, time.monotonic()
    while time.monotonic() < deadline and (size == before or time.monotonic() - grown_at < CALM_SECONDS):
        time.sleep(STEP_SECONDS)
        if (now := path.stat().st_size) != size:
            size, grown_at = now, time.monotonic()
    with path.open("rb") as file:
        file.seek(before)
        written = file.read(MOST_BYTES + 1)
    text = written[:MOST_BYTES].decode(errors="replace")
    return f"{text}\n… the rest is left out" if len(written) > MOST_BYTES else text


def _takes_signal(pid: int) -> bool:
    """Say whether the process has a handler for the signal, which would end it otherwise. Only Linux can tell."""
    if sys.platform != "linux":
        return True
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (STACK_SIGNAL - 1) & 1)
