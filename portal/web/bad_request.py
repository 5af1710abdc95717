"""Answers 400 with a way out where there is one; the rest is the admin's and Django's."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse

from tasks.admin import error_pages


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 400."""
    if isinstance(exception, TooManyFilesSent) and not request.path.startswith(reverse("admin:index")):
        most = {"most_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES}
        return HttpResponseBadRequest(render_to_string("400.html", most))
    return error_pages.bad_request(request, exception)
