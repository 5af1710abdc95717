"""How long a session lasts: it ends after some time without a person, which is shorter for operators."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# When a person was last seen, in seconds since 1970: written now and then, not with every request.
SEEN = "seen"
# Whether somebody asked to be remembered. How long the session lasts does not tell: operators' are shorter either way.
REMEMBERED = "remembered"
STEPS = 20
UNTIL_BROWSER_CLOSES = 0
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


logger = logging.getLogger(__name__)


class KeptAnswerMiddleware(SessionMiddleware):
    """Django's; but a session that cannot be saved does not undo the answer to what was done already.

    docs/decisions/0021: a form whose task is stored must not say that it failed. Whoever is being signed in by the
    request (the session has another key then) is told, since nothing was gained without the session.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except Exception:
            if request.session.session_key != request.COOKIES.get(settings.SESSION_COOKIE_NAME):
                raise
            logger.exception("the session could not be saved; the answer is sent all the same")
            return response


class SessionAgeMiddleware:
    """Has sessions last from the latest request of a person on; the database's row ends, and with it all else.

    A page that is left open asks for news by itself, and must not keep its session alive.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # Most requests of the API have nothing to do with sessions, and read none.
        if request.session.accessed and SESSION_KEY in request.session and request.user.is_authenticated:
            _extend(request.session, seconds=_seconds_for(request), by_person=_is_by_person(request))
        return response


def _seconds_for(request: HttpRequest) -> int:
    if request.user.is_staff and settings.STAFF_IDLE_SECONDS:
        return int(settings.STAFF_IDLE_SECONDS)
    return int(settings.REMEMBERED_SESSION_SECONDS) if request.session.get(REMEMBERED) else UNTIL_BROWSER_CLOSES


def _is_by_person(request: HttpRequest) -> bool:
    """Return whether a person did something. Browsers say when they open a page; old ones and programs say nothing."""
    if "HX-Request" in request.headers:
        return False
    return request.method not in SAFE or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def _extend(session: SessionBase, *, seconds: int, by_person: bool) -> None:
    now = int(time.time())
    lasts = seconds or settings.SESSION_COOKIE_AGE
    if by_person and now - session.get(SEEN, 0) >= lasts / STEPS:
        # Saving it moves its end.
        session[SEEN] = now
    if session.get("_session_expiry", UNTIL_BROWSER_CLOSES) != seconds:
        session.set_expiry(seconds)
