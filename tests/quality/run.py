"""`make quality`: measures what engines get right, and fails where it is less than what is committed.

ONLY=ocr,tables measures these parts; KEEP=1 makes what was seen the committed figures, in docs/quality.md, too.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
import django  # noqa: E402

django.setup()

from tests.quality import crosscheck, figures, ocr, questions, report, speech, tables  # noqa: E402
from tests.quality.figures import Figure  # noqa: E402

COMMITTED, PAGE = PROJECT / "tests" / "quality" / "committed.json", PROJECT / "docs" / "quality.md"
PARTS: dict[str, Callable[[], Iterable[Figure]]] = {
    "crosscheck": crosscheck.measure,
    "tables": tables.measure,
    "questions": questions.measure,
    "speech": speech.measure,
    "ocr": ocr.measure,
}


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / ".portal" / "quality"
    only = [name for name in os.environ.get("ONLY", "").split(",") if name] or list(PARTS)
    if unknown := [name for name in only if name not in PARTS]:
        print(f"ONLY has no {unknown[0]}; the parts are {', '.join(PARTS)}.")
        return 2
    committed = figures.read(COMMITTED) if COMMITTED.exists() else []
    seen: list[Figure] = []
    for name in only:
        for figure in PARTS[name]():
            seen.append(figure)
            print(f"{name}: {figure.case}, {figure.by}: {figures.shown(figure.value)}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    figures.write(seen, folder / "quality.json", _machine())
    (folder / "quality.md").write_text(report.markdown(seen))
    print(f"\n{report.markdown(seen)}\nTable and figures: {folder}/quality.md, quality.json")
    worse = figures.regressions(seen, committed)
    if os.environ.get("KEEP") == "1":
        _keep(seen, committed)
    elif worse:
        print("\nWorse than the committed figures:\n" + "\n".join(worse))
        return 1
    return 0


def _keep(seen: list[Figure], committed: list[Figure]) -> None:
    """Make these the committed figures; parts that were not measured now keep theirs."""
    measured = {figure.key for figure in seen}
    kept = seen + [figure for figure in committed if figure.key not in measured]
    order = list(figures.PARTS)
    kept.sort(key=lambda figure: order.index(figure.part))
    figures.write(kept, COMMITTED, _machine())
    report.put_into(PAGE, kept)


def _machine() -> dict[str, str]:
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": asked.stdout.strip() or "unknown",
        "processor": platform.machine(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
