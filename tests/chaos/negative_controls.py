"""Shows that the suite would notice: each mechanism is taken out of a copy of the tree, and its tests must fail there.

Run it with a database: ``python -m portal.embedded test -- python tests/chaos/negative_controls.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Control:
    """Take `mechanism` out by replacing `before` by `after` in `file`; then `tests` must fail."""

    mechanism: str
    file: str
    before: str
    after: str
    tests: str


CONTROLS = [
    Control(
        "the token fences stale attempts",
        "tasks/sql/finish.sql",
        "AND task.token = %(token)s",
        "AND %(token)s::uuid IS NOT NULL",
        "tests/lifecycle/test_finish.py -k stale",
    ),
    Control(
        "the lane's lock makes fill look again",
        "tasks/sql/lock_lanes.sql",
        "FOR NO KEY UPDATE OF lane",
        "",
        "tests/lifecycle/test_cancel_and_retry.py -k comes_back or fill_that_waited",
    ),
    Control(
        "settling pays out only what it deleted",
        "tasks/sql/settle.sql",
        "WHERE token = ANY(%(tokens)s)",
        "WHERE token <> ALL(%(tokens)s)",
        "tests/lifecycle/test_finish.py",
    ),
    Control(
        "the usage row's lock makes quotas exact",
        "tasks/lifecycle/admit.py",
        'usage = sql.run_one("lock_usage", {"user": user.pk})',
        'usage = sql.run_one("read_usage", {"user": user.pk}) or sql.run_one("lock_usage", {"user": user.pk})',
        "tests/lifecycle/test_submit.py -k hundred",
    ),
    Control(
        "fill moves no more than the free slots",
        "tasks/sql/fill.sql",
        "lane.slots - lane.taken AS free",
        "lane.slots - lane.taken + 1 AS free",
        "tests/lifecycle/test_order.py -k never_exceed",
    ),
]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        passed = [_shows(control, Path(folder) / str(number)) for number, control in enumerate(CONTROLS)]
    print(f"{passed.count(True)} of {len(passed)} controls turn the suite red.")
    return 0 if all(passed) else 1


def _shows(control: Control, copy: Path) -> bool:
    _copy_tree(copy)
    file = copy / control.file
    text = file.read_text()
    if control.before not in text:
        print(f"BROKEN  {control.mechanism}: {control.file} no longer says {control.before!r}")
        return False
    file.write_text(text.replace(control.before, control.after))
    path, _, chosen = control.tests.partition(" -k ")
    words = [sys.executable, "-m", "pytest", "-q", "-x", path, *(["-k", chosen] if chosen else [])]
    answer = subprocess.run(words, cwd=copy, env=os.environ, capture_output=True, text=True, check=False)
    # 1 is "tests failed"; anything else (nothing collected, a crash) shows nothing.
    red = answer.returncode == 1
    print(f"{'red' if red else 'GREEN':8}{control.mechanism}")
    if not red:
        print(answer.stdout[-2000:], answer.stderr[-1000:])
    return red


def _copy_tree(copy: Path) -> None:
    for part in ("accounts", "portal", "tasks", "templates", "tests"):
        shutil.copytree(PROJECT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, copy / name)


if __name__ == "__main__":
    sys.exit(main())
