"""What the portal refuses, as exceptions of the client: one class a problem code. Needs no Django."""

from __future__ import annotations

from typing import Any, ClassVar


class PortalError(Exception):
    """The portal refused or failed.

    `code` and `status` say what, `errors` point at the faults, `request_id` finds it in the log, `policy` and
    `limit` tell which limit of the plan is reached, and `retry_after` is in seconds where the portal said when
    to try again.
    """

    code: ClassVar[str] = ""
    kinds: ClassVar[dict[str, type[PortalError]]] = {}

    def __init_subclass__(cls) -> None:
        PortalError.kinds[cls.code] = cls

    def __init__(self, status: int, problem: dict[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.detail: str = problem.get("detail") or f"HTTP status {status}"
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        self.request_id: str = problem.get("request_id", "")
        self.policy: str | None = problem.get("policy")
        self.limit: int | None = problem.get("limit")
        self.retry_after = retry_after
        super().__init__(self.detail)


def error_of(status: int, problem: dict[str, Any], retry_after: float | None = None) -> PortalError:
    """Return the exception of a problem; of the base class where its code is not known here."""
    return PortalError.kinds.get(problem.get("code", ""), PortalError)(status, problem, retry_after)


class BadRequest(PortalError):
    code = "bad_request"


class InvalidJson(PortalError):
    code = "invalid_json"


class InvalidEncoding(PortalError):
    code = "invalid_encoding"


class InvalidParameter(PortalError):
    code = "invalid_parameter"


class NotAuthenticated(PortalError):
    code = "not_authenticated"


class InvalidToken(PortalError):
    code = "invalid_token"


class MissingScope(PortalError):
    code = "missing_scope"


class CsrfFailed(PortalError):
    code = "csrf_failed"


class Forbidden(PortalError):
    code = "forbidden"


class InvalidSignature(PortalError):
    code = "invalid_signature"


class AccountDisabled(PortalError):
    code = "account_disabled"


class NotFound(PortalError):
    code = "not_found"


class MethodNotAllowed(PortalError):
    code = "method_not_allowed"


class NotAcceptable(PortalError):
    code = "not_acceptable"


class BodyTooSlow(PortalError):
    code = "body_too_slow"


class NoResult(PortalError):
    code = "no_result"


class TooManyTokens(PortalError):
    code = "too_many_tokens"


class WrongStatus(PortalError):
    code = "wrong_status"


class ContentPurged(PortalError):
    code = "content_purged"


class LinkExpired(PortalError):
    code = "link_expired"


class LengthRequired(PortalError):
    code = "length_required"


class BodyTooLarge(PortalError):
    code = "body_too_large"


class InputTooLarge(PortalError):
    code = "input_too_large"


class UnsupportedMediaType(PortalError):
    code = "unsupported_media_type"


class RangeNotSatisfiable(PortalError):
    code = "range_not_satisfiable"


class InvalidInput(PortalError):
    code = "invalid_input"


class UnknownTaskType(InvalidInput):
    code = "unknown_task_type"


class InvalidBody(InvalidInput):
    code = "invalid_body"


class AbovePlan(InvalidInput):
    code = "above_plan"


class InvalidFile(InvalidInput):
    code = "invalid_file"


class InvalidDependency(InvalidInput):
    code = "invalid_dependency"


class WebhookRefused(InvalidInput):
    code = "webhook_refused"


class InvalidSchedule(InvalidInput):
    code = "invalid_schedule"


class NotReusable(InvalidInput):
    code = "not_reusable"


class BatchRefused(InvalidInput):
    code = "batch_refused"


class EngineUnavailable(PortalError):
    code = "engine_unavailable"


class IdempotencyKeyReused(PortalError):
    code = "idempotency_key_reused"


class QuotaExceeded(PortalError):
    code = "quota_exceeded"


class RateLimited(PortalError):
    code = "rate_limited"


class InternalError(PortalError):
    code = "internal_error"


class Maintenance(PortalError):
    code = "maintenance"


class TooManyStreams(PortalError):
    code = "too_many_streams"


class DatabaseUnavailable(PortalError):
    code = "database_unavailable"


class StorageFull(PortalError):
    code = "storage_full"


class StorageUnavailable(PortalError):
    code = "storage_unavailable"
