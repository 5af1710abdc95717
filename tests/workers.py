"""How a run of the whole suite is spread over processes; what is named on the command line runs in one, as ever.

Half of the suite's time is spent waiting for real nodes, so there are twice as many workers as processors. Each has a
database of its own; what they share is the server. The tests of a file stay together, for their fixtures.
"""

from __future__ import annotations

import os

import pytest
from xdist.scheduler import LoadScopeScheduling

# How soon nodes notice that others were killed, frozen or cut off: two such tests at a time, and the rest gives way.
AGAINST_THE_CLOCK = "tests/cluster/"
# Where the second half of them begins: each takes about five minutes, nearly all of it waiting.
SECOND_HALF = "tests/cluster/test_l"
# One browser for the folder; and what loads the whole machine does so once at a time.
TOGETHER = ("tests/chaos/", "tests/browser/")
# What takes long begins first, so that all workers end at about the same time.
FIRST = (
    AGAINST_THE_CLOCK,
    *TOGETHER,
    "tests/api/test_schemathesis.py",
    "tests/api/test_promises.py",
    "tests/admin/test_every_address.py",
    "tests/docs/test_docs_examples.py",
    "tests/test_names.py",
    "tests/launch/",
    "tests/backends/",
    "tests/interop/",
    "tests/robustness/",
    "tests/handlers/",
    "tests/engines/",
)
AS_STARTED = os.nice(0)
NICENESS = 5


def count_workers(config: pytest.Config) -> int:
    """Return what `-n auto` means: this process alone, unless everything in `testpaths` is asked for."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.keyword:
        return 0
    return 2 * (os.cpu_count() or 1)


def group_of(node_id: str) -> str:
    """Return the name of what must run in one worker: a folder of tests, a half of one, or a file."""
    if node_id.startswith(AGAINST_THE_CLOCK):
        return f"{AGAINST_THE_CLOCK} {'first' if node_id < SECOND_HALF else 'second'} half"
    return next((folder for folder in TOGETHER if node_id.startswith(folder)), node_id.partition("::")[0])


def rank_of(node_id: str) -> int:
    """Return a number by which tests are sorted: the earlier a group begins, the lower."""
    return next((place for place, folder in enumerate(FIRST) if node_id.startswith(folder)), len(FIRST))


def give_way(node_id: str) -> None:
    """Leave the processors to the workers whose tests are against the clock; they begin with them, so never have."""
    if not node_id.startswith(AGAINST_THE_CLOCK) and os.nice(0) == AS_STARTED:
        os.nice(NICENESS)


class ByGroup(LoadScopeScheduling):
    """Gives the next group, in the order of collection, to whichever worker has nothing left."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
