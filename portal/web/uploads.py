"""Marks the views that take files; and what there is room for, for the script that sends them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

# Of one form. A form is one request, which validates all of them while somebody waits.
MOST_FILES = 2000
# Of them, those that a browser without scripts sends along; a script sends them one by one before.
MOST_UPLOADS = 20

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


def room_of(quota: dict[str, Any]) -> dict[str, int]:
    """Return what there is room for in the plan, so that files are refused before they are sent.

    Args:
        quota: as `read_quota` returns it.
    """
    day = quota["allowances"]["day"]
    left = [quota["max_waiting"] - quota["held"]] + ([] if day["limit"] is None else [day["limit"] - day["used"]])
    return {
        "most_files": MOST_FILES,
        "file_bytes": settings.MAX_UPLOAD_BYTES,
        "bytes_left": max(0, quota["files"]["limit"] - quota["files"]["bytes"]),
        "tasks_left": max(0, min(left)),
    }
