"""/schedules: made, read, changed, run, paused, deleted; faults with their pointers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from tasks.api.objects.schedule import Schedule, ScheduleRun
from tasks.api.objects.task import Task
from tasks.models import Schedule as StoredSchedule
from tasks.models import Task as StoredTask
from tasks.schedules.fire import fire_schedules
from tests.api.conftest import ECHO, JSON, MakeClient
from tests.api.shapes import assert_shape

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/schedules"
DAILY: dict[str, Any] = {"task": ECHO, "cron": "0 6 * * *", "time_zone": "Asia/Tokyo"}
Create = Callable[..., dict[str, Any]]


@pytest.fixture
def create(api: MakeClient, alice: User) -> Create:
    """Make a schedule of alice's by the API and return it."""

    def make(**fields: Any) -> dict[str, Any]:
        response = api(alice).post(ADDRESS, DAILY | fields, JSON)
        assert response.status_code == 201, response.content
        made: dict[str, Any] = response.json()
        assert response["Location"] == made["urls"]["self"]
        return made

    return make


def test_schedule_tells_when_it_will_run(create: Create) -> None:
    made = create(name="Report")
    assert_shape(made, Schedule)
    assert (made["name"], made["status"], made["run_count"]) == ("Report", "active", 0)
    assert made["task"] == {
        "type": "diagnostic.echo", "input": {"message": "hello"}, "priority": None, "timeout": None,
        "max_attempts": None, "metadata": {}, "tags": [], "on_quota": "reject",
    }  # fmt: skip
    upcoming = [datetime.fromisoformat(moment) for moment in made["upcoming"]]
    assert made["upcoming"][0] == made["next_run_at"]
    assert [(moment.hour, moment.minute, moment.utcoffset()) for moment in upcoming] == [(21, 0, timedelta())] * 5
    assert [later - earlier for earlier, later in pairwise(upcoming)] == [timedelta(days=1)] * 4


def test_schedule_takes_all_options(create: Create) -> None:
    options = {
        "task": ECHO | {"priority": 3, "timeout": 20, "max_attempts": 2, "metadata": {"customer": "42"},
                        "tags": ["nightly"], "on_quota": "downgrade"},
        "cron": None, "time_zone": "UTC", "interval_seconds": 60, "start_at": "2100-01-01T12:00:00Z",
        "end_at": "2100-01-01T12:02:30Z", "most_runs": 7, "catch_up": "all", "overlap": "allow",
    }  # fmt: skip
    made = create(**options)
    assert {name: made[name] for name in options} == options
    assert made["upcoming"] == [f"2100-01-01T12:0{minute}:00Z" for minute in range(3)]


def test_large_inputs_are_null_in_lists(api: MakeClient, alice: User, create: Create) -> None:
    text = "".join(str(number) for number in range(20_000))
    large = create(task={"type": "diagnostic.echo", "input": {"message": text}})
    create()
    client = api(alice)
    small_row, large_row = client.get(ADDRESS).json()["data"]
    assert (small_row["task"]["input"], large_row["task"]["input"]) == ({"message": "hello"}, None)
    assert_shape(large_row, Schedule)
    assert client.get(large["urls"]["self"]).json()["task"]["input"] == {"message": text}


def test_schedules_are_listed_newest_first_by_pages(api: MakeClient, alice: User, bob: User, create: Create) -> None:
    ids = [create()["id"] for _ in range(3)]
    client = api(alice)
    page = client.get(ADDRESS, {"limit": 2}).json()
    rest = client.get(ADDRESS, {"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [row["id"] for row in page["data"] + rest["data"]] == ids[::-1]
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert_shape(page["data"][0], Schedule)
    assert api(bob).get(ADDRESS).json()["data"] == []


def test_run_now_answers_the_task(api: MakeClient, alice: User, create: Create) -> None:
    made, client = create(), api(alice)
    response = client.post(made["urls"]["run"])
    assert response.status_code == 202
    task = response.json()
    assert_shape(task, Task)
    assert response["Location"] == f"/api/v1/tasks/{task['id']}"
    assert "RateLimit" in response.headers
    [run] = client.get(made["urls"]["runs"]).json()["data"]
    assert_shape(run, ScheduleRun)
    assert (run["task"], run["by_hand"], run["outcome"], run["error"]) == (task["id"], True, "submitted", None)
    assert client.get(made["urls"]["self"]).json()["last_task"] == task["id"]


def test_run_now_over_the_quota_is_a_problem(api: MakeClient, make_user: Any) -> None:
    client = api(make_user("carol", per_day=0))
    made = client.post(ADDRESS, DAILY, JSON).json()
    response = client.post(made["urls"]["run"])
    assert (response.status_code, response.json()["policy"]) == (429, "day")
    assert client.get(made["urls"]["runs"]).json()["data"] == []


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_runs_tell_what_became_of_each(api: MakeClient, alice: User, create: Create) -> None:
    made, client = create(), api(alice)
    past = datetime(2026, 1, 1, tzinfo=UTC)
    for minute in range(2):
        StoredSchedule.objects.update(next_run_at=past + timedelta(minutes=minute))
        fire_schedules()
    skipped, submitted = client.get(made["urls"]["runs"]).json()["data"]
    assert_shape(skipped, ScheduleRun)
    assert (skipped["outcome"], skipped["task"]) == ("skipped", None)
    assert skipped["error"]["code"] == "previous_unfinished"
    assert (submitted["outcome"], submitted["due_at"]) == ("submitted", "2026-01-01T00:00:00Z")
    assert submitted["task"] == str(StoredTask.objects.get().pk)
    assert client.get(made["urls"]["runs"], {"limit": 1}).json()["has_more"]


def test_pause_and_resume_can_be_repeated(api: MakeClient, alice: User, create: Create) -> None:
    made, client = create(), api(alice)
    for _ in range(2):
        paused = client.post(made["urls"]["pause"])
        assert paused.status_code == 200
        assert (paused.json()["status"], paused.json()["next_run_at"], paused.json()["upcoming"]) == (
            "paused",
            None,
            [],
        )
    for _ in range(2):
        resumed = client.post(made["urls"]["resume"]).json()
        assert (resumed["status"], resumed["paused_at"], resumed["next_run_at"]) == (
            "active", None, made["next_run_at"],
        )  # fmt: skip


def test_change_leaves_the_rest(api: MakeClient, alice: User, create: Create) -> None:
    made, client = create(name="old", most_runs=3), api(alice)
    changed = client.patch(made["urls"]["self"], {"name": "new", "most_runs": None}, JSON).json()
    assert (changed["name"], changed["most_runs"], changed["cron"]) == ("new", None, "0 6 * * *")
    changed = client.patch(made["urls"]["self"], {"interval_seconds": 90}, JSON).json()
    assert (changed["cron"], changed["interval_seconds"], changed["task"]) == (None, 90, made["task"])
    changed = client.patch(made["urls"]["self"], {"task": ECHO | {"tags": ["x"]}}, JSON).json()
    assert changed["task"] == made["task"] | {"tags": ["x"]}
    assert client.patch(made["urls"]["self"], {}, JSON).json() == changed


def test_deleted_schedule_is_gone(api: MakeClient, alice: User, create: Create) -> None:
    made, client = create(), api(alice)
    assert client.delete(made["urls"]["self"]).status_code == 204
    assert client.get(made["urls"]["self"]).status_code == 404
    assert client.delete(made["urls"]["self"]).status_code == 404


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"nope": 1}, "/nope"),
    ({"task": None}, "/task"),
    ({"task": ECHO | {"run_after": "2030-01-01T00:00:00Z"}}, "/task/run_after"),
    ({"task": {"type": "nope"}}, "/task/type"),
    ({"task": {"type": "diagnostic.echo"}}, "/task/input/message"),
    ({"task": ECHO | {"priority": 11}}, "/task/priority"),
    ({"task": ECHO | {"tags": [""]}}, "/task/tags/0"),
    ({"cron": "0 0 30 2 *"}, "/cron"),
    ({"cron": "whenever"}, "/cron"),
    ({"cron": 5}, "/cron"),
    ({"cron": None}, "/cron"),
    ({"interval_seconds": 60}, "/cron"),
    ({"time_zone": "Europe/Nowhere"}, "/time_zone"),
    ({"time_zone": None}, "/time_zone"),
    ({"cron": None, "interval_seconds": 59}, "/interval_seconds"),
    ({"start_at": "tomorrow"}, "/start_at"),
    ({"end_at": "2001-01-01T00:00:00Z"}, "/end_at"),
    ({"most_runs": 0}, "/most_runs"),
    ({"catch_up": "some"}, "/catch_up"),
    ({"overlap": True}, "/overlap"),
]


@pytest.mark.parametrize(("fields", "pointer"), FAULTS)
def test_faulty_schedule_is_refused_with_a_pointer(
    api: MakeClient, alice: User, fields: dict[str, Any], pointer: str
) -> None:
    response = api(alice).post(ADDRESS, DAILY | fields, JSON)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer
    assert not StoredSchedule.objects.exists()


def test_hundred_schedules_are_enough(api: MakeClient, alice: User) -> None:
    row = {"owner": alice, "type": "diagnostic.echo", "input": {}, "interval_seconds": 60}
    StoredSchedule.objects.bulk_create(StoredSchedule(**row) for _ in range(100))
    response = api(alice).post(ADDRESS, DAILY, JSON)
    assert (response.status_code, response.json()["policy"], response.json()["limit"]) == (429, "schedules", 100)


def test_reading_needs_the_scope_to_read_and_all_else_the_one_to_write(
    api: MakeClient, alice: User, create: Create
) -> None:
    made = create()
    reader, writer = api(alice, "tasks:read"), api(alice, "tasks:write")
    assert reader.get(made["urls"]["runs"]).status_code == 200
    assert writer.get(made["urls"]["self"]).status_code == 403
    assert reader.post(made["urls"]["run"]).status_code == 403
    assert reader.delete(made["urls"]["self"]).status_code == 403
    assert writer.post(made["urls"]["pause"]).status_code == 200


TEXT = st.text(max_size=12)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.lists(TEXT, max_size=2)
PARTS = ("0", "*", "*/5", "31", "2", "feb", "sun#5", "l", "5w", "R", "H", "60", "?")
FIELDS = {
    "cron": st.lists(st.sampled_from(PARTS), min_size=4, max_size=7).map(" ".join) | VALUES,
    "time_zone": st.sampled_from(["UTC", "Europe/Berlin", "../UTC"]) | VALUES,
    "interval_seconds": st.integers() | VALUES,
    "start_at": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | VALUES,
    "end_at": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | VALUES,
    "most_runs": VALUES, "catch_up": VALUES, "overlap": VALUES, "name": VALUES,
}  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({"task": st.just(ECHO) | VALUES}, optional=FIELDS))
def test_any_schedule_is_made_or_refused(api: MakeClient, alice: User, body: dict[str, Any]) -> None:
    client = api(alice)
    response = client.post(ADDRESS, body, JSON)
    assert response.status_code in {201, 400, 422, 429}, response.content
    if response.status_code == 201:
        assert_shape(response.json(), Schedule)
        assert_shape(client.get(response["Location"]).json(), Schedule)
    else:
        assert response.json()["detail"]


def test_repeated_run_is_answered_though_the_schedule_is_deleted(api: MakeClient, alice: User) -> None:
    client, key = api(alice), {"Idempotency-Key": "once"}
    urls = client.post("/api/v1/schedules", {"task": ECHO, "cron": "@daily"}, JSON).json()["urls"]
    first = client.post(urls["run"], {}, JSON, headers=key)
    assert client.delete(urls["self"]).status_code == 204
    again = client.post(urls["run"], {}, JSON, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again["Idempotency-Replayed"] == "true"
