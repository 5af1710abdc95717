"""A process whose parent died before it was tied to it ends as well."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

from tasks.cluster.orphans import die_with_parent

FORK = multiprocessing.get_context("fork")


def _late(writer: int) -> None:
    while os.getppid() == _middle_pid:
        time.sleep(0.01)
    os.write(writer, b"orphaned ")
    die_with_parent()
    os.write(writer, b"and alive")


def _middle(writer: int) -> None:
    global _middle_pid
    _middle_pid = os.getpid()
    FORK.Process(target=_late, args=[writer]).start()
    os.kill(_middle_pid, signal.SIGKILL)


_middle_pid = 0


def test_process_that_is_orphaned_before_it_is_tied_ends() -> None:
    reader, writer = os.pipe()
    middle = FORK.Process(target=_middle, args=[writer])
    middle.start()
    os.close(writer)
    told = b""
    while part := os.read(reader, 100):  # to the end: until nobody is left who could write
        told += part
    middle.join()
    middle.close()
    os.close(reader)
    assert told == b"orphaned "
