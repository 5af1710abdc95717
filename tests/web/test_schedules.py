"""The schedules pages: made by a form, shown with their runs, paused, run, deleted; nobody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks import registry
from tasks.lifecycle.submit import Submission
from tasks.models import Schedule, Task
from tasks.schedules.draft import Draft
from tasks.schedules.manage import create_schedule, pause_schedule
from tests.web.conftest import SignIn

pytestmark = pytest.mark.django_db

FORM = "/schedules/new/diagnostic.echo"
FILLED = {
    "input-message": "hello", "options-priority": "", "options-tags": "nightly, own", "times-name": "Each night",
    "times-cron": " 0 3 * * * ", "times-time_zone": "Asia/Tokyo", "times-every": "", "times-unit": "3600",
    "times-overlap": "skip", "times-catch_up": "one",
}  # fmt: skip
AT_TIMES = FILLED | {"times-cron": "", "times-at": "09:00", "times-time_zone": "Asia/Shanghai"}
PAGES = ["/schedules", "/schedules/new", FORM]


@pytest.fixture
def schedule(alice: User) -> Schedule:
    task = Submission("diagnostic.echo", {"message": "a private message"})
    return create_schedule(alice, Draft(task, name="Hourly <b>", interval_seconds=3600))


def test_form_makes_a_schedule(page: Client, alice: User) -> None:
    response = page.post(FORM, FILLED)
    schedule = Schedule.objects.get()
    assert response["Location"] == reverse("web:schedule", args=[schedule.pk])
    assert (schedule.owner, schedule.name, schedule.cron) == (alice, "Each night", "0 3 * * *")
    assert (schedule.time_zone, schedule.interval_seconds) == ("Asia/Tokyo", None)
    assert (schedule.input, schedule.tags) == ({"message": "hello"}, ["nightly", "own"])
    assert schedule.next_run_at is not None
    assert (schedule.next_run_at.hour, schedule.next_run_at.minute) == (18, 0)


def test_interval_is_a_number_of_units(page: Client) -> None:
    page.post(FORM, FILLED | {"times-cron": "", "times-every": "2", "times-unit": "86400"})
    schedule = Schedule.objects.get()
    assert (schedule.cron, schedule.interval_seconds) == (None, 172_800)


def test_start_and_end_are_in_the_readers_time_zone(page: Client, alice: User) -> None:
    alice.time_zone = "America/New_York"
    alice.save(update_fields=["time_zone"])
    assert re.search(r'value="America/New_York" selected', page.get(FORM).text)
    page.post(FORM, FILLED | {"times-start_at": "2100-01-01T12:00"})
    start = Schedule.objects.get().start_at
    assert start is not None
    assert start.isoformat() == "2100-01-01T17:00:00+00:00"
    assert "1 Jan 2100 12:00" in page.get(reverse("web:schedule", args=[Schedule.objects.get().pk])).text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"times-cron": "0 0 30 2 *"}, "names no time that ever comes"),
        ({"times-cron": "whenever"}, "This is no cron expression"),
        ({"times-how": "daily", "times-at": ""}, "Choose a time of day"),
        ({"times-how": "weekly", "times-at": "9:00"}, "Choose a day of the week"),
        ({"times-how": "monthly", "times-at": "9:00"}, "Choose a day of the month"),
        ({"times-how": "monthly", "times-at": "9:00", "times-day": "32"}, "less than or equal to 31"),
        ({"times-how": "cron", "times-cron": ""}, "Fill in one of the two"),
        ({"times-every": "5"}, "Fill in one of the two"),
        ({"times-cron": ""}, "Fill in one of the two"),
        ({"times-cron": "", "times-every": "400", "times-unit": "86400"}, "An interval is"),
        ({"times-time_zone": "Mars/Olympus"}, "Select a valid choice"),
        ({"times-end_at": "2001-01-01T00:00"}, "No run would come before the end"),
        ({"times-most_runs": "0"}, "greater than or equal to 1"),
        ({"input-message": ""}, "This field is required"),
        ({"options-timeout": "99999999"}, "The longest timeout of your plan"),
    ],
)
def test_faults_are_shown_and_what_was_typed_is_kept(page: Client, changes: dict[str, str], said: str) -> None:
    response = page.post(FORM, FILLED | changes)
    assert response.status_code == 422
    assert said in response.text
    assert "Each night" in response.text
    assert not Schedule.objects.exists()


def test_pages_show_times_runs_and_why_it_is_paused(page: Client, alice: User, schedule: Schedule) -> None:
    own = reverse("web:schedule", args=[schedule.pk])
    assert "Nothing has run yet" in page.get(own).text
    response = page.post(f"{own}/run")
    task = Task.objects.get()
    assert response["Location"] == reverse("web:task", args=[task.pk])
    shown = page.get(own).text
    assert f"/tasks/{task.pk}" in shown
    assert "by hand" in shown
    assert "a private message" in shown
    pause_schedule(schedule.pk, by=alice, reason="the quota was <i>spent</i>")
    assert "the quota was &lt;i&gt;spent&lt;/i&gt;" in page.get(own).text
    listed = page.get("/schedules").text
    assert "Hourly &lt;b&gt;" in listed
    assert "Every 1 h" in listed


def test_schedule_is_paused_resumed_and_deleted(page: Client, schedule: Schedule) -> None:
    own = reverse("web:schedule", args=[schedule.pk])
    for verb, status in (("pause", "paused"), ("pause", "paused"), ("resume", "active")):
        assert page.post(f"{own}/{verb}")["Location"] == own
        schedule.refresh_from_db()
        assert schedule.status == status
    assert page.post(f"{own}/delete")["Location"] == "/schedules"
    assert not Schedule.objects.exists()
    assert "No schedules" in page.get("/schedules").text


def test_refusal_of_a_run_is_shown(page: Client, schedule: Schedule) -> None:
    Schedule.objects.update(input={})
    response = page.post(reverse("web:run-schedule", args=[schedule.pk]), follow=True)
    assert "The input does not fit diagnostic.echo" in response.text
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("chosen", "cron", "said"),
    [
        ({"how": "daily"}, "0 9 * * *", "Every day at 09:00 (Shanghai)"),
        ({"how": "weekdays", "day": "3"}, "0 9 * * 1-5", "Weekdays at 09:00 (Shanghai)"),
        ({"how": "weekly", "weekdays": ["1", "0"]}, "0 9 * * 1,0", "Monday, Sunday at 09:00 (Shanghai)"),
        ({"how": "monthly", "day": "31", "at": "23:05"}, "5 23 31 * *", "Monthly on day 31 at 23:05 (Shanghai)"),
        ({"how": "cron", "cron": "0 6 1-7 * fri", "at": ""}, "0 6 1-7 * fri", "0 6 1-7 * fri (Shanghai)"),
        ({"how": "interval", "every": "90", "unit": "1", "cron": "nonsense"}, None, "Every 1 min 30 s"),
    ],
)
def test_times_are_chosen_told_and_changed_in_words(
    page: Client, chosen: dict[str, Any], cron: str | None, said: str
) -> None:
    response = page.post(FORM, AT_TIMES | {f"times-{name}": value for name, value in chosen.items()}, follow=True)
    schedule = Schedule.objects.get()
    assert schedule.cron == cron
    assert said in response.text
    assert said in page.get("/schedules").text
    # The form of one that there is says the same; sent again, it changes nothing.
    form = page.get(reverse("web:change-schedule", args=[schedule.pk])).context
    fields = [field for part in ("form", "options", "times") for field in form[part]]
    sent = {field.html_name: value for field in fields if (value := field.value()) not in (None, False)}
    before = Schedule.objects.values().get()
    page.post(reverse("web:change-schedule", args=[schedule.pk]), sent)
    assert Schedule.objects.values().get() == before


def test_schedule_is_changed_and_keeps_what_the_form_does_not_have(page: Client, schedule: Schedule) -> None:
    Schedule.objects.update(metadata={"of": "a program"})
    address = reverse("web:change-schedule", args=[schedule.pk])
    assert "a private message" in page.get(address).text
    response = page.post(address, AT_TIMES | {"times-how": "weekdays", "input-message": "another message"})
    assert response["Location"] == reverse("web:schedule", args=[schedule.pk])
    schedule.refresh_from_db()
    assert (schedule.cron, schedule.interval_seconds) == ("0 9 * * 1-5", None)
    assert (schedule.input, schedule.metadata) == ({"message": "another message"}, {"of": "a program"})
    shown = page.get(reverse("web:schedule", args=[schedule.pk])).text
    assert re.search(r"Next: [A-Z][a-z]{2} \d{1,2} [A-Z][a-z]{2} (\d{4} )?09:00 \(Shanghai\)", shown)
    assert page.post(address, AT_TIMES | {"times-how": "cron", "times-cron": "0 0 31 2 *"}).status_code == 422
    assert page.post(address, AT_TIMES | {"times-how": "weekly"}).status_code == 422


@pytest.mark.parametrize("is_new", [True, False])
def test_form_says_what_there_is_room_for(page: Client, schedule: Schedule, is_new: bool) -> None:
    address = FORM if is_new else reverse("web:change-schedule", args=[schedule.pk])
    shown = page.get(address).text
    for limit in ("file-bytes", "bytes-left", "tasks-left"):
        # Scripts take an empty one as no limit.
        assert re.search(rf'data-{limit}="[0-9]+"', shown)


@pytest.mark.parametrize("verb", ["change", "run", "pause", "resume", "delete", ""])
def test_another_users_schedule_is_not_there(sign_in: SignIn, bob: User, schedule: Schedule, verb: str) -> None:
    browser = sign_in(bob)
    own = reverse("web:schedule", args=[schedule.pk])
    send: Any = browser.post if verb else browser.get
    assert send(f"{own}/{verb}".rstrip("/")).status_code == 404
    schedule.refresh_from_db()
    assert schedule.status == "active"
    assert not Task.objects.exists()
    assert "Hourly" not in browser.get("/schedules").text


@pytest.mark.parametrize("address", PAGES)
def test_stranger_is_sent_to_sign_in(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


def test_every_type_that_is_ready_can_be_scheduled(page: Client) -> None:
    offered = page.get("/schedules/new").text
    for name, definition in registry.all_types().items():
        assert (f"/schedules/new/{name}" in offered) == definition.readiness().ready
    assert page.get("/schedules/new/nope").status_code == 404


def test_nothing_is_changed_by_looking(page: Client, schedule: Schedule) -> None:
    for verb in ("run", "pause", "resume", "delete"):
        assert page.get(reverse(f"web:{verb}-schedule", args=[schedule.pk])).status_code == 405
    assert Schedule.objects.get().status == "active"
