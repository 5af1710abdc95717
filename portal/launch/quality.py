"""`make check`: every tool over the whole tree; all run, all failures are shown, any failure fails."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

CHECKS = {
    "types": ["-m", "mypy", "."],
    "templates": ["-m", "djlint", "--lint", "--quiet", "templates"],
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "layers": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "rooms": ["-m", "portal.launch.rooms"],
    "circles": ["-m", "portal.launch.checks.circles"],
    "copies": ["-m", "portal.launch.checks.copies", "."],
    "sizes": ["-m", "portal.launch.checks.sizes", "."],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "django": ["manage.py", "check", "--fail-level", "WARNING"],
    "languages": ["-m", "portal.launch.languages", "--check"],
    "documents": ["manage.py", "write_docs", "--check"],
}


def main() -> int:
    # Two at once: the type checker takes as long as all others together.
    with ThreadPoolExecutor(2) as pool:
        passed = list(pool.map(_run, CHECKS))
    return 0 if all(passed) else 1


def _run(name: str) -> bool:
    started = time.monotonic()
    answer = subprocess.run(
        [sys.executable, *CHECKS[name]],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = answer.returncode == 0
    verdict = f"{'ok' if passed else 'FAILED':8}{name:12}{time.monotonic() - started:.1f} s\n"
    sys.stdout.write(verdict if passed else f"{verdict}{answer.stdout}\n")
    sys.stdout.flush()
    return passed


if __name__ == "__main__":
    sys.exit(main())
