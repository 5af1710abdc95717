"""`make chaos MINUTES=60 SEED=7`: everything that breaks things, for long, with progress and a summary.

What `make test` runs for seconds goes on for minutes here; the negative controls, which it does not run, come along.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# About so many runs of the state machine fit a minute.
EXAMPLES_A_MINUTE = 60
FOREIGN_TASKS = 24_000


def main() -> int:
    minutes = float(os.environ.get("MINUTES", "10"))
    seed = os.environ.get("SEED") or str(time.time_ns() % 1_000_000)
    print(f"Chaos for about {minutes:g} minutes and the controls, SEED={seed}.", flush=True)
    results = []
    for name, words, extra in _steps(minutes, seed):
        began = time.monotonic()
        print(f"\n=== {name}", flush=True)
        code = subprocess.run([sys.executable, *words], cwd=PROJECT, env=os.environ | extra, check=False).returncode
        results.append((name, code, time.monotonic() - began))
    print(f"\nSEED={seed}")
    for name, code, seconds in results:
        print(f"{'passed' if code == 0 else 'FAILED':8}{seconds / 60:>6.1f} min  {name}")
    return int(any(code for _, code, _ in results))


def _steps(minutes: float, seed: str) -> list[tuple[str, list[str], dict[str, str]]]:
    def tests(*words: str) -> list[str]:
        return ["-m", "pytest", "-s", "-x", f"--hypothesis-seed={seed}", "-o", "timeout=0", *words]

    def seconds(share: float) -> dict[str, str]:
        return {"CHAOS_SECONDS": str(minutes * 60 * share), "CHAOS_SEED": seed}

    chaos = "tests/chaos"
    return [
        (
            "lifecycle in any order, two things at once",
            tests(f"{chaos}/test_lifecycle_machine.py"),
            {"CHAOS_EXAMPLES": str(int(minutes * 0.3 * EXAMPLES_A_MINUTE) or 1)},
        ),
        ("processes killed at random", tests(f"{chaos}/test_processes.py"), seconds(0.4)),
        ("Postgres restarted, killed, cut off, stalled", tests(f"{chaos}/test_postgres.py"), seconds(0.3)),
        (
            "a foreign transaction",
            tests(f"{chaos}/test_foreign_transaction.py"),
            {"CHAOS_FOREIGN_TASKS": str(FOREIGN_TASKS)},
        ),
        ("a million tasks", tests("tests/lifecycle/test_plans.py"), {"CHAOS_FLOOD": "1000000"}),
        ("a frozen node that holds a lane", tests("tests/cluster/test_frozen.py"), seconds(0)),
        ("negative controls", [f"{chaos}/negative_controls.py"], {}),
    ]


if __name__ == "__main__":
    sys.exit(main())
