"""How long sessions last: until nobody was there for some time, which is shorter for operators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.sessions import SEEN

pytestmark = pytest.mark.django_db

OPENED = {"Sec-Fetch-Mode": "navigate"}


def sign_in(user: User, *, remember: bool = False) -> Client:
    client = Client()
    given = {"login": user.email, "password": f"{user.get_short_name().lower()}-has-a-password"}
    answer = client.post("/account/login/", given | ({"remember": "on"} if remember else {}))
    assert answer.status_code == 302
    return client


def hours_left() -> float:
    """Return in how many hours the one session ends."""
    left: timedelta = Session.objects.get().expire_date - timezone.now()
    return left.total_seconds() / 3600


def stay_away(client: Client, hours: float) -> None:
    """Have everything about the session happened so long ago."""
    session = client.session
    session[SEEN] = session[SEEN] - int(hours * 3600)
    end = Session.objects.get().expire_date
    session.save()
    Session.objects.update(expire_date=end - timedelta(hours=hours))


def test_remembered_user_stays_for_days(alice: User) -> None:
    client = sign_in(alice, remember=True)
    assert hours_left() == pytest.approx(14 * 24, abs=0.1)
    assert client.cookies["sessionid"]["max-age"] == 14 * 24 * 3600


def test_second_factor_forgets_nothing(alice: User, settings: Any) -> None:
    # A code is good for longer than the test lasts: else the next half minute might begin before it is sent.
    settings.MFA_TOTP_PERIOD = 10**10
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    client = sign_in(alice, remember=True)
    assert client.get("/settings").status_code == 302
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert client.get("/settings", headers=OPENED).status_code == 200
    assert hours_left() == pytest.approx(14 * 24, abs=0.1)


def test_user_who_is_not_remembered_stays_until_the_browser_closes(alice: User) -> None:
    client = sign_in(alice)
    assert hours_left() == pytest.approx(12, abs=0.1)
    assert not client.cookies["sessionid"]["max-age"]


@pytest.mark.parametrize("remember", [True, False])
def test_operator_who_does_nothing_is_signed_out(olga: User, remember: bool) -> None:
    client = sign_in(olga, remember=remember)
    assert hours_left() == pytest.approx(1, abs=0.1)
    stay_away(client, 1.01)
    assert client.get("/admin/", headers=OPENED).status_code == 302
    assert client.get("/api/v1/tasks").status_code == 401


def test_operator_who_is_there_stays(olga: User) -> None:
    client = sign_in(olga)
    for _ in range(3):
        stay_away(client, 0.9)
        assert client.get("/admin/", headers=OPENED).status_code == 200
        assert hours_left() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Sec-Fetch-Mode": "cors"}])
def test_page_that_is_left_open_keeps_nobody_signed_in(olga: User, headers: dict[str, str]) -> None:
    client = sign_in(olga)
    stay_away(client, 0.9)
    assert client.get("/status", headers=headers).status_code == 200
    assert hours_left() == pytest.approx(0.1, abs=0.05)


def test_user_who_becomes_an_operator_has_the_shorter_session(alice: User) -> None:
    client = sign_in(alice, remember=True)
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client.get("/status", headers={"HX-Request": "true"})
    assert hours_left() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("remember", "hours"), [(False, 12), (True, 14 * 24)], ids=["not remembered", "remembered"])
@pytest.mark.parametrize("change", ["is one no more", "has no shorter session any more"])
def test_operator_who_is_like_all_has_the_session_that_was_asked_for(
    olga: User, settings: Any, remember: bool, hours: int, change: str
) -> None:
    client = sign_in(olga, remember=remember)
    assert hours_left() == pytest.approx(1, abs=0.1)
    if change == "is one no more":
        User.objects.filter(pk=olga.pk).update(is_staff=False)
    else:
        settings.STAFF_IDLE_SECONDS = 0
    client.get("/status", headers=OPENED)
    assert hours_left() == pytest.approx(hours, abs=0.1)
    assert bool(client.cookies["sessionid"]["max-age"]) is remember


def test_operators_may_have_the_same_sessions_as_all(olga: User, settings: Any) -> None:
    settings.STAFF_IDLE_SECONDS = 0
    sign_in(olga, remember=True)
    assert hours_left() == pytest.approx(14 * 24, abs=0.1)


def test_session_is_not_written_with_every_request(alice: User) -> None:
    client = sign_in(alice)
    client.get("/settings", headers=OPENED)
    before = client.session[SEEN]
    ends = Session.objects.get().expire_date
    client.get("/settings", headers=OPENED)
    assert client.session[SEEN] == before
    assert Session.objects.get().expire_date == ends


def test_sessions_are_told_apart_by_browser_and_system(alice: User) -> None:
    client = sign_in(alice)
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    UserSession.objects.update(user_agent=agent)
    shown = client.get(reverse("usersessions_list")).text
    assert "Firefox 140 on Windows" in shown
    assert "Mozilla" not in shown
    assert "Sign out of this session" in shown
    sign_in(alice)
    UserSession.objects.filter(pk=UserSession.objects.latest("pk").pk).update(user_agent="<b>")
    shown = client.get(reverse("usersessions_list")).text
    assert "Unknown browser" in shown
    assert "Sign out of all other sessions" in shown
