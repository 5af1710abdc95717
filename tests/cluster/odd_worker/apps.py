"""The moments are signals that Django and django-q2 send anyway."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

# As many looks for one elsewhere: at each cycle of the sentinel, which is every quarter of a second.
OFTEN = 5

_worker = 0


class OddWorkerConfig(AppConfig):
    name = "tests.cluster.odd_worker"

    def ready(self) -> None:
        # Its module has models, which are not ready before.
        from django_q.signals import post_execute_in_worker, post_spawn

        from tasks.cluster import frozen

        frozen.LOOK_SECONDS = frozen.LOOK_SECONDS / OFTEN
        # A worker is given as long as elsewhere to get ready.
        frozen.BOOT_LOOKS = frozen.BOOT_LOOKS * OFTEN
        # Before the command connects what makes the process a worker of its node.
        post_spawn.connect(_boot)
        connection_created.connect(_claim)
        post_execute_in_worker.connect(_hand_over)


def _boot(**_: Any) -> None:
    global _worker
    _worker = os.getpid()
    _obey("boot")


def _claim(**_: Any) -> None:
    # A worker opens its connection when it claims for the first time, its tokens noted.
    if _worker == os.getpid():
        _obey("claim")


def _hand_over(**_: Any) -> None:
    _obey("handover")


def _obey(moment: str) -> None:
    if "ODD_WORKER" not in os.environ:
        return
    order = Path(os.environ["ODD_WORKER"])
    try:
        wanted, seconds = order.read_text().split()
        if wanted != moment:
            return
        order.unlink()
    except FileNotFoundError:
        return
    order.with_suffix(".pid").write_text(str(os.getpid()))
    if float(seconds):
        time.sleep(float(seconds))
    else:
        os.kill(os.getpid(), signal.SIGSTOP)
