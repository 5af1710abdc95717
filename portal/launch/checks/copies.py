"""No block of twelve lines occurs twice; blank lines, comments, imports and indentation do not count."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from portal.launch.checks.tree import written_files

BLOCK = 12
NOT_COUNTED = ("#", "//", "/*", "*/", "--", "{#", "import ", "from ")
# Installed alone, without the rest of the tree: it may say what the rest says.
ALONE = Path("tasks/client")


def copied_blocks(root: Path) -> list[str]:
    """Return a sentence for each block that stands in two places."""
    files = list(written_files(root))
    together = [[path for path in files if path.is_relative_to(ALONE) is alone] for alone in (False, True)]
    return [sentence for paths in together for sentence in _copies(root, paths)]


def _copies(root: Path, paths: list[Path]) -> list[str]:
    places: dict[tuple[str, ...], list[tuple[Path, int]]] = defaultdict(list)
    for path in paths:
        lines = _lines(root / path)
        for start in range(len(lines) - BLOCK + 1):
            block = lines[start : start + BLOCK]
            places[tuple(line for _, line in block)].append((path, block[0][0]))
    # Longer blocks are found once for each line by which they are longer: the first of them is told.
    found: dict[tuple[Path, ...], str] = {}
    for where in places.values():
        if len(where) > 1:
            files = tuple(path for path, _ in where)
            found.setdefault(files, " and ".join(f"{path}:{line}" for path, line in where))
    return [f"{BLOCK} lines or more stand twice, from {where}: give them one place." for where in found.values()]


def _lines(path: Path) -> list[tuple[int, str]]:
    stripped = ((number, line.strip()) for number, line in enumerate(path.read_text().splitlines(), 1))
    return [(number, line) for number, line in stripped if line and not line.startswith(NOT_COUNTED)]


if __name__ == "__main__":
    sys.exit("\n".join(copied_blocks(Path(sys.argv[1]))) or 0)
