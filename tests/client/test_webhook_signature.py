"""Webhooks are checked as Standard Webhooks has it; its own library signs here."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from tasks.client import Client, InvalidWebhook, verify_webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"id": "0190", "type": "pdf.extract", "status": "succeeded", "version": 5, "note": "ä"}'
NOW = 1_800_000_000


def headers(body: str = BODY, secret: str = SECRET, at: int = NOW, **changes: str) -> dict[str, str]:
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body)
    made = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signature}
    return made | {name.replace("_", "-"): value for name, value in changes.items()}


def test_message_of_the_library_is_taken() -> None:
    assert verify_webhook(BODY.encode(), headers(), SECRET, now=NOW) == json.loads(BODY)
    assert Client.verify_webhook(BODY, headers(), SECRET, now=NOW + 299) == json.loads(BODY)


def test_upper_case_headers_and_several_signatures_are_taken() -> None:
    given = headers()
    other = Webhook("whsec_" + "QUFB" * 8).sign("msg_1", datetime.fromtimestamp(NOW, UTC), BODY)
    given["webhook-signature"] = f"v1a,abc v1,!!! v1 {other} {given['webhook-signature']}"
    assert verify_webhook(BODY, {name.title(): value for name, value in given.items()}, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("body", "given", "now"),
    [
        (BODY.replace("succeeded", "failed"), headers(), NOW),
        (BODY, headers(secret="whsec_" + "QUFB" * 8), NOW),
        (BODY, headers(webhook_id="msg_2"), NOW),
        (BODY, headers(webhook_timestamp=str(NOW + 1)), NOW),
        (BODY, headers(webhook_signature="v1,"), NOW),
        (BODY, headers(webhook_signature="v2,abc"), NOW),
        (BODY, headers(webhook_signature=""), NOW),
        (BODY, {}, NOW),
        (BODY, headers(), NOW + 301),
        (BODY, headers(), NOW - 301),
        ("no json", headers("no json"), NOW),
    ],
)
def test_everything_else_is_thrown_away(body: str, given: dict[str, str], now: float) -> None:
    with pytest.raises(InvalidWebhook):
        verify_webhook(body, given, SECRET, now=now)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!"])
def test_secret_that_is_none_is_no_silent_yes(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as caught:
        verify_webhook(BODY, headers(), secret, now=NOW)
    assert not isinstance(caught.value, InvalidWebhook)


def test_webhooks_are_checked_by_the_clock_of_this_machine() -> None:
    with pytest.raises(InvalidWebhook, match="too old"):
        verify_webhook(BODY, headers(at=1_000_000_000), SECRET)


def test_checking_needs_no_django() -> None:
    code = "import sys; from tasks.client import verify_webhook; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
