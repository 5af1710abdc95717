"""Every list and screen, with every filter, reads no more where ten times as many tasks have ended.

The addresses come from the code (`tests.growth.addresses`): a screen or a filter that is added is measured by itself.
`python tests/bench/growth.py` does the same with pairs of filters and as many tasks as one likes.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from portal.web import file_facts
from tasks.admin import keyset
from tasks.figures import failing, outlook
from tasks.lifecycle import estimate
from tasks.models import newest
from tasks.search import find, index
from tests.growth import measuring, world

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FEW, MANY = 400, 4_000
# Indexes have a level more, and lists a page more to look at.
MOST_TIMES, SLACK = 1.5, 40


@pytest.fixture(autouse=True)
def _limits_are_reached_by_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is limited has its limit behind it in both worlds, and not only in the larger one."""
    monkeypatch.setattr(newest, "WINDOW", 100)
    monkeypatch.setattr(newest, "FEW", 20)
    monkeypatch.setattr(find, "WINDOW", 100)
    monkeypatch.setattr(index, "LOOK_AGAIN", 20)
    monkeypatch.setattr(index, "LIMIT", 20)
    monkeypatch.setattr(file_facts, "LOOKED_AT", 20)
    monkeypatch.setattr(index, "NEWEST", 50)
    monkeypatch.setattr(keyset, "COUNT_CAP", 30)
    monkeypatch.setattr(failing, "MOST_FAILURES", 30)
    monkeypatch.setattr(outlook, "MOST_ATTEMPTS", 10)
    monkeypatch.setattr(estimate, "MOST_READ", 50)


@pytest.mark.usefixtures("new_tables")
def test_nothing_reads_more_where_more_has_ended(make_user: Callable[..., User], olga: User) -> None:
    people = world.make_people(make_user, olga)
    many = measuring.read_all(world.fill(MANY, *people))
    assert len(many) > 200
    much = {name for name, read in many.items() if read.pages > SLACK}
    world.empty()
    few = measuring.read_all(world.fill(FEW, *people), only=much)
    assert few.keys() == much
    grown = {
        name: f"{few[name].pages} → {many[name].pages}: {many[name].worst}"
        for name in few
        if many[name].pages > MOST_TIMES * few[name].pages + SLACK or many[name].statements > few[name].statements + 2
    }
    assert grown == {}, "\n".join(f"{name} {told[:200]} … {told[-200:]}" for name, told in grown.items())
