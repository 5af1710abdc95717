"""Where it is demanded, an operator without a second factor reaches only the way to one; nobody is locked out."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.admin.live import OperationsConsumer
from tasks.live.consumer import TaskConsumer
from tasks.models import AuditEntry

pytestmark = pytest.mark.django_db

SETUP = "/account/2fa/totp/activate/"


@pytest.fixture(autouse=True)
def _demanded(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True
    # A code is good for longer than a test lasts: else the next half minute might begin before it is sent.
    settings.MFA_TOTP_PERIOD = 10**10


@pytest.fixture
def browser(olga: User) -> Client:
    client = Client()
    client.post("/account/login/", {"login": olga.email, "password": "olga-has-a-password"})
    return client


def warned() -> list[str]:
    return [str(message.msg) for message in run_checks(databases=["default"]) if message.id == "accounts.W001"]


def test_operator_is_led_to_set_it_up_and_then_lets_go_on(olga: User, browser: Client) -> None:
    for address in ("/admin/", "/admin/tasks/task/", "/", "/tokens"):
        assert browser.get(address).headers["Location"] == SETUP, address
    asked = browser.get(SETUP, follow=True)
    assert "Operators of this portal sign in with a second factor." in asked.text
    page = browser.post(asked.request["PATH_INFO"] + f"?next={SETUP}", {"password": "olga-has-a-password"}, follow=True)
    code = format_hotp_value(hotp_value(page.context["form"].secret, next(yield_hotp_counters_from_time())))
    assert browser.post(SETUP, {"code": code}).status_code == 302
    assert Authenticator.objects.filter(user=olga, type="totp").exists()
    assert browser.get("/admin/").status_code == 200


def test_api_refuses_their_session_but_not_their_token(
    olga: User, browser: Client, token_of: Callable[..., str]
) -> None:
    refused = browser.get("/api/v1/tasks")
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "application/problem+json")
    assert "sign in with a second factor" in refused.json()["detail"]
    for header in ("", "Basic x", "Bearer nonsense"):
        assert browser.get("/api/v1/tasks", headers={"Authorization": header}).status_code in {401, 403}, header
        assert browser.get("/admin/", headers={"Authorization": header}).headers["Location"] == SETUP, header
    token = {"Authorization": f"Bearer {token_of(olga)}"}
    assert browser.get("/api/v1/tasks", headers=token).status_code == 200


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_live_channels_are_closed_to_their_session(olga: User) -> None:
    async def answers(consumer: Any) -> list[str]:
        scope = {"type": "websocket", "path": "/ws/x", "query_string": b"page=overview", "user": olga}
        socket = ApplicationCommunicator(consumer.as_asgi(), scope)
        await socket.send_input({"type": "websocket.connect"})
        return [(await socket.receive_output())["type"] for _ in range(2)]

    for consumer in (TaskConsumer, OperationsConsumer):
        assert async_to_sync(answers)(consumer) == ["websocket.accept", "websocket.close"]


def test_they_can_sign_out_and_users_are_not_asked(browser: Client, alice: User) -> None:
    assert browser.post(reverse("account_logout")).status_code == 302
    browser.post("/account/login/", {"login": alice.email, "password": "alice-has-a-password"})
    assert browser.get("/tokens").status_code == 200


def test_nothing_is_demanded_where_it_is_off(settings: Any, browser: Client) -> None:
    settings.STAFF_SECOND_FACTOR = False
    assert browser.get("/admin/").status_code == 200
    assert warned() == []


def test_shell_lists_who_has_none_and_helps_who_has_lost_theirs(olga: User) -> None:
    listed, removed = StringIO(), StringIO()
    call_command("second_factor", "list", stdout=listed)
    assert listed.getvalue() == f"{olga.email}\n"
    assert olga.email in warned()[0]
    TOTP.activate(olga, "A" * 32)
    assert warned() == []
    call_command("second_factor", "remove", "OLGA@example.com", stdout=removed)
    assert "Their password alone opens the account now." in removed.getvalue()
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get(action="remove_second_factor").target_id == str(olga.pk)
