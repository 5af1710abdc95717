"""http.request: calls an HTTP service by URL, through the guard for addresses that users give."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator, model_validator

from tasks.context import Context
from tasks.errors import FetchFailed, Retry, UrlRefused
from tasks.one_of import WEB_ADDRESS
from tasks.registry import EngineInfo, Input, Result, task_type

if TYPE_CHECKING:
    from tasks.outbound.fetch import Fetched

MAX_BYTES = 10_000_000
# Longer answers are kept as a file instead.
MAX_TEXT_BYTES = 1_000_000
MOST_HEADERS = 50
MAX_HEADERS_LENGTH = 16_000
# Doing it twice is as good as once (RFC 9110, section 9.2.2).
REPEATABLE = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
AGAIN_LATER = {408, 425, 429}
# As Python calls them.
CHARSETS = {
    "utf-8", "ascii", "utf-16", "utf-16-le", "utf-16-be", "iso8859-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251",
    "cp1252", "koi8-r", "shift_jis", "euc_jp", "gbk", "gb18030", "big5", "euc_kr",
}  # fmt: skip
# Results take 64 levels; this one stands in the second.
MAX_DEPTH = 60
TEXT_TYPES = {"application/xml", "application/javascript", "application/x-www-form-urlencoded", "application/x-ndjson"}


NOTHING = {"type": "null"}
# GET, which is the default, and HEAD have no body; the others have one at most.
BODIES: dict[str, Any] = {
    "if": {"properties": {"method": {"enum": ["GET", "HEAD"]}}},
    "then": {"properties": {"json": NOTHING, "body": NOTHING}},
    "else": {
        "if": {"required": ["json"], "properties": {"json": {"not": NOTHING}}},
        "then": {"properties": {"body": NOTHING}},
    },
}


class HttpRequestInput(Input):
    # `json` is what the field is for, but also the name of a method of pydantic's.
    model_config = ConfigDict(
        extra="forbid",
        validate_by_alias=True,
        validate_by_name=False,
        serialize_by_alias=True,
        json_schema_extra=BODIES,
    )

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = Field(default="GET", title="Method")
    url: str = Field(
        title="URL", description="https://…", min_length=1, max_length=2_000, json_schema_extra={"pattern": WEB_ADDRESS}
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        title="Headers",
        description="They are kept with the task: whoever may read its input can read them.",
        max_length=MOST_HEADERS,
    )
    json_body: Any = Field(default=None, alias="json", title="JSON body", description="Sent as application/json.")
    body: str | None = Field(default=None, title="Text body", description="Instead of JSON.", max_length=1_000_000)
    fail_on_error: bool = Field(
        default=True,
        title="An error status fails the task",
        description="Otherwise an answer of 400 or more is a result like any other.",
    )
    retry: bool | None = Field(
        default=None,
        title="Try again after a failure",
        description="By default only what may be repeated: GET, HEAD, OPTIONS, PUT and DELETE, not POST and PATCH.",
    )
    redirects: int = Field(default=0, title="Redirects to follow", description="Of GET and HEAD.", ge=0, le=3)
    timeout_seconds: float = Field(default=30, title="Seconds to wait", ge=1, le=300, allow_inf_nan=False)

    @field_validator("url")
    @classmethod
    def _url_is_well_formed(cls, url: str) -> str:
        from tasks.outbound.guard import parse_url

        try:
            parse_url(url)
        except UrlRefused as error:
            raise ValueError(error.message) from error
        return url

    @field_validator("headers")
    @classmethod
    def _headers_can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        from tasks.outbound.fetch import RESERVED_HEADERS

        if sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADERS_LENGTH:
            raise ValueError(f"at most {MAX_HEADERS_LENGTH} characters in all")
        if reserved := sorted(name for name in headers if name.lower() in RESERVED_HEADERS):
            raise ValueError(f"{reserved[0]} is set by the portal itself")
        return headers

    @model_validator(mode="after")
    def _one_body_at_most(self) -> HttpRequestInput:
        if self.json_body is not None and self.body is not None:
            raise ValueError("send json or body, not both")
        if self.method in {"GET", "HEAD"} and (self.json_body is not None or self.body is not None):
            raise ValueError(f"{self.method} has no body")
        return self


class HttpRequestResult(Result):
    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True, serialize_by_alias=True)

    status: int = Field(description="the HTTP status")
    headers: dict[str, str] = Field(description="names in lower case")
    content_type: str
    text: str | None = Field(default=None, description="of an answer that is text, up to 1 MB")
    json_body: Any = Field(default=None, alias="json", description="the parsed answer, where it is JSON")
    files: list[UUID] = Field(default_factory=list, description="the answer as a file, if not text or too long")


EXAMPLE: dict[str, Any] = {"method": "POST", "url": "https://api.example.com/v1/score", "json": {"text": "hello"}}


@task_type(
    name="http.request",
    reusable=False,
    title="Call an HTTP service",
    description="Sends one HTTP request and keeps the answer: for services that the portal has no task type for.",
    queue="text",
    input=HttpRequestInput,
    result=HttpRequestResult,
    example=EXAMPLE,
    samples=[{"url": {"$portal": "/health/live"}}],
    timeout=330,
    est_seconds=1.0,
    waits=True,
    works_with="httpx",
    icon="globe",
)
def http_request(ctx: Context, data: HttpRequestInput) -> HttpRequestResult:
    """Send the request.

    Raises:
        UrlRefused: the address may not be called.
        FetchFailed, Retry: no answer, or an error status. Tried again only where that may be.
        InputTooLarge: the answer is larger than 10 MB.
    """
    from tasks.outbound import fetch

    may_repeat = data.retry if data.retry is not None else data.method in REPEATABLE
    body, headers = _body_and_headers(ctx, data)
    ctx.progress(0.0, "waiting for the answer")
    try:
        answer = fetch.request(
            data.method,
            data.url,
            headers=headers,
            body=body,
            max_bytes=MAX_BYTES,
            timeout_seconds=data.timeout_seconds,
            redirects=data.redirects,
        )
        if data.fail_on_error and answer.status >= 400:
            raise _error_of(answer, may_repeat)
    except FetchFailed as error:
        if error.retryable and not may_repeat:
            hint = " It is not tried again: the request may have had its effect."
            raise FetchFailed(error.message + hint, retryable=False) from error
        raise
    return _result(ctx, answer)


def _body_and_headers(ctx: Context, data: HttpRequestInput) -> tuple[bytes | None, dict[str, str]]:
    given = {name.lower() for name in data.headers}
    headers = dict(data.headers)
    body = None
    if data.json_body is not None:
        body = json.dumps(data.json_body, ensure_ascii=False).encode()
        if "content-type" not in given:
            headers["Content-Type"] = "application/json"
    elif data.body is not None:
        body = data.body.encode()
        if "content-type" not in given:
            headers["Content-Type"] = "text/plain; charset=utf-8"
    if data.method not in REPEATABLE and "idempotency-key" not in given:
        # A worker may die after sending: then the task runs again, and the service can tell that it is the same.
        headers["Idempotency-Key"] = str(ctx.task_id)
    return body, headers


def _error_of(answer: Fetched, may_repeat: bool) -> FetchFailed | Retry:
    message = f"The service answered with HTTP status {answer.status}."
    again = answer.status >= 500 or answer.status in AGAIN_LATER
    if again and may_repeat and answer.retry_after_seconds is not None:
        return Retry(message, after=answer.retry_after_seconds)
    return FetchFailed(message, retryable=again)


def _result(ctx: Context, answer: Fetched) -> HttpRequestResult:
    text = _text(answer)
    value = _parsed(answer, text)
    files = []
    if text is None and answer.body:
        kept = ctx.save("answer", answer.body, answer.content_type or "application/octet-stream")
        files = [kept.id]
    return HttpRequestResult(
        status=answer.status,
        headers=dict(answer.headers),
        content_type=answer.content_type,
        text=text,
        json_body=value,
        files=files,
        engine=EngineInfo(name="portal", version="1"),
    )


def _text(answer: Fetched) -> str | None:
    """Return the body as text, if it is one that a result can hold."""
    kind = answer.content_type
    is_text = kind.startswith("text/") or kind in TEXT_TYPES or _is_json(kind) or kind.endswith("+xml")
    if not is_text or len(answer.body) > MAX_TEXT_BYTES:
        return None
    try:
        return answer.body.decode(_charset(answer))
    except (UnicodeDecodeError, LookupError):
        return None


def _parsed(answer: Fetched, text: str | None) -> Any:
    if text is None or not _is_json(answer.content_type):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if _fits(value, MAX_DEPTH) else None


def _fits(value: Any, levels: int) -> bool:
    """Return whether JSON is nested no deeper than results may be."""
    if isinstance(value, dict):
        value = list(value.values())
    return not isinstance(value, list) or (levels > 0 and all(_fits(member, levels - 1) for member in value))


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def _charset(answer: Fetched) -> str:
    """Return the name of the body's encoding.

    Raises:
        LookupError: it is none that the web uses for text; Python knows others, some of them slow.
    """
    name = "utf-8"
    for parameter in answer.headers.get("content-type", "").split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            name = codecs.lookup(value.strip(" \"'")).name
    if name not in CHARSETS:
        raise LookupError(name)
    return name
