"""Problems: every answer of 400 or more below /api, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import reverse
from rest_framework.exceptions import APIException

from tasks import errors
from tasks.api import languages, refusals
from tasks.api.read_again import is_away, is_cut_read
from tasks.api.uploads import NameTooLong
from tasks.storage import is_full
from tasks.ui.sentences import in_language

logger = logging.getLogger("tasks.api")

MEDIA_TYPE = "application/problem+json"

# HTTP statuses of the core's refusals; those of `tasks.api.refusals` carry their own.
CORE_STATUS: dict[type[errors.TaskError], int] = {
    errors.InvalidInput: 422,
    errors.InvalidBody: 422,
    errors.UnknownTaskType: 422,
    errors.AbovePlan: 422,
    errors.InvalidFile: 422,
    errors.InvalidDependency: 422,
    errors.WebhookRefused: 422,
    errors.InvalidSchedule: 422,
    errors.NotReusable: 422,
    errors.BatchRefused: 422,
    errors.EngineUnavailable: 422,
    errors.IdempotencyConflict: 422,
    errors.QuotaExceeded: 429,
    errors.UserDisabled: 403,
    errors.Maintenance: 503,
    errors.NotFound: 404,
    errors.WrongStatus: 409,
    errors.ContentPurged: 410,
    errors.InputTooLarge: 413,
    errors.StorageUnavailable: 503,
    errors.StorageFull: 507,
}
MAINTENANCE_RETRY_SECONDS = 60
STORAGE_RETRY_SECONDS = 60


def all_kinds() -> dict[str, type[errors.TaskError]]:
    """Return every kind of problem by its code."""
    own = [kind for _, kind in inspect.getmembers(refusals, inspect.isclass) if issubclass(kind, refusals.ApiRefusal)]
    kinds = [*CORE_STATUS, *(kind for kind in own if kind is not refusals.ApiRefusal)]
    return {kind.code: kind for kind in sorted(kinds, key=lambda kind: (status_of(kind), kind.code))}


def status_of(kind: type[errors.TaskError]) -> int:
    """Return the HTTP status of a kind of problem."""
    return kind.status if issubclass(kind, refusals.ApiRefusal) else CORE_STATUS.get(kind, 400)


def title_of(kind: type[errors.TaskError]) -> str:
    """Return the first line of the kind's docstring."""
    return inspect.cleandoc(kind.__doc__ or "").splitlines()[0]


def advice_of(kind: type[errors.TaskError]) -> str:
    """Return what the kind's docstring says after the first line."""
    return "\n".join(inspect.cleandoc(kind.__doc__ or "").splitlines()[1:]).strip()


def problem_response(exception: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view: DRF's exception handler. None leaves it to Django, which logs it."""
    if is_cut_read(context["request"]._request, exception):
        # To the middleware, which calls the view again.
        return None
    refusal = refusal_of(exception)
    return None if refusal is None else problem(context["request"], refusal)


def refusal_of(exception: Exception) -> errors.TaskError | None:
    """Translate what Django and DRF raise into our tree; None is a bug that nobody foresaw."""
    match exception:
        case errors.Refused() | errors.InputTooLarge() | errors.StorageFull() | errors.StorageUnavailable():
            return exception
        case OSError() if is_full(exception):
            # Of a temporary file, before the body came to whoever would store it; Django makes it UnreadablePostError.
            logger.error("No room to store a request body: %s", exception)
            return errors.StorageFull()
        case Http404():
            return errors.NotFound()
        case PermissionDenied():
            return refusals.Forbidden()
        case DatabaseError() | InterfaceError() if is_away(exception):
            logger.error("The database did not answer: %s", exception)
            return refusals.DatabaseUnavailable()
        case RequestDataTooBig():
            return refusals.BodyTooLarge(str(exception))
        case UnreadablePostError():
            return refusals.BadRequest("The connection ended before the body was complete.")
        case NameTooLong():
            return errors.InvalidFile.at("/file", "name_too_long", str(exception))
        case SuspiciousOperation():
            return refusals.BadRequest()
        case APIException():
            return refusal_of_status(exception.status_code, str(exception.detail))
    return None


def refusal_of_status(status: int, detail: str = "") -> errors.TaskError:
    """Return the general refusal of an HTTP status: for answers that others made."""
    if status == HTTPStatus.NOT_FOUND:
        return errors.NotFound(detail)
    for kind in (
        refusals.NotAuthenticated,
        refusals.Forbidden,
        refusals.MethodNotAllowed,
        refusals.NotAcceptable,
        refusals.LengthRequired,
        refusals.BodyTooLarge,
        refusals.UnsupportedMediaType,
    ):
        if kind.status == status:
            return kind(detail)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return refusals.InternalError()
    return refusals.BadRequest(detail)


def problem(request: HttpRequest, refusal: errors.TaskError) -> HttpResponse:
    """Answer a refusal, in the client's language."""
    status = status_of(type(refusal))
    response = HttpResponse(status=status, content_type=MEDIA_TYPE)
    with languages.spoken(request):
        languages.mark(response)
        body: dict[str, Any] = {
            "type": reverse("api:problem", args=[refusal.code]),
            "title": in_language(title_of(type(refusal))),
            "status": status,
            "detail": in_language(refusal.message),
            "code": refusal.code,
            "request_id": getattr(request, "request_id", ""),
            "errors": [fault | {"detail": in_language(fault["detail"])} for fault in getattr(refusal, "errors", [])],
        }
    for name, value in getattr(refusal, "headers", {}).items():
        response.headers[name] = value
    if isinstance(refusal, errors.QuotaExceeded):
        body |= {"policy": refusal.policy, "limit": refusal.limit}
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    elif isinstance(refusal, errors.Maintenance):
        response.headers["Retry-After"] = str(MAINTENANCE_RETRY_SECONDS)
    elif isinstance(refusal, errors.StorageFull | errors.StorageUnavailable):
        response.headers["Retry-After"] = str(STORAGE_RETRY_SECONDS)
    response.content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return response
