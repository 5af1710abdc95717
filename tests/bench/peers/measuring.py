"""How a queue beside ours is measured: like ours, as far as it can do the same."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.bench import processes
from tests.bench.figures import Figures
from tests.bench.peers import ran
from tests.bench.peers.peer import Peer
from tests.bench.processes import wait_for
from tests.bench.wanted import Sizes

BULK = 1000
PAUSE_SECONDS = 0.02


def measure(peer: Peer, figures: Figures, sizes: Sizes, only: set[str], *, held: int) -> None:
    """Measure a round. With tasks held, those are what is drained; nothing runs but as much as is counted."""
    add = _adder(figures, peer, held)
    if not held:
        peer.clear()
    if "submit" in only:
        add("enqueue", _rate(lambda: peer.enqueue(0), sizes.submits))
        began = time.perf_counter()
        if sizes.bulk >= BULK and peer.bulk(BULK):
            calls = sizes.bulk // BULK
            for _ in range(calls - 1):
                peer.bulk(BULK)
            add("bulk", calls * BULK / (time.perf_counter() - began))
    if "latency" in only and not held:
        peer.clear()
        _measure_latency(peer, sizes, add)
    if "drain" in only:
        count = peer.drained if sizes.drain >= BULK else sizes.drain
        if not held:
            peer.clear()
            for _ in range(-(-count // BULK)):
                peer.bulk(BULK)
        add("drain_one", drain(peer, count))


def _measure_latency(peer: Peer, sizes: Sizes, add: Callable[[str, float], None]) -> None:
    with workers(peer) as (folder, started):
        peer.enqueue(0)
        wait_for(lambda: ran.count(folder))
        add("idle_pss", sum(processes.pss_megabytes(process) for process in started))
        for _ in range(sizes.pickups):
            peer.enqueue(time.time())
            time.sleep(PAUSE_SECONDS)
        wait_for(lambda: ran.count(folder) > sizes.pickups)
        waited = [seconds * 1000 for seconds in ran.seconds(folder)]
    add("latency_p50", statistics.median(waited))
    add("latency_p99", statistics.quantiles(waited, n=100)[98])


def drain(peer: Peer, count: int) -> float:
    """Return how many tasks a second two workers run, from the first that is seen to have run."""
    with workers(peer) as (folder, _):
        wait_for(lambda: ran.count(folder), every=0.001)
        began, before = time.perf_counter(), ran.count(folder)
        wait_for(lambda: ran.count(folder) >= count, 120, every=0.002)
        return (ran.count(folder) - before) / (time.perf_counter() - began)


@contextmanager
def workers(peer: Peer) -> Iterator[tuple[Path, list[psutil.Process]]]:
    """Run its workers; give the folder of their notes, and the processes."""
    folder = Path(tempfile.mkdtemp())
    try:
        with ExitStack() as stack:
            started = []
            for number in range(peer.processes):
                command = [sys.executable, "-m", peer.module]
                extra = peer.environment() | {ran.FOLDER: str(folder)}
                process = stack.enter_context(processes.child(f"{peer.name}-{number}", command, **extra))
                started.append(psutil.Process(process.pid))
            yield folder, started
    finally:
        shutil.rmtree(folder)


def _rate(action: Callable[[], object], times: int) -> float:
    action()
    began = time.perf_counter()
    for _ in range(times):
        action()
    return times / (time.perf_counter() - began)


def _adder(figures: Figures, peer: Peer, held: int) -> Callable[[str, float], None]:
    return lambda name, value: figures.add(name, value, held=held, queue=peer.name)
