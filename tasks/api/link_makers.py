"""Who made a signed address: a token or a session of the portal. What one has given away ends with it."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from accounts.models import ApiToken
from tasks.api import refusals
from tasks.api.authentication import bearer_token

TOKEN, SESSION = "t", "s"


def maker_of(request: HttpRequest) -> str:
    """Return what stands in an address for the token or session that asks for it; it is no secret."""
    token = bearer_token(request)
    if token is not None:
        return TOKEN + token.pk
    key = request.session.session_key
    session = UserSession.objects.filter(session_key=key).first()
    if session is None:
        # It is older than the list of sessions.
        UserSession.objects.create_from_request(request)
        session = UserSession.objects.get(session_key=request.session.session_key)
    return f"{SESSION}{session.pk}"


def check_maker(maker: str, *, owner_id: int, scope: str) -> None:
    """Check that whoever made an address could make it again. The address must have been found to be ours.

    Raises:
        LinkExpired: the token was revoked, has expired or lost the scope; the session has ended.
    """
    kind, name = maker[:1], maker[1:]
    if kind == TOKEN:
        tokens = ApiToken.objects.usable().filter(pk=name, user=owner_id, scopes__contains=[scope])
        is_alive = tokens.exists()
    else:
        session = UserSession.objects.filter(pk=name, user=owner_id, user__is_active=True).first()
        # It looks at the session itself, too: its end, and whether the password is still the same.
        is_alive = session is not None and not session.purge()
    if not is_alive:
        raise refusals.LinkExpired("The token or session that made this address has ended. Ask for a new one.")
