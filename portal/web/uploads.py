"""Refuses an upload by its Content-Length, before a byte of it is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

View = Callable[..., HttpResponseBase]

# What a multipart form has besides the file.
FORM_BYTES = 1024 * 1024


def limit_body(files: int = 1) -> Callable[[View], View]:
    """Decorate a view that takes `files` uploads: a longer body is answered with 413.

    The CSRF check reads the form, which would store the whole upload first; so it is done here,
    after the length was looked at, instead of in the middleware.
    """

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @wraps(view)
        def look_at_length(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if int(request.META.get("CONTENT_LENGTH") or 0) > files * settings.MAX_UPLOAD_BYTES + FORM_BYTES:
                return too_large(request)
            return protected(request, *args, **kwargs)

        return csrf_exempt(look_at_length)

    return decorate


def too_large(request: HttpRequest) -> HttpResponseBase:
    """Answer 413, as JSON to the script that uploads with progress."""
    message = f"Files may have {settings.MAX_UPLOAD_BYTES // 1024 // 1024} MiB at most."
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"error": message}, status=413)
    return render(request, "413.html", {"message": message}, status=413)
