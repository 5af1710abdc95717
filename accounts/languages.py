"""The language of pages: the account's, else the one that this browser chose, else the one that it asks for.

Everything below /api/ goes past this: polls cost nothing more, and only a problem has words for people
(`tasks.api.problems`), in the language that `language_of` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase]

WITHOUT = ("/api/", "/health/", "/metrics")
VARY = ("Accept-Language", "Cookie")


class LanguageMiddleware:
    """Speaks the reader's language while a page is made. Comes before whatever may refuse a request with a page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(WITHOUT):
            return self.get_response(request)
        # Whatever is activated within ends with it: the next request of this thread starts in English again.
        with translation.override(language_of(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        patch_vary_headers(response, VARY)
        return response

    def process_view(self, request: HttpRequest, *_of_view: Any) -> None:
        """Change to the account's language: who it is, is known by now."""
        if request.path_info.startswith(WITHOUT):
            return
        # Where the database is away, the view finds out, and its failure is answered for what it is.
        with suppress(DatabaseError, InterfaceError):
            user = request.user
            if user.is_authenticated and is_known(user.language):
                translation.activate(user.language)


def language_of(request: HttpRequest) -> str:
    """Return the language that a browser chose, or that the client asks for; English for nonsense."""
    return translation.get_language_from_request(request)


def language_for(user: User) -> AbstractContextManager[None]:
    """Speak somebody's language: what is sent to them, by whatever process, is written in it.

    Who never chose one is written to in the language that is spoken now: English, outside of a request.
    """
    here = translation.get_language() or settings.LANGUAGE_CODE
    return translation.override(user.language if is_known(user.language) else here)


def is_known(code: str) -> bool:
    return code in dict(settings.LANGUAGES)


def remember(response: HttpResponseBase, code: str) -> None:
    """Have the browser remember a language: for pages that are made before it is known who asks; none forgets it."""
    if not is_known(code):
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Take the language that somebody chose on whatever page, and go back there."""
    response = set_language(request)
    code = request.POST.get("language", "")
    if is_known(code) and isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=code)
    # Only a browser's navigation: what a script asks for stays where it is.
    return response if isinstance(response, HttpResponseRedirect) else HttpResponseRedirect("/")
