"""What doctor says of those who follow the primary; of real servers it is asked in tests/chaos/test_fail_over.py."""

from __future__ import annotations

import pytest

from portal.replication import AWAITED, UNSEEN, Standby, faults_of_standbys

HERE = Standby("db2", "streaming", "sync", 0.0, None)
FOUND: dict[str, tuple[str, list[Standby], list[str]]] = {
    "nobody follows, and nobody is awaited": ("", [], []),
    "one follows": ("*", [HERE], []),
    "one of several is enough": ("ANY 1 (*)", [HERE._replace(sync_state="quorum")], []),
    "one that is awaited is not there": ("*", [], [AWAITED]),
    "one that is not awaited follows": ("db3", [HERE._replace(sync_state="async")], [AWAITED]),
    "the role may not look": ("*", [Standby("db2", None, None, None, None)], [UNSEEN]),
    "one is behind": ("", [HERE._replace(bytes_behind=1e9)], ["The standby db2 is 1000 MB and 0 s behind"]),
    "one stopped replaying": (
        "",
        [HERE._replace(seconds_behind=60.0)],
        ["The standby db2 is 0 MB and 60 s behind"],
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_standbys_are_judged(case: str) -> None:
    names, found, expected = FOUND[case]
    said = list(faults_of_standbys(names, found))
    assert len(said) == len(expected)
    assert all(words.startswith(begins) for words, begins in zip(said, expected, strict=True))
