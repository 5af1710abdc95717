"""Who is calling: an API token in the header, or the portal's session with CSRF."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.permissions import BasePermission

from accounts.models import ApiToken, User
from accounts.models.token import Scope
from tasks import log_fields
from tasks.api import refusals
from tasks.api.read_limit import reads
from tasks.api.token_cache import usable_token

if TYPE_CHECKING:
    from rest_framework.request import Request

    # DRF's views import this module.
    from rest_framework.views import APIView


# The key in an ASGI scope of what a view tells the event loop about its caller: `tasks.api.streams.handover`.
HANDOVER = "portal.handover"


def bearer_token(request: HttpRequest) -> ApiToken | None:
    """Return the token of the request, or None when it brings no credentials in its header.

    Raises:
        InvalidToken: it brings credentials that are no good.
    """
    return token_of_header(request.META.get("HTTP_AUTHORIZATION", ""))


def token_of_header(header: str) -> ApiToken | None:
    """Return the token that an Authorization header brings; None when it is empty. Raises as `bearer_token`."""
    if not header:
        return None
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        raise refusals.InvalidToken("The Authorization header must be “Bearer” and a token.")
    token = usable_token(text.strip())
    if token is None:
        raise refusals.InvalidToken
    return token


def require_scope(token: ApiToken | None, user: User, scope: str) -> None:
    """Check the right to do this; a session has every scope but `operate`, which operators have.

    Raises:
        MissingScope: the token lacks it.
        Forbidden: it takes an operator.
    """
    if token is not None and scope not in token.scopes:
        raise refusals.MissingScope(f"This needs a token with the scope {scope}.", scope=scope)
    if scope == "operate" and not user.is_staff:
        raise refusals.Forbidden("This is for operators.")


def require_one_of(token: ApiToken | None, user: User, scopes: Sequence[str]) -> None:
    """Check that a token has one of these scopes; none of them is asked for where there are none.

    Raises:
        MissingScope: it has none of them.
    """
    if token is not None and scopes and not set(scopes) & set(token.scopes):
        detail = f"This needs a token with the scope {' or '.join(scopes)}."
        raise refusals.MissingScope(detail, scope=scopes[0])


def reader_id(request: HttpRequest, scope: str) -> int:
    """Return the id of who calls a plain view that only reads.

    Raises:
        NotAuthenticated, InvalidToken, MissingScope: not somebody who may.
        RateLimited: they read too often.
    """
    token = bearer_token(request)
    user = token.user if token is not None else request.user
    if not isinstance(user, User) or not user.is_active:
        raise refusals.NotAuthenticated
    require_scope(token, user, scope)
    reads.check(user.pk)
    _note_caller(request, user, token)
    return int(user.pk)


def may_call(request: HttpRequest, scope: str) -> bool:
    """Say whether who sends a request might do this: what a view asks besides (CSRF) is not asked here."""
    try:
        token = bearer_token(request)
        user = token.user if token is not None else request.user
        if not isinstance(user, User) or not user.is_active:
            return False
        require_scope(token, user, scope)
    except refusals.ApiRefusal:
        return False
    return True


def may_read_tasks(request: Request) -> bool:
    """Say whether the caller of a view of DRF may see what tasks were given and made: some tokens only submit."""
    token = cast("ApiToken | None", request.auth)
    return token is None or Scope.TASKS_READ in token.scopes


def may_read_files(request: Request) -> bool:
    """Say whether the caller of a view of DRF may see the bytes of files."""
    token = cast("ApiToken | None", request.auth)
    return token is None or Scope.FILES in token.scopes


def caller_of(request: Request) -> User:
    """Return who calls a view of DRF; permissions have made sure that it is somebody."""
    return cast(User, request.user)


def _note_caller(request: HttpRequest, user: User, token: ApiToken | None) -> None:
    """Tell log lines who calls, and the event loop, when the request came by it: waiting ones are counted by user."""
    log_fields.add(user_id=user.pk)
    handover = request.META.get("asgi.scope", {}).get(HANDOVER)
    if handover is not None:
        handover.caller_id = user.pk
        handover.token_id = token.pk if token is not None else None


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ptl_…`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        token = bearer_token(request._request)
        if token is None:
            return None
        _note_caller(request._request, token.user, token)
        # A copy: the kept one is shared between threads, and views may write to it.
        return copy.copy(token.user), token

    def authenticate_header(self, _request: Request) -> str:
        return 'Bearer realm="portal"'


class SessionAuthentication(BaseAuthentication):
    """The portal's session; methods that change something need the CSRF token in `X-CSRFToken`."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = request._request.user
        if not user.is_authenticated or not user.is_active:
            return None
        _enforce_csrf(request._request)
        _note_caller(request._request, user, None)
        return user, None


class HasScope(BasePermission):
    """Everything needs somebody; the view's `scopes` says what else, by method. Reading is counted here."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.user is None:
            raise refusals.NotAuthenticated
        method = "GET" if request.method == "HEAD" else request.method
        # A method without a scope is one that the view does not have: 405 comes next.
        if (needed := getattr(view, "scopes", {}).get(method)) is not None:
            check = require_scope if isinstance(needed, str) else require_one_of
            check(cast("ApiToken | None", request.auth), cast(User, request.user), needed)
        if method == "GET":
            reads.check(cast(User, request.user).pk)
        return True


def _enforce_csrf(request: HttpRequest) -> None:
    check = CSRFCheck(_nothing)
    check.process_request(request)
    if reason := check.process_view(request, _nothing, (), {}):
        raise refusals.CsrfFailed(str(reason))


def _nothing(_request: HttpRequest) -> HttpResponse:
    # Django's check asks the view whether it is exempt; this one is not.
    return HttpResponse()
