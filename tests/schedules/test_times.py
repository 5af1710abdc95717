"""The times of a schedule, against the definition of each rule, minute by minute and second by second."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import errors
from tasks.schedules.times import Timing, check_cron, check_time_zone, next_cron_time, next_interval_time, time_zones

MINUTE = timedelta(minutes=1)
# Half an hour (Lord Howe), at midnight (Beirut), backwards in winter (Dublin), by ramadan (Casablanca), a day
# that never was (Apia), three hours back (Casey), and no changes at all.
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "Europe/Dublin",
         "Africa/Casablanca", "Pacific/Apia", "Antarctica/Casey", "Asia/Kolkata"]  # fmt: skip


def changes_in(year: int, zone: ZoneInfo) -> list[datetime]:
    """Return the hours of a year in which the clocks are changed."""

    def offset_after(hours: int) -> timedelta | None:
        return (start + timedelta(hours=hours)).astimezone(zone).utcoffset()

    start = datetime(year, 1, 1, tzinfo=UTC)
    # A day is looked at by the hour only if its ends differ: no clock is changed twice in one.
    days = [day for day in range(0, 366 * 24, 24) if offset_after(day) != offset_after(day + 24)]
    hours = [hour for day in days for hour in range(day, day + 24) if offset_after(hour) != offset_after(hour + 1)]
    return [start + timedelta(hours=hour) for hour in hours if hour < 366 * 24 - 1]


CHANGES = [
    (zone, change) for zone in ZONES for year in (2011, 2020, 2026) for change in changes_in(year, ZoneInfo(zone))
]

few = settings(max_examples=150, deadline=None)
minutes = st.sampled_from(["*", "0", "30", "*/10", "*/7", "5,45", "59"])
hours = st.sampled_from(["*", "2", "0-3", "*/2", "1,2,3", "0", "23", "*/5"])
days = st.sampled_from(["*", "*", "1", "31", "l", "29", "*/3"])
months = st.sampled_from(["*", "*", "2", "3,10", "mar-nov"])
weekdays = st.sampled_from(["*", "*", "sun", "1-5", "0,6"])
crons = st.tuples(minutes, hours, days, months, weekdays).map(" ".join).filter(lambda cron: " 31 2 " not in cron)
around_changes = st.tuples(st.sampled_from(CHANGES), st.integers(-30 * 60, 30 * 60)).map(
    lambda given: (given[0][0], given[0][1] + timedelta(minutes=given[1]))
)


@cache
def fields_of(cron: str) -> list[list[int | str]]:
    return croniter.expand(cron)[0]


def names(cron: str, wall: datetime) -> bool:
    """Whether an expression of five fields names a minute, by the definition of cron."""
    minute, hour, day, month, weekday = fields_of(cron)
    last = (wall.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    fits_day = "*" in day or wall.day in day or ("l" in day and wall.day == last.day)
    fits_weekday = "*" in weekday or wall.isoweekday() % 7 in weekday
    both = "*" not in day and "*" not in weekday
    return (
        ("*" in minute or wall.minute in minute)
        and ("*" in hour or wall.hour in hour)
        and ("*" in month or wall.month in month)
        and ((fits_day or fits_weekday) if both else (fits_day and fits_weekday))
    )


def meant(cron: str, zone: str, start: datetime, minutes: int) -> Iterator[datetime]:
    """Yield the minutes after `start` at which an expression runs, by trying each one."""
    tz = ZoneInfo(zone)
    is_rhythm = "*" in fields_of(cron)[1]
    before = start.astimezone(tz)
    for number in range(1, minutes):
        local = (start + number * MINUTE).astimezone(tz)
        step = local.replace(tzinfo=None) - before.replace(tzinfo=None)
        # What the clocks have skipped on the way to this minute.
        skipped = [before.replace(tzinfo=None) + n * MINUTE for n in range(1, step // MINUTE)]
        is_second_pass = local.fold == 1
        if (names(cron, local.replace(tzinfo=None)) and (is_rhythm or not is_second_pass)) or (
            not is_rhythm and any(names(cron, wall) for wall in skipped)
        ):
            yield start + number * MINUTE
        before = local


@few
@given(crons, around_changes)
def test_next_time_is_the_first_minute_that_the_rules_mean(cron: str, place: tuple[str, datetime]) -> None:
    zone, moment = place
    expected = next(meant(cron, zone, moment, 3 * 24 * 60), None)
    found = next_cron_time(cron, zone, moment)
    if expected is None:
        assert found is None or found >= moment + timedelta(minutes=3 * 24 * 60)
    else:
        assert found == expected


@few
@given(crons, st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)))
def test_next_time_in_utc_is_croniters(cron: str, moment: datetime) -> None:
    ours = next_cron_time(cron, "UTC", moment.replace(tzinfo=UTC))
    assert ours == croniter(cron, moment.replace(tzinfo=UTC)).get_next(datetime)


@few
@given(crons, around_changes)
def test_times_rise_and_none_is_left_out(cron: str, place: tuple[str, datetime]) -> None:
    zone, moment = place
    first = next_cron_time(cron, zone, moment)
    assert first is not None
    assert first > moment
    # From anywhere before it, the next time is the same.
    between = moment + (first - moment) / 2
    assert next_cron_time(cron, zone, between) == first
    assert next_cron_time(cron, zone, first - timedelta(microseconds=1)) == first
    second = next_cron_time(cron, zone, first)
    assert second is not None
    assert second > first


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),
    st.integers(60, 10**7),
    st.datetimes(datetime(1999, 1, 1), datetime(2051, 1, 1)),
)
def test_interval_is_counted_from_its_anchor(anchor: datetime, seconds: int, moment: datetime) -> None:
    anchor, moment = anchor.replace(tzinfo=UTC), moment.replace(tzinfo=UTC)
    found = next_interval_time(anchor, seconds, moment)
    assert found > moment
    assert found >= anchor
    assert (found - anchor) % timedelta(seconds=seconds) == timedelta()
    assert found == anchor or found - timedelta(seconds=seconds) <= moment


def berlin(cron: str, *moment: int, count: int = 3) -> list[str]:
    start = datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]
    timing = Timing(anchor=start, cron=cron, time_zone="Europe/Berlin")
    times = timing.upcoming(timing.after(start), count)
    return [time.astimezone(ZoneInfo("Europe/Berlin")).strftime("%-d %b %H:%M %z") for time in times]


def test_time_in_the_gap_runs_once_right_after_it() -> None:
    assert berlin("30 2 * * *", 2026, 3, 28, 12) == ["29 Mar 03:00 +0200", "30 Mar 02:30 +0200", "31 Mar 02:30 +0200"]
    assert berlin("*/20 2 * * *", 2026, 3, 28, 12, count=2) == ["29 Mar 03:00 +0200", "30 Mar 02:00 +0200"]


def test_time_that_comes_twice_runs_once() -> None:
    assert berlin("30 2 * * *", 2026, 10, 24, 12, count=2) == ["25 Oct 02:30 +0200", "26 Oct 02:30 +0100"]


def test_rhythm_goes_on_through_gap_and_fold() -> None:
    assert berlin("30 * * * *", 2026, 3, 29, 0) == ["29 Mar 01:30 +0100", "29 Mar 03:30 +0200", "29 Mar 04:30 +0200"]
    assert berlin("30 * * * *", 2026, 10, 25, 0) == ["25 Oct 02:30 +0200", "25 Oct 02:30 +0100", "25 Oct 03:30 +0100"]


def test_ends_of_months_and_leap_days() -> None:
    assert berlin("0 12 31 * *", 2026, 1, 31, 12, count=2) == ["31 Mar 12:00 +0200", "31 May 12:00 +0200"]
    assert berlin("0 12 l * *", 2028, 2, 1, count=2) == ["29 Feb 12:00 +0100", "31 Mar 12:00 +0200"]
    leap = Timing(anchor=datetime(2026, 1, 1, tzinfo=UTC), cron="0 0 29 2 *")
    years = [time.year for time in leap.upcoming(leap.after(datetime(2026, 1, 1, tzinfo=UTC)), 3)]
    assert years == [2028, 2032, 2036]
    assert next_cron_time("0 0 29 2 *", "UTC", datetime(2096, 3, 1, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("@daily", "25 Nov 00:00 +0100"),
        ("@hourly", "24 Nov 13:00 +0100"),
        ("@weekly", "29 Nov 00:00 +0100"),
        ("0 6 * * mon#1", "7 Dec 06:00 +0100"),
        ("15 6 15w * *", "15 Dec 06:15 +0100"),
        ("0 6 * * * 30", "25 Nov 06:00 +0100"),
        ("0 6 1 1 * 0 2030", "1 Jan 06:00 +0100"),
    ],
)
def test_what_croniter_reads_is_read(cron: str, expected: str) -> None:
    check_cron(cron)
    assert berlin(cron, 2026, 11, 24, 11, 30, count=1) == [expected]


@pytest.mark.parametrize(
    ("cron", "same"),
    [
        ("59-59 18 * * *", "59 18 * * *"),
        ("0 23-23 * * *", "0 23 * * *"),
        ("5-5/2 6 1-01 * *", "5 6 1 * *"),
        ("0 12 * Feb-2 *", "0 12 * 2 *"),
        ("0 6 * * fri-5,SUN-0", "0 6 * * 5,0"),
        ("0 6 1 1 * 7-7 2030-2030", "0 6 1 1 * 7 2030"),
    ],
)
def test_range_of_one_value_is_that_value(cron: str, same: str) -> None:
    check_cron(cron)
    assert berlin(cron, 2026, 11, 24, count=4) == berlin(same, 2026, 11, 24, count=4)


def test_day_of_the_month_or_a_numbered_weekday_whichever_comes() -> None:
    assert berlin("0 6 8 * sat#5", 2026, 8, 1, count=3) == [
        "8 Aug 06:00 +0200",
        "29 Aug 06:00 +0200",
        "8 Sep 06:00 +0200",
    ]
    assert berlin("0 6 31 * l5", 2026, 7, 1, count=3) == [
        "31 Jul 06:00 +0200",
        "28 Aug 06:00 +0200",
        "31 Aug 06:00 +0200",
    ]


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("whenever", "five fields (minute, hour, day of the month, month, day of the week)"),
        ("* * *", "this has 3."),
        ("@fortnightly", "Names are @hourly"),
        ("61 * * * *", "The minute takes 0 to 59; 61 cannot be read."),
        ("0 24 * * *", "The hour takes 0 to 23; 24 cannot"),
        ("0 6 0 * *", "The day of the month takes 1 to 31, or l for the last one; 0 cannot"),
        ("0 6 1 foo *", "The month takes 1 to 12, or jan to dec; foo cannot"),
        ("0 6 * * mon#6", "The day of the week takes 0 to 7"),
        ("0 6 * * * 60", "The second takes 0 to 59; 60 cannot"),
        ("0 6 * * * 0 1969", "The year takes 1970 to 2099; 1969 cannot"),
        ("h 6 * * *", "The minute takes 0 to 59; h cannot"),
        (f"0 6 * {'x' * 90} *", f"; {'x' * 40}… cannot be read."),
    ],
)
def test_fault_names_the_field_and_what_it_takes(cron: str, said: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        check_cron(cron)
    [fault] = caught.value.errors
    assert fault["pointer"] == "/cron"
    assert str(fault["detail"]).startswith("This is no cron expression. ")
    assert said in str(fault["detail"])


def test_expression_of_one_year_ends() -> None:
    assert len(berlin("0 6 1 * * 0 2027", 2026, 11, 1, count=20)) == 12


def test_impossible_day_never_comes() -> None:
    assert next_cron_time("0 0 30 2 *", "Europe/Berlin", datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_start_counts_and_so_does_the_end() -> None:
    start = datetime(2030, 1, 1, 6, tzinfo=UTC)
    timing = Timing(anchor=start, cron="0 6 * * *", start_at=start, end_at=start + timedelta(days=2))
    first = timing.after(datetime(2026, 1, 1, tzinfo=UTC))
    assert timing.upcoming(first, 5) == [start + timedelta(days=day) for day in range(3)]


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=20) | st.text("0123456789*/-,#lLwWhHrR?@ mon", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        check_cron(text)
        moment = datetime(2026, 11, 1, tzinfo=UTC)
        found = next_cron_time(text, "Europe/Berlin", moment)
    except errors.InvalidInput as error:
        pointers = [fault["pointer"] for fault in error.errors]
    else:
        assert found is None or found > moment
        return
    assert pointers == ["/cron"]


def test_no_expression_runs_more_than_once_a_minute() -> None:
    check_cron("* * * * * 7")
    times = list(itertools.islice(croniter("* * * * * 7", datetime(2026, 1, 1)).all_next(datetime), 3))
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {MINUTE}
    for cron in ("* * * * * *", "* * * * * 1,2", "* * * * * */30"):
        with pytest.raises(errors.InvalidInput, match="once a minute"):
            check_cron(cron)


def test_zones_are_those_of_the_tz_database() -> None:
    assert {"UTC", "Europe/Berlin", "Asia/Kathmandu"} <= time_zones()
    for name in ("", "berlin", "europe/berlin", "/etc/localtime", "posix/UTC", "Factory", "a\0b"):
        with pytest.raises(errors.InvalidInput) as caught:
            check_time_zone(name)
        assert caught.value.errors[0]["pointer"] == "/time_zone"
