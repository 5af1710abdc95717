"""No file is longer than what is read in one sitting."""

from __future__ import annotations

import sys
from pathlib import Path

from portal.launch.checks.tree import written_files

MOST_LINES = 300
# Tests of one thing are read one by one; what they share stands once at their head.
MOST_LINES_OF_TESTS = 700
# The settings are one list, in the order of the page that explains them.
EXCUSED = {Path("portal/settings.py")}


def long_files(root: Path) -> list[str]:
    """Return a sentence for each file that is too long."""
    limits = [(path, MOST_LINES) for path in written_files(root) if path not in EXCUSED]
    limits += [(path, MOST_LINES_OF_TESTS) for path in written_files(root, ("tests",))]
    return [
        f"{path} has {lines} lines, and {most} are the most: split it by duty."
        for path, most in limits
        if (lines := len((root / path).read_text().splitlines())) > most
    ]


if __name__ == "__main__":
    sys.exit("\n".join(long_files(Path(sys.argv[1]))) or 0)
