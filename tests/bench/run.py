"""`make bench`: what the queue costs, beside what this machine can do at all; docs/performance.md says how to read it.

ONLY=drain,latency   some parts: limits, submit, trips, latency, drain, memory, api, estimates, fairness
HELD=0               how many tasks are held behind in the second half (1,000,000); 0 leaves it out
ROUNDS=3             interleaved rounds; the table has their medians, and the lowest and highest
AGAINST=file.json    compare with an earlier run
PEERS=1              beside PgQueuer, Procrastinate and Celery, as far as they can submit, be drained and start
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# Else each submission would be a line of some peer's log, here as in its workers.
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ["EXTRA_APPS"] = ",".join(filter(None, [os.environ.get("EXTRA_APPS"), "tests.bench.noop"]))
import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402

from tasks.lifecycle.pause import pause_queue  # noqa: E402
from tests.bench import estimates, figures, limits, machine, processes, queueing, report, scene, serving, trips  # noqa: E402
from tests.bench.fairness import Fairness  # noqa: E402
from tests.bench.figures import Figures  # noqa: E402
from tests.bench.peers import found, measuring  # noqa: E402
from tests.bench.peers.peer import Peer  # noqa: E402
from tests.bench.scene import MANY, ONE, Scene  # noqa: E402
from tests.bench.wanted import Sizes, wanted_parts, wanted_sizes  # noqa: E402


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / ".portal" / "bench"
    only = wanted_parts(os.environ)
    against = os.environ.get("AGAINST")
    earlier = figures.read(Path(against)) if against else None
    sizes = wanted_sizes(os.environ)
    seen = Figures(machine.describe())
    report.say_machine(seen.machine)
    call_command("migrate", verbosity=0)
    place = scene.set_up()
    for queue in (ONE, MANY):
        pause_queue(queue, by=place.one)
    missed: list[str] = []
    with found.peers(os.environ) as peers:
        measure(seen, place, peers, sizes, only, held=0)
        if "estimates" in only:
            estimates.run(processes.child, processes.wait_for)
        if "fairness" in only:
            missed = Fairness(processes.child, processes.wait_for).run()
        if sizes.held and only - {"memory", "estimates", "fairness", "trips"}:
            hold(place, peers, sizes.held)
            holding = [peer for peer in peers if peer.holds]
            measure(seen, place, holding, sizes, only - {"memory"}, held=sizes.held)
    report.write(seen, earlier, folder)
    if missed:
        print("\nMissed: " + "; ".join(missed))
    return int(bool(missed))


def hold(place: Scene, peers: Sequence[Peer], count: int) -> None:
    began = time.perf_counter()
    scene.hold(place, count)
    print(f"{count:,} tasks are held behind now ({time.perf_counter() - began:.0f} s)", flush=True)
    for peer in peers:
        if peer.holds:
            peer.clear()
            peer.hold(count)
    scene.settle()


def measure(seen: Figures, place: Scene, peers: Sequence[Peer], sizes: Sizes, only: set[str], *, held: int) -> None:
    """Measure each part once a round, one after the other, so that a machine's mood meets all alike."""
    for number in range(sizes.rounds):
        for part in steps(seen, place, sizes, only, held):
            part()
        for peer in peers:
            measuring.measure(peer, seen, sizes, only, held=held)
        print(f"round {number + 1} of {sizes.rounds} with {held:,} held", flush=True)


def steps(seen: Figures, place: Scene, sizes: Sizes, only: set[str], held: int) -> list[Callable[[], None]]:
    wanted: list[Callable[[], None]] = []
    if "limits" in only:
        wanted.append(lambda: measure_limits(seen, sizes, held))
    if "submit" in only:
        wanted.append(lambda: queueing.measure_submits(seen, place, sizes, held=held))
    if only & {"latency", "drain", "memory", "api"}:
        wanted.append(lambda: measure_node(seen, place, sizes, only, held))
    if "api" in only:
        wanted.append(lambda: serving.measure_api(seen, place, sizes, held=held))
    if "trips" in only and not held:
        wanted.append(lambda: trips.measure_trips(seen, place, sizes, held=held))
    return wanted


def measure_limits(seen: Figures, sizes: Sizes, held: int) -> None:
    for clients in (1, 4):
        seen.add(f"commits_{clients}", limits.commits_a_second(clients, seconds=sizes.seconds), held=held)
    seen.add("bare_loop", limits.bare_loop_a_second(1, seconds=sizes.seconds), held=held)
    seen.add("bare_loop_32", limits.bare_loop_a_second(32, seconds=sizes.seconds), held=held)


def measure_node(seen: Figures, place: Scene, sizes: Sizes, only: set[str], held: int) -> None:
    """Measure what needs a node; the API needs one task that has ended."""
    with processes.node() as node:
        if "memory" in only:
            time.sleep(1)
            seen.add("idle_pss", processes.pss_megabytes(node), held=held)
        queueing.work_off(scene.NOW)
        queueing.run_one(place)
        if "latency" in only:
            queueing.measure_latency(seen, place, sizes, held=held)
        if "drain" in only:
            queueing.measure_drains(seen, place, sizes, node, held=held)
        if "memory" in only:
            seen.add("worked_pss", processes.pss_megabytes(node), held=held)


if __name__ == "__main__":
    sys.exit(main())
