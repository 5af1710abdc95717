"""Tokens made by tokens: never with more rights, nor for longer, than whoever makes them has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import ApiToken, User
from accounts.tokens import create_token

MOST_TOKENS = 100


class MoreRights(ValueError):
    """A token may not be given more than its maker has."""


class TooManyTokens(ValueError):
    """The user has as many usable tokens as one may have."""


def delegate_token(
    user: User, *, by: ApiToken | None, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which cannot be had again.

    Args:
        by: the token that asks; None for a session, which has every right of its user.
        expires_at: None is never, or the end of the token that asks.

    Raises:
        MoreRights: a scope that the maker does not have, or a later end; or the maker was revoked meanwhile.
        TooManyTokens: there are MOST_TOKENS already.
    """
    with transaction.atomic():
        # The user's row makes the count exact. Checked tokens are kept in memory for seconds: this one is read
        # again and held, so that a token that is just being revoked leaves none behind.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if by is not None:
            by = ApiToken.objects.usable().select_for_update(of=("self",)).filter(pk=by.pk).first()
            if by is None:
                raise MoreRights("The token that asks was revoked.")
        expires_at = _end(by, expires_at)
        _check_scopes(user, by, scopes)
        if ApiToken.objects.usable().filter(user=user).count() >= MOST_TOKENS:
            raise TooManyTokens(f"There are {MOST_TOKENS} tokens, as many as one user may have. Revoke some.")
        text = create_token(user, name=name, scopes=scopes, expires_at=expires_at)
        return ApiToken.objects.get(pk=text.split("_")[1]), text


def _end(by: ApiToken | None, expires_at: datetime | None) -> datetime | None:
    if by is None or by.expires_at is None:
        return expires_at
    if expires_at is not None and expires_at > by.expires_at:
        raise MoreRights(f"A token may not live longer than the one that makes it: until {by.expires_at.isoformat()}.")
    return expires_at or by.expires_at


def _check_scopes(user: User, by: ApiToken | None, scopes: Sequence[str]) -> None:
    if by is not None and (more := sorted(set(scopes) - set(by.scopes))):
        raise MoreRights(f"A token may not have scopes that the one that makes it lacks: {', '.join(more)}.")
    if "operate" in scopes and not user.is_staff:
        raise MoreRights("Only operators can have tokens with the scope operate.")
