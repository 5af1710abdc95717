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
# How many requests of each operation are made up; `make chaos` goes on for a time instead, which other machines would
# fill with other requests.
EXAMPLES = os.environ.get("CONFORMANCE_EXAMPLES", "3")


@dataclass(frozen=True)
class Run:
    """What it found, if anything, in schemathesis' own words; and how often each operation answered which status."""

    findings: str
    answers: Counter[tuple[str, int]]


def run_phases(phases: str, *, url: str, token: str, folder: Path, share: float) -> Run:
    """Run some phases, in `make chaos` for this share of its time; a run that stops early has failed, too."""
    answers = folder / "answers"
    answers.touch()
    seed = os.environ.get("CHAOS_SEED", "7")
    known = {"CONFORMANCE_TOKEN_ID": token.split("_")[1], "CONFORMANCE_ANSWERS": str(answers)}
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", str(STORED)]
    options = {
        "--url": url,
        "--header": f"Authorization: Bearer {token}",
        "--phases": phases,
        **_how_much(share),
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


def _how_much(share: float) -> dict[str, str]:
    if "CHAOS_SECONDS" in os.environ:
        return {"--max-time": str(max(1, round(float(os.environ["CHAOS_SECONDS"]) * share)))}
    return {"--max-examples": EXAMPLES}


def _counted(answers: Path) -> Counter[tuple[str, int]]:
    lines = (line.rpartition("\t") for line in answers.read_text().splitlines())
    return Counter((operation, int(status)) for operation, _, status in lines)
