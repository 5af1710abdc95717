"""Who follows the primary, and who leaves a former one; with real servers in tests/chaos/test_fail_over.py."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from django.db import connections

from portal.replication import AWAITED, UNSEEN, Standby, faults_of_standbys
from tasks.direct import leave_former_primary

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


@pytest.mark.parametrize(
    ("database", "leaves"),
    [
        ({"HOST": "db1,db2"}, True),
        ({"HOST": "db1"}, False),
        ({"HOST": "pooler", "DIRECT": {"HOST": "db1,db2", "OPTIONS": {}}}, True),
        ({"HOST": "pooler", "DIRECT": {"HOST": "db1", "OPTIONS": {}}}, False),
    ],
    ids=str,
)
def test_listener_leaves_a_server_that_takes_no_writes_where_there_is_another(
    database: dict[str, Any], leaves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections["default"], "settings_dict", {"OPTIONS": {}} | database)
    former = Mock(pgconn=Mock(parameter_status=Mock(return_value=b"on")))
    with pytest.raises(psycopg.OperationalError) if leaves else nullcontext():
        leave_former_primary(former)
