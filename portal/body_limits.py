"""Refuses bodies of pages: too long ones before a byte is read, and those that came too slowly. See there for /api.

Django would store the files of any form on the disk before it looks who sent them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, UnreadablePostError
from django.shortcuts import render

from tasks import errors
from tasks.api.arrival import came_too_slowly
from tasks.api.middleware import PREFIX
from tasks.measures import size_text
from tasks.storage import is_full

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# What a form has besides its files.
FORM_BYTES = 1024 * 1024


class BodyLimitMiddleware:
    """Comes before the check of CSRF tokens, which reads forms. A view that takes files says so: `files_taken`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if came_too_slowly(request) and not request.path_info.startswith(PREFIX):
            response.close()
            return too_slow(request)
        return response

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        if request.path_info.startswith(PREFIX):
            return None
        if came_too_slowly(request):
            return too_slow(request)
        files = getattr(view, "files_taken", 0)
        most = files * settings.MAX_UPLOAD_BYTES + FORM_BYTES if files else settings.MAX_BODY_BYTES
        given = request.META.get("CONTENT_LENGTH") or "0"
        # One that is no number is read as 0 by Django.
        if given.isascii() and given.isdigit() and int(given) > most:
            return too_large(request, takes_files=bool(files))
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a form that broke off, which nobody hears, and one that there is no room for."""
        if request.path_info.startswith(PREFIX):
            return None
        if is_full(exception) or isinstance(exception, errors.StorageFull):
            logger.error("No room to store a request body: %s", exception)
            return _refusal(
                request, 507, "There is no room left for files. An operator must make some; try again later."
            )
        if not isinstance(exception, UnreadablePostError):
            return None
        return render(request, "400.html", status=400)


def too_large(request: HttpRequest, *, takes_files: bool) -> HttpResponse:
    """Answer 413."""
    most = size_text(settings.MAX_UPLOAD_BYTES if takes_files else settings.MAX_BODY_BYTES)
    return _refusal(request, 413, f"{'Files' if takes_files else 'Forms'} may have {most} at most.")


def too_slow(request: HttpRequest) -> HttpResponse:
    """Answer 408."""
    response = _refusal(request, 408, "What you sent came too slowly, and was not waited for. Try again.")
    # The rest may still come.
    response["Connection"] = "close"
    return response


def _refusal(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """Answer with a page, or with JSON to the script that uploads with progress."""
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"error": message}, status=status)
    return render(request, f"{status}.html", {"message": message}, status=status)
