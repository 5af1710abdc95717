"""Browsers in which somebody has signed in before: strangers who hammer an account do not slow them down.

As OWASP's "Slow Down Online Guessing Attacks with Device Cookies". Such a cookie signs nobody in: it only gives its
browser a counter of its own, for the accounts that it names.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

SALT = "accounts.known_browsers"
KEEP_SECONDS = 365 * 24 * 3600
MOST_ACCOUNTS = 5


def account_name(email: str) -> str:
    """Return one name for all spellings that Postgres takes for the same address (it compares in capitals).

    >>> account_name(" Alıce@Example.com") == account_name("alice@example.com")
    True
    """
    return email.strip().upper().casefold()


def browser_of(request: HttpRequest, email: str) -> str | None:
    """Return the id of the browser where it is known for this account."""
    known = _read(request)
    return str(known["browser"]) if _digest(email) in known["accounts"] else None


def remember_browser(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """Have the browser known for this account: somebody has just signed in, second factor included."""
    known = _read(request)
    accounts = [_digest(email), *(digest for digest in known["accounts"] if digest != _digest(email))]
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        signing.dumps({"browser": known["browser"], "accounts": accounts[:MOST_ACCOUNTS]}, salt=SALT),
        max_age=KEEP_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> dict[str, Any]:
    given = request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, "")
    try:
        return dict(signing.loads(given, salt=SALT, max_age=KEEP_SECONDS))
    except signing.BadSignature:
        return {"browser": secrets.token_urlsafe(16), "accounts": []}


def _digest(email: str) -> str:
    # Whoever reads the cookie need not learn who else signs in here.
    return sha256(account_name(email).encode()).hexdigest()[:20]
