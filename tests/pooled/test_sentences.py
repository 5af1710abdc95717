"""What may be wrong with a pooler that is told of, each with the sentence that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, connections

from portal.database.connecting import database_settings
from portal.doctor import PARTS
from portal.env import database
from tasks.pooler import DIRECT_IN_TRANSACTION_MODE, ELSEWHERE, SETTINGS_LOST
from tests.portal.transaction_pooler import pooler
from tests.web.live import url_of

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

# The URL through the pooler, that past it, and the process → what is said.
Say = Callable[[str, str, str], list[str]]
LIMITS = ["idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout"]
PLANS = [f"enable_{way}" for way in ("bitmapscan", "hashjoin", "mergejoin", "seqscan", "sort")]


@pytest.fixture
def pooled_url(transactional_db: None) -> Iterator[str]:
    there = connection.settings_dict
    with pooler(Path(there["HOST"]), user=there["USER"], database=there["NAME"]) as url:
        yield url


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    def look(pooled: str, direct: str, process: str) -> list[str]:
        monkeypatch.setenv("DATABASE_URL", pooled)
        monkeypatch.setenv("DATABASE_DIRECT_URL", direct)
        found = database_settings(database(), database("DATABASE_DIRECT_URL"), process=process)
        monkeypatch.setattr(connections["default"], "settings_dict", connection.settings_dict | found)
        return list(PARTS["pooler"]())

    return look


@pytest.mark.parametrize(
    ("process", "lost"), [("web", LIMITS), ("command", LIMITS), ("qcluster", [*PLANS, *LIMITS, "plan_cache_mode"])]
)
def test_pooler_with_a_way_past_it_is_fine_but_for_the_settings_that_it_drops(
    pooled_url: str, say: Say, process: str, lost: list[str]
) -> None:
    said = say(pooled_url, url_of(connection.settings_dict), process)
    assert said == [SETTINGS_LOST.format(names=", ".join(sorted(lost)))]


def test_way_past_the_pooler_that_leads_through_it_is_told(pooled_url: str, say: Say) -> None:
    assert DIRECT_IN_TRANSACTION_MODE in say(pooled_url, pooled_url, "web")


def test_ways_to_two_databases_are_told(pooled_url: str, say: Say) -> None:
    elsewhere = url_of(connection.settings_dict | {"NAME": "postgres"})
    assert ELSEWHERE in say(pooled_url, elsewhere, "web")


def test_no_pooler_loses_nothing(transactional_db: None) -> None:
    assert list(PARTS["pooler"]()) == []
