"""Runs schemathesis' command line, all its checks in all its phases, against a live portal and the stored document."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tasks.management.commands.openapi import STORED

PROJECT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_suffix(".toml")
# So long for all phases together, where two processes share a processor; `make chaos` has more. In less, too few
# operations are heard of for the silence of the others to mean anything, so a busier machine takes longer.
LEAST_SECONDS = 60.0
SHARING = 2.0


@dataclass(frozen=True)
class Run:
    """What it found, if anything, in schemathesis' own words; and how often each operation answered which status."""

    findings: str
    answers: Counter[tuple[str, int]]


def run_phases(phases: str, *, url: str, token: str, folder: Path, share: float) -> Run:
    """Run some phases for this share of the time; a run that stops early for another reason has failed, too."""
    seconds = max(LEAST_SECONDS * _crowd(), float(os.environ.get("CHAOS_SECONDS", "0")))
    answers = folder / "answers"
    answers.touch()
    seed = os.environ.get("CHAOS_SEED", "7")
    known = {"CONFORMANCE_TOKEN_ID": token.split("_")[1], "CONFORMANCE_ANSWERS": str(answers)}
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", str(STORED)]
    options = {
        "--url": url,
        "--header": f"Authorization: Bearer {token}",
        "--phases": phases,
        "--max-time": str(max(1, round(seconds * share))),
        "--seed": seed,
        "--generation-database": "none",
    }
    made = subprocess.run(
        [*command, "--no-color", *(word for option in options.items() for word in option)],
        cwd=PROJECT,
        env=os.environ | known | {"SCHEMATHESIS_HOOKS": "tests.api.conformance_hooks"},
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(made.stdout + made.stderr if made.returncode else "", _counted(answers))


def _crowd() -> float:
    """Return how many times more processes than expected want a processor; never less than one."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / SHARING)


def _counted(answers: Path) -> Counter[tuple[str, int]]:
    lines = (line.rpartition("\t") for line in answers.read_text().splitlines())
    return Counter((operation, int(status)) for operation, _, status in lines)
