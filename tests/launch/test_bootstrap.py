"""The entry of every make target, down to what an old Python makes of it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BOOTSTRAP = PROJECT / "portal" / "launch" / "bootstrap.py"

PRETEND_OLD = """
import runpy, sys
sys.version_info = (3, 9, 18)
sys.argv = ["bootstrap.py", "test"]
runpy.run_path({path!r}, run_name="__main__")
"""


def bootstrap(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BOOTSTRAP), *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def test_python_of_2016_can_read_it() -> None:
    ast.parse(BOOTSTRAP.read_text(), feature_version=(3, 6))
    assert "from __future__ import annotations" not in BOOTSTRAP.read_text(), "unknown to Python 3.6"


def test_old_python_is_told_what_to_do_in_one_sentence() -> None:
    code = PRETEND_OLD.format(path=str(BOOTSTRAP))
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer" in answer.stderr
    assert "make PYTHON=python3.12 test" in answer.stderr


def test_unknown_target_is_refused_with_the_known_ones() -> None:
    answer = bootstrap("launch")
    assert answer.returncode == 1
    assert (
        answer.stderr
        == "Say what to do: run, test, check, bench, quality, load, chaos, model, languages, requirements, stop or "
        "clean.\n"
    )


def test_clean_wants_to_be_confirmed() -> None:
    answer = bootstrap("clean", CONFIRM="")
    assert answer.returncode == 1
    assert "say CONFIRM=1" in answer.stderr
    assert (PROJECT / ".portal").exists()


def test_make_alone_lists_every_target() -> None:
    answer = subprocess.run(["make", "-s"], cwd=PROJECT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in answer.stdout.splitlines()}
    assert listed == {
        "help",
        "run",
        "stop",
        "test",
        "check",
        "quality",
        "bench",
        "load",
        "chaos",
        "model",
        "languages",
        "requirements",
        "clean",
    }
