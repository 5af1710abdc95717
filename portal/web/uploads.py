"""Marks the views that take files."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

View = Callable[..., HttpResponseBase]


def takes_files(most: int = 1) -> Callable[[View], View]:
    """Decorate a view that takes this many uploads: `portal.body_limits` answers a longer body with 413.

    The CSRF check reads the form, which stores the files; so it is done here instead of in the middleware. Put
    `login_required` outside: then nothing of a stranger is stored.
    """

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @wraps(view)
        def check(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return protected(request, *args, **kwargs)

        check.files_taken = most  # type: ignore[attr-defined]
        return csrf_exempt(check)

    return decorate
