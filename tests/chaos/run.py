"""`make chaos MINUTES=60 SEED=7`: everything that breaks things, for long, with progress and a summary.

What `make test` runs for seconds goes on for minutes here; of the negative controls, which it does not run, as many
come along as there is time for. Each step has a share of the time that is left; there is a least for each, six or
seven minutes in all on a machine that has nothing else to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Step:
    """One part of the chaos. The time that is left is divided by the shares: who overruns takes from the rest."""

    name: str
    share: float
    words: list[str]


def main() -> int:
    minutes = float(os.environ.get("MINUTES", "10"))
    seed = os.environ.get("SEED") or str(time.time_ns() % 1_000_000)
    print(f"Chaos for about {minutes:g} minutes, SEED={seed}.", flush=True)
    began = time.monotonic()
    results = []
    steps = _steps(seed)
    for number, step in enumerate(steps):
        left = max(0.0, began + minutes * 60 - time.monotonic())
        seconds = left * step.share / sum(following.share for following in steps[number:])
        print(f"\n=== {step.name}, for {seconds / 60:.1f} min", flush=True)
        step_began = time.monotonic()
        extra = {"CHAOS_SECONDS": f"{seconds:.1f}", "CHAOS_SEED": seed}
        words = [sys.executable, *step.words]
        code = subprocess.run(words, cwd=PROJECT, env=os.environ | extra, check=False).returncode
        results.append((step.name, code, seconds, time.monotonic() - step_began))
    print(f"\nSEED={seed}")
    for name, code, meant, took in results:
        print(f"{'passed' if code == 0 else 'FAILED':8}{took / 60:>6.1f} of {meant / 60:.1f} min  {name}")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes of {minutes:g} that were asked for.")
    return int(any(code for _, code, _, _ in results))


def _steps(seed: str) -> list[Step]:
    def tests(path: str) -> list[str]:
        return ["-m", "pytest", "-s", "-x", f"--hypothesis-seed={seed}", "-o", "timeout=0", path]

    chaos = "tests/chaos"
    return [
        Step("lifecycle in any order, two things at once", 0.2, tests(f"{chaos}/test_lifecycle_machine.py")),
        Step("processes killed at random", 0.25, tests(f"{chaos}/test_processes.py")),
        Step("Postgres restarted, killed, cut off, stalled", 0.2, tests(f"{chaos}/test_postgres.py")),
        Step("the primary killed, its standby promoted", 0.15, tests(f"{chaos}/test_fail_over.py")),
        Step("a foreign transaction", 0.08, tests(f"{chaos}/test_foreign_transaction.py")),
        Step("up to a million tasks", 0.08, tests("tests/lifecycle/test_plans.py")),
        Step("a frozen node that holds a lane", 0.07, tests("tests/cluster/test_frozen.py")),
        Step("the API asked for anything", 0.5, tests("tests/api/test_schemathesis.py::test_all_phases_find_nothing")),
        Step("hostile and odd files through a worker", 0.3, tests("tests/robustness/test_corpus.py")),
        Step("negative controls", 0.12, [f"{chaos}/negative_controls.py"]),
    ]


if __name__ == "__main__":
    sys.exit(main())
