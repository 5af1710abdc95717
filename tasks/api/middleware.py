"""Keeps promises for everything below /api: long, slow and compressed bodies are refused, and failures are problems."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from tasks import errors
from tasks.api import problems, refusals
from tasks.api.arrival import came_too_slowly

GetResponse = Callable[[HttpRequest], HttpResponseBase]

PREFIX = "/api/"
# The second is system C's: a form with the recording.
UPLOADS = frozenset({"/api/v1/files", "/api/v1/speech/async"})
# Boundaries and headers of the parts of a multipart body.
MULTIPART_BYTES = 64 * 1024


class ProblemMiddleware:
    """Turns every answer of 400 or more below /api into problem+json, whoever made it.

    Comes before all middleware that may refuse a request, or read its body.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        refusal = _refuse_length(request) or _refuse_coding(request) or _refuse_slow(request)
        response = problems.problem(request, refusal) if refusal else self.get_response(request)
        # An upload comes while its view runs.
        if not refusal and (refusal := _refuse_slow(request)):
            response.close()
            response = problems.problem(request, refusal)
        if response.status_code >= 400 and response.headers.get("Content-Type") != problems.MEDIA_TYPE:
            response = _as_problem(request, response)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers.setdefault("Vary", "Authorization, Cookie")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what a plain view raised; DRF's views answer for themselves."""
        if not request.path_info.startswith(PREFIX):
            return None
        refusal = problems.refusal_of(exception)
        return None if refusal is None else problems.problem(request, refusal)


def _refuse_length(request: HttpRequest) -> errors.TaskError | None:
    """Look at the length alone: nothing of the body has been read."""
    given = request.META.get("CONTENT_LENGTH") or ""
    if not given:
        chunked = request.META.get("HTTP_TRANSFER_ENCODING")
        return refusals.LengthRequired() if chunked else None
    if not (given.isascii() and given.isdigit()):
        return refusals.BadRequest("The Content-Length is not a number.")
    is_upload = request.path_info.rstrip("/") in UPLOADS
    most = settings.MAX_UPLOAD_BYTES if is_upload else settings.MAX_BODY_BYTES
    if int(given) <= most + (MULTIPART_BYTES if is_upload else 0):
        return None
    return refusals.BodyTooLarge(f"The body has {given} bytes; this address takes {most}.")


def _refuse_coding(request: HttpRequest) -> errors.TaskError | None:
    """Refuse compressed bodies, whatever reads them: the limit on what is sent says nothing of what it unpacks to."""
    coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding in {"", "identity"} or request.META.get("CONTENT_LENGTH", "0") in {"", "0"}:
        return None
    # RFC 7694, section 3: which codings are taken.
    return refusals.UnsupportedMediaType(
        "Compressed bodies are not taken: send it as it is, without Content-Encoding.",
        headers={"Accept-Encoding": "identity"},
    )


def _refuse_slow(request: HttpRequest) -> errors.TaskError | None:
    return refusals.BodyTooSlow() if came_too_slowly(request) else None


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    detail = str(getattr(response, "detail", ""))
    made = problems.problem(request, problems.refusal_of_status(response.status_code, detail))
    for name, value in response.headers.items():
        if name.lower() not in {"content-type", "content-length"}:
            made.headers.setdefault(name, value)
    made.cookies = response.cookies
    # Whoever serves the new one closes what the old one held. Its own close() would say that the request is over.
    made._resource_closers.extend(response._resource_closers)  # type: ignore[attr-defined]
    return made
