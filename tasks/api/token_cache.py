"""Keeps checked API tokens in the process for seconds, so that polling does not ask the database who polls.

Only good tokens are kept: a wrong one is looked up each time.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ApiToken
from accounts.tokens import find_token
from tasks.kept import Kept

# A disabled user or a changed plan takes effect within this time; a revoked token at once, since web
# processes listen (`forget_token`), and within this time while one has lost its connection.
KEEP_SECONDS = 5.0
MOST_TOKENS = 10_000
NOTE_USE_EVERY = timedelta(minutes=1)

_kept: Kept[ApiToken] = Kept(seconds=KEEP_SECONDS, most=MOST_TOKENS)


def usable_token(text: str) -> ApiToken | None:
    """Return the usable token that this text is, with its user and plan, or None.

    What was looked up before a revocation is not kept after it, and the seconds count from before the look-up. Nobody
    waits for another's look-up: whoever sends a wrong token many times would keep all of those threads.
    """
    key = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    known = _kept.get(key)
    if known is not None:
        return known
    mark = _kept.mark()
    token = find_token(text)
    if token is None:
        return None
    _kept.put(key, token, mark)
    _note_use(token)
    return token


def forget_token(token_id: str) -> None:
    """Look this token up again at its next use: it was revoked or changed. May be called in any thread."""
    _kept.forget_if(lambda token: token.pk == token_id)


def _note_use(token: ApiToken) -> None:
    # The condition is the limit: several processes together write once a minute.
    ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=Now() - NOTE_USE_EVERY), pk=token.pk).update(
        last_used_at=Now()
    )
