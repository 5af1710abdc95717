"""Faulty schedules are refused before they are stored, with a pointer to each fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from tasks import errors
from tasks.lifecycle.submit import Submission
from tasks.models import Schedule
from tasks.schedules.draft import Draft
from tasks.schedules.manage import create_schedule

pytestmark = pytest.mark.django_db

ECHO = Submission("diagnostic.echo", {"message": "hello"})
Make = Callable[..., Schedule]


@pytest.fixture
def make(alice: User) -> Make:
    """Make a schedule of alice's, hourly unless told otherwise."""

    def create(task: Submission = ECHO, **fields: Any) -> Schedule:
        return create_schedule(alice, Draft(task, **{"interval_seconds": 3600} | fields))

    return create


NO_TIMES = {"interval_seconds": None}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"interval_seconds": None}, "/cron"),
        ({"cron": "0 6 * * *"}, "/cron"),
        (NO_TIMES | {"cron": "every day"}, "/cron"),
        (NO_TIMES | {"cron": "0 6 * *"}, "/cron"),
        (NO_TIMES | {"cron": "61 6 * * *"}, "/cron"),
        (NO_TIMES | {"cron": "0 0 30 2 *"}, "/cron"),
        (NO_TIMES | {"cron": "0 0 31 4,6,9,11 *"}, "/cron"),
        (NO_TIMES | {"cron": "0 0 1 1 * 0 2001"}, "/cron"),
        (NO_TIMES | {"cron": "R * * * *"}, "/cron"),
        (NO_TIMES | {"cron": "* * * * * */15"}, "/cron"),
        (NO_TIMES | {"cron": "0 6 * * *", "time_zone": "Europe/Nowhere"}, "/time_zone"),
        (NO_TIMES | {"cron": "0 6 * * *", "time_zone": "../../etc/passwd"}, "/time_zone"),
        (NO_TIMES | {"cron": "0 6 * * *", "time_zone": "localtime"}, "/time_zone"),
        ({"interval_seconds": 59}, "/interval_seconds"),
        ({"interval_seconds": 10**12}, "/interval_seconds"),
        ({"end_at": datetime(2001, 1, 1, tzinfo=UTC)}, "/end_at"),
        (
            {"start_at": datetime(2100, 1, 2, tzinfo=UTC), "end_at": datetime(2100, 1, 1, tzinfo=UTC)},
            "/end_at",
        ),
        ({"most_runs": 0}, "/most_runs"),
        ({"name": "a\0b"}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"catch_up": "some"}, "/catch_up"),
        ({"overlap": "maybe"}, "/overlap"),
        ({"task": Submission("nope", {})}, "/task/type"),
        ({"task": Submission("diagnostic.echo", {})}, "/task/input/message"),
        ({"task": Submission("diagnostic.echo", {"message": "x"}, priority=10)}, "/task/priority"),
    ],
)
def test_faulty_schedule_is_refused_with_a_pointer(make: Make, fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        make(**fields)
    assert caught.value.errors[0]["pointer"] == pointer
    assert caught.value.message
    assert not Schedule.objects.exists()


def test_all_faults_are_told_at_once(make: Make) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        make(Submission("diagnostic.echo", {}), time_zone="x", interval_seconds=1, name="x" * 201)
    assert [fault["pointer"] for fault in caught.value.errors] == [
        "/time_zone", "/interval_seconds", "/name", "/task/input/message",
    ]  # fmt: skip
