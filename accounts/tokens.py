"""Makes, checks and revokes API tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from django.db.models.functions import Now

from accounts.models import ApiToken, User
from accounts.models.token import Scope

PREFIX = "ptl"
ALL_SCOPES = tuple(Scope.values)


def create_token(user: User, *, name: str, scopes: Iterable[str], expires_at: datetime | None = None) -> str:
    """Make a token and return it; the secret cannot be had again.

    Raises:
        ValueError: an unknown scope, or `operate` for someone who is no operator.
    """
    wanted = list(dict.fromkeys(scopes))
    if unknown := set(wanted) - set(ALL_SCOPES):
        raise ValueError(f"Unknown scope: {', '.join(sorted(unknown))}.")
    if Scope.OPERATE in wanted and not user.is_staff:
        raise ValueError("Only operators can have tokens with the scope operate.")
    token_id = secrets.token_hex(8)
    secret = secrets.token_urlsafe(32).replace("_", "-")
    ApiToken.objects.create(
        id=token_id, user=user, name=name, secret_sha256=_digest(secret), scopes=wanted, expires_at=expires_at
    )
    return f"{PREFIX}_{token_id}_{secret}"


def find_token(text: str) -> ApiToken | None:
    """Return the usable token that this text is, with its user and plan, or None."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != PREFIX or len(parts[1]) != 16 or not text.isascii() or "\0" in text:
        return None
    token = ApiToken.objects.usable().select_related("user__plan").filter(pk=parts[1]).first()
    if token is None or not hmac.compare_digest(token.secret_sha256, _digest(parts[2])):
        return None
    return token


def revoke_token(token: ApiToken) -> None:
    """Revoke a token now; processes that hold it in memory are told by NOTIFY."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('portal_token', %s)", [token.pk])


def _digest(secret: str) -> str:
    # The secret has 256 random bits: a slow hash would add nothing but time to every request.
    return hashlib.sha256(secret.encode()).hexdigest()
