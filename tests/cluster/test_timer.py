"""The number that a sentinel shares with each worker: nobody can take it along to the grave."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from django_q import cluster
from django_q.management.commands import qcluster

from tasks.cluster.django_q.install import replace_machinery


@pytest.fixture
def _machinery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours, as in `manage.py qcluster`, until the end of the test."""
    for module, name in ((cluster, "Queue"), (cluster, "Value"), (cluster, "Sentinel"), (qcluster, "Cluster")):
        monkeypatch.setattr(module, name, getattr(module, name))
    replace_machinery()


@pytest.mark.usefixtures("_machinery")
def test_worker_killed_while_it_hands_over_its_result_holds_up_nobody() -> None:
    timer = cluster.Value("f", -1)
    worker = os.fork()
    if worker == 0:
        timer.value = 3.5
        with timer.get_lock():
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(worker, 0)[1] == signal.SIGKILL

    seen: list[float] = []

    def guard() -> None:
        """As django-q2's sentinel does in each cycle."""
        with timer.get_lock():
            seen.append(timer.value)

    thread = threading.Thread(target=guard, daemon=True)
    thread.start()
    thread.join(120)
    assert seen == [3.5]
