"""No two files import each other, by any path: not inside a function either, nor for types alone.

import-linter's contracts compare folders: they do not see that a package's own `__init__` and a file in it do.
"""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter

import grimp

PACKAGES = ("portal", "tasks", "accounts")


def circle() -> str:
    """Return the first circle that is found in the tree that this file is in, or nothing."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in sorted(graph.modules)}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return f"These files import each other: {' ← '.join(error.args[1])}"
    return ""


if __name__ == "__main__":
    sys.exit(circle() or 0)
