"""Completes the OpenAPI document: other systems' shapes, task types, headers, problems and their examples.

The document is stored in docs/openapi.yaml; `manage.py openapi` writes it anew, and a test compares.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from tasks import errors
from tasks.api.compat.document import describe_systems
from tasks.api.described_types import add_task_types
from tasks.api.plain_schemas import make_plain
from tasks.api.problems import MEDIA_TYPE, advice_of, all_kinds, status_of, title_of
from tasks.errors import Fault

REF = "#/components/schemas/"
TEXT: dict[str, Any] = {"type": "string"}

# Headers that come with an HTTP status, whatever the operation.
ALWAYS = ("X-Request-Id",)
BY_STATUS = {401: ("WWW-Authenticate",), 416: ("Content-Range",), 429: ("Retry-After",), 503: ("Retry-After",)}
HEADERS = {
    "X-Request-Id": "what the client sent, or made here; also in the log",
    "WWW-Authenticate": "Bearer, with what was wrong (RFC 6750)",
    "Retry-After": "seconds after which to try again",
    "Content-Range": "the size of the file",
}
# What may be asked without a body; all others need one, were it an empty object.
OPTIONAL_BODIES = {"copy_task", "make_file_link", "rotate_webhook_secret"}
COUNTED = ("RateLimit-Policy", "RateLimit")


def complete_document(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Complete the document: drf-spectacular's postprocessing hook."""
    schemas = result["components"]["schemas"]
    describe_systems(result, settings.COMPAT_ROUTES)
    add_task_types(schemas)
    make_plain(result)
    result["components"]["headers"] = {
        name: {"description": text, "schema": TEXT} for name, text in sorted(HEADERS.items())
    }
    result["components"]["examples"] = {code: {"value": _example(kind)} for code, kind in sorted(all_kinds().items())}
    shared: dict[str, Any] = {}
    for methods in result["paths"].values():
        for operation in methods.values():
            _complete_operation(operation)
            operation["responses"] = {
                status: _shared(shared, status, answer) for status, answer in operation["responses"].items()
            }
    result["components"]["responses"] = dict(sorted(shared.items()))
    return result


def _complete_operation(operation: dict[str, Any]) -> None:
    counted = any(COUNTED[0] in answer.get("headers", {}) for answer in operation["responses"].values())
    body = operation.get("requestBody", {})
    if body and operation["operationId"] not in OPTIONAL_BODIES:
        body["required"] = True
    for status_text, answer in operation["responses"].items():
        status = int(status_text)
        headers = answer.setdefault("headers", {})
        for name in (*ALWAYS, *BY_STATUS.get(status, ())):
            headers.setdefault(name, {"$ref": f"#/components/headers/{name}"})
        if status >= 400:
            _describe_problem(status, answer)
        if counted and status in {409, 422, 429}:
            headers |= {name: {"description": "as of the answer that accepts", "schema": TEXT} for name in COUNTED}
        answer["description"] = answer["description"] or SAID[status]


SAID = {
    200: "As asked.",
    201: "Made.",
    202: "Accepted.",
    204: "Done; nothing to say.",
    206: "The part that was asked for.",
    304: "Not changed since.",
}


def _describe_problem(status: int, answer: dict[str, Any]) -> None:
    """Say which codes this status has here, with an example of each."""
    codes = answer["description"].removeprefix("Problem: ").split(", ")
    own: dict[str, Any] = {"status": {"const": status}, "code": {"enum": codes}}
    if errors.QuotaExceeded.code in codes:
        own |= {
            "policy": {"type": "string", "description": "the limit that is reached, as in RateLimit-Policy"},
            "limit": {"type": "integer"},
        }
    media = answer["content"][MEDIA_TYPE]
    media["schema"] = {"$ref": f"{REF}Problem", "properties": own}
    media["examples"] = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}


def _shared(shared: dict[str, Any], status: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return a problem as a reference to the one that all operations with these codes share."""
    if int(status) < 400:
        return answer
    codes = answer["description"].removeprefix("Problem: ").split(", ")
    counted = ["counted"] if COUNTED[0] in answer["headers"] else []
    name = ".".join([status, *codes, *counted])
    shared[name] = answer
    return {"$ref": f"#/components/responses/{name}"}


def _example(kind: type[errors.TaskError]) -> dict[str, Any]:
    fault = Fault("/priority", "less_than_equal", "Input should be less than or equal to 10")
    pointed = issubclass(kind, errors.InvalidInput)
    return {
        "type": f"/api/docs/problems/{kind.code}",
        "title": title_of(kind),
        "status": status_of(kind),
        "detail": (advice_of(kind) or title_of(kind)).splitlines()[0],
        "code": kind.code,
        "request_id": "0c2f6ad2f7a14b6c9d7f3a1b2c4d5e6f",
        "errors": [fault] if pointed else [],
    }
