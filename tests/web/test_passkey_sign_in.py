"""Signing in by passkey is open to strangers: whatever they send is told, and what they may ask for is counted."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts import guessing
from accounts.pace import Counter, TooOften

pytestmark = pytest.mark.django_db

ADDRESS = reverse("mfa_login_webauthn")
ASKS = {"Accept": "application/json"}


def coded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def answer(client_data: Any, authenticator_data: bytes = b"") -> dict[str, Any]:
    told = {"clientDataJSON": coded(json.dumps(client_data).encode()), "signature": "eA"}
    return {"id": "eA", "rawId": "eA", "response": told | {"authenticatorData": coded(authenticator_data)}}


SAID = {"type": "webauthn.get", "challenge": "eA", "origin": "https://localhost"}


@pytest.mark.parametrize(
    "credential",
    [[], "text", {}, {"id": "x"}, {"response": []}, answer({}), answer([]), answer(SAID), answer(SAID, bytes(33))],
)
def test_what_is_no_passkey_is_told(client: Client, credential: Any) -> None:
    assert client.get(ADDRESS, headers=ASKS).json()["request_options"]
    told = client.post(ADDRESS, {"credential": json.dumps(credential)}, follow=True)
    assert told.redirect_chain == [(reverse("account_login"), 302)]


def test_strangers_do_not_fill_the_sessions(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_often(counters: list[Counter]) -> None:
        raise TooOften(counters[0], 5)

    monkeypatch.setattr(guessing, "take", too_often)
    response = client.get(ADDRESS, headers=ASKS)
    assert (response.status_code, response["Retry-After"]) == (429, "5")
    assert not Session.objects.exists()
