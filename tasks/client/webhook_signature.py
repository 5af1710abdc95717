"""Checks webhooks as Standard Webhooks has them: https://github.com/standard-webhooks/standard-webhooks"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

TOLERANCE_SECONDS = 300


class InvalidWebhook(ValueError):
    """This message was not signed with the endpoint's secret, or is too old."""


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Any:
    """Return the JSON of a webhook that the portal sent; answer 2xx only then.

    A message may come twice: `webhook-id` is the same then.

    Args:
        body: as it came, byte for byte.
        headers: of the request; upper and lower case do not matter.
        secret: of the endpoint, ``whsec_…``.
        tolerance_seconds: how far the message's time may be from this machine's, so that nobody sends it again later.
        now: epoch seconds, for tests.

    Raises:
        InvalidWebhook: throw the message away.
        ValueError: the secret is none.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, sent_at = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (message_id and sent_at and given.get("webhook-signature")):
        raise InvalidWebhook("webhook-id, webhook-timestamp or webhook-signature is missing.")
    content = body.encode() if isinstance(body, str) else body
    signed = hmac.digest(_key(secret), f"{message_id}.{sent_at}.".encode() + content, "sha256")
    if not any(hmac.compare_digest(signed, other) for other in _signatures(given["webhook-signature"])):
        raise InvalidWebhook("No signature fits: another secret, or the body was changed on the way.")
    _check_time(sent_at, time.time() if now is None else now, tolerance_seconds)
    try:
        return json.loads(content)
    except ValueError as error:
        raise InvalidWebhook("The body is not JSON.") from error


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("The secret is not one of a webhook endpoint: whsec_ and base64.") from error
    if not key:
        # Anybody can sign with an empty key.
        raise ValueError("The secret of the webhook endpoint is empty.")
    return key


def _signatures(header: str) -> list[bytes]:
    """Return the signatures of version 1; there are several while a secret is being rotated."""
    found = []
    for entry in header.split():
        version, _, text = entry.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(text, validate=True))
            except ValueError:
                continue
    return found


def _check_time(sent_at: str, now: float, tolerance_seconds: float) -> None:
    if not (sent_at.isascii() and sent_at.isdigit()):
        raise InvalidWebhook("webhook-timestamp is not a number of seconds.")
    if abs(now - int(sent_at)) > tolerance_seconds:
        raise InvalidWebhook("The message is too old, or from the future: is this machine's clock right?")
