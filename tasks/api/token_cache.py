"""Keeps checked API tokens in the process for seconds, so that polling does not ask the database who polls.

Only good tokens are kept: a wrong one is looked up each time.
"""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ApiToken
from accounts.tokens import find_token

# A disabled user or a changed plan takes effect within this time; a revoked token at once, since web
# processes listen (`forget_token`), and within this time while one has lost its connection.
KEEP_SECONDS = 5.0
MOST_TOKENS = 10_000
NOTE_USE_EVERY = timedelta(minutes=1)

_kept: dict[bytes, tuple[float, ApiToken]] = {}
# Rises with every revocation: what was looked up before one must not be kept after it.
_revocations = 0


def usable_token(text: str) -> ApiToken | None:
    """Return the usable token that this text is, with its user and plan, or None."""
    key = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    kept = _kept.get(key)
    now = time.monotonic()
    if kept is not None and kept[0] > now:
        return kept[1]
    before = _revocations
    token = find_token(text)
    if token is None:
        _kept.pop(key, None)
        return None
    if len(_kept) >= MOST_TOKENS:
        _kept.clear()
    if before == _revocations:
        _kept[key] = (now + KEEP_SECONDS, token)
    _note_use(token)
    return token


def forget_token(token_id: str) -> None:
    """Look this token up again at its next use: it was revoked or changed. May be called in any thread."""
    global _revocations
    _revocations += 1
    for key, (_, token) in list(_kept.items()):
        if token.pk == token_id:
            _kept.pop(key, None)


def _note_use(token: ApiToken) -> None:
    # The condition is the limit: several processes together write once a minute.
    ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=Now() - NOTE_USE_EVERY), pk=token.pk).update(
        last_used_at=Now()
    )
