"""Secrets of webhooks and the signatures made with them, by Standard Webhooks 1.0 (standardwebhooks.com)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks import Webhook

from tasks.secrets import open_sealed, seal

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a fresh secret in the form that receivers paste into their settings."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def new_sealed_secret() -> str:
    """Return a fresh secret sealed: for one that nobody is to be shown."""
    return seal(new_secret())


def signed_headers(sealed_secrets: Iterable[str], *, message_id: str, body: str) -> dict[str, str]:
    """Return the headers of a delivery; each secret signs, so that one can be replaced without a gap.

    Raises:
        CannotOpen: a secret was sealed under a SECRET_KEY that is not known any more.
    """
    now = datetime.now(UTC)
    signatures = [
        Webhook(open_sealed(sealed)).sign(msg_id=message_id, timestamp=now, data=body) for sealed in sealed_secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
