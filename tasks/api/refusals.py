"""What the API itself refuses, as opposed to the core: each class is a kind of problem with its HTTP status.

As in `tasks.errors`, a class's docstring is what people read: the first line is the problem's
title, the rest tells on its page what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Self

from tasks import errors
from tasks.errors import MOST_FAULTS, Fault


class ApiRefusal(errors.Refused):
    """The request was refused."""

    code = "refused"
    status: ClassVar[int] = 400
    # What goes out with every answer of this kind.
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = {**self.headers, **(headers or {})}


class BadRequest(ApiRefusal):
    """The server cannot read this request."""

    code = "bad_request"


class InvalidJson(ApiRefusal):
    """The body is not valid JSON.

    The detail gives line and column. NaN, Infinity, duplicate keys, NUL characters, lone surrogates
    and more than 64 levels of nesting are refused, too: they cannot be stored, or their meaning is not certain.
    """

    code = "invalid_json"

    def __init__(self, message: str = "", *, pointer: str | None = None) -> None:
        super().__init__(message)
        if pointer is not None:
            self.errors = [Fault(pointer, self.code, message)]


class InvalidEncoding(ApiRefusal):
    """The body is not UTF-8.

    JSON is sent as UTF-8.
    """

    code = "invalid_encoding"


class InvalidParameter(ApiRefusal):
    """A query parameter or header is unknown or has an impossible value.

    Each fault's pointer is the name of the parameter or header after a slash.
    """

    code = "invalid_parameter"

    def __init__(self, message: str = "", *, errors: Sequence[Fault] | None = None) -> None:
        super().__init__(message)
        self.errors = list((errors or ())[:MOST_FAULTS])

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> Self:
        """Return a refusal with one fault, whose detail is the message."""
        return cls(detail, errors=[Fault(pointer, code, detail)])


class NotAuthenticated(ApiRefusal):
    """The request does not say who sends it.

    Send `Authorization: Bearer ptl_…` with a token made in the portal, or use the portal's session.
    """

    code = "not_authenticated"
    status = 401
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="portal"'})


class InvalidToken(ApiRefusal):
    """The token is unknown, expired or revoked, or its user is disabled.

    Make a new token in the portal.
    """

    code = "invalid_token"
    status = 401
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="portal", error="invalid_token"'})


class MissingScope(ApiRefusal):
    """The token does not have the scope that this needs.

    Make a token with the scope that the detail names. A token may not submit work on what it may not read:
    files as input and searches over them need `files`, references to other tasks, `reuse` and copies `tasks:read`,
    receivers of webhooks `webhooks`. The pointer says where in the body that is.
    """

    code = "missing_scope"
    status = 403

    def __init__(self, message: str = "", *, scope: str = "", pointer: str | None = None) -> None:
        challenge = f'Bearer realm="portal", error="insufficient_scope", scope="{scope}"'
        super().__init__(message, headers={"WWW-Authenticate": challenge} if scope else None)
        if pointer is not None:
            self.errors = [Fault(pointer, self.code, message)]


class CsrfFailed(ApiRefusal):
    """A request with the portal's session must prove that a page of the portal sent it.

    Send the value of the cookie `csrftoken` (over HTTPS `__Host-csrftoken`) as `X-CSRFToken`. Programs use a token
    instead.
    """

    code = "csrf_failed"
    status = 403


class Forbidden(ApiRefusal):
    """You may not do that."""

    code = "forbidden"
    status = 403


class InvalidSignature(ApiRefusal):
    """The address was not signed by this portal.

    Ask for a new one: `POST /api/v1/files/{id}/link`.
    """

    code = "invalid_signature"
    status = 403


class MethodNotAllowed(ApiRefusal):
    """This address does not take this method.

    The header `Allow` lists those that it takes.
    """

    code = "method_not_allowed"
    status = 405


class NotAcceptable(ApiRefusal):
    """The answer cannot be given in the media type that was asked for.

    Send `Accept: application/json`, or no such header.
    """

    code = "not_acceptable"
    status = 406


class BodyTooSlow(ApiRefusal):
    """The body came too slowly.

    Send it without long pauses; on a slow line, in smaller parts.
    """

    code = "body_too_slow"
    status = 408
    # The rest of it may still come.
    headers = MappingProxyType({"Connection": "close"})


class NoResult(ApiRefusal):
    """The task has no result: it has not ended, or did not succeed.

    Poll the task until `done` is true; `error` says why a task failed.
    """

    code = "no_result"
    status = 409


class TooManyTokens(ApiRefusal):
    """There are as many tokens as one user may have.

    Revoke those that are no longer used.
    """

    code = "too_many_tokens"
    status = 409


class LinkExpired(ApiRefusal):
    """The address has expired.

    Ask for a new one: `POST /api/v1/files/{id}/link`.
    """

    code = "link_expired"
    status = 410


class LengthRequired(ApiRefusal):
    """The request has a body without a Content-Length.

    Bodies are refused by their length before they are read, so it must be known.
    """

    code = "length_required"
    status = 411


class BodyTooLarge(ApiRefusal):
    """The body is larger than the portal takes."""

    code = "body_too_large"
    status = 413


class UnsupportedMediaType(ApiRefusal):
    """The body is of a media type that this address does not take.

    JSON is sent with `Content-Type: application/json`.
    """

    code = "unsupported_media_type"
    status = 415


class RangeNotSatisfiable(ApiRefusal):
    """The range begins after the end of the file.

    `Content-Range` tells the file's size.
    """

    code = "range_not_satisfiable"
    status = 416


class RateLimited(ApiRefusal):
    """You read more often than the server allows.

    Wait as long as `Retry-After` says.
    `Prefer: wait=N`, event streams, webhooks and lists tell the same with fewer requests.
    """

    code = "rate_limited"
    status = 429
    retryable = True
    headers = MappingProxyType({"Retry-After": "1"})


class InternalError(ApiRefusal):
    """The portal failed. This is a bug.

    Tell the operator the `request_id`: the log has the rest.
    """

    code = "internal_error"
    status = 500


class TooManyStreams(ApiRefusal):
    """There are as many open streams as one user, or this server, may have.

    Close some, or try again after the time in `Retry-After`. One stream of `/api/v1/events` tells of all your tasks.
    """

    code = "too_many_streams"
    status = 503
    retryable = True
    headers = MappingProxyType({"Retry-After": "10"})


class DatabaseUnavailable(ApiRefusal):
    """The database does not answer at the moment.

    Try again after the time in `Retry-After`; what was answered with 202 is not lost.
    """

    code = "database_unavailable"
    status = 503
    retryable = True
    headers = MappingProxyType({"Retry-After": "2"})
