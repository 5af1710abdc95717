"""Describes in the OpenAPI document what no view of DRF can: shapes at the portal's own addresses, plain views.

At its own addresses the portal has one shape, its own: a choice of two would be asked of every client that is generated
from the document (decision 0033). What other systems' clients meet there is said beside it, in `x-other-systems`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from tasks import errors, registry
from tasks.api import refusals
from tasks.api.compat import system_a, system_c, system_d
from tasks.api.compat.shapes_a import HealthA
from tasks.api.compat.submitting import Names
from tasks.api.compat.system_a import TAG
from tasks.api.compat.system_c import TaskC
from tasks.api.compat.system_d import RunPrompt, TaskD
from tasks.api.problems import MEDIA_TYPE, status_of

REF = "#/components/schemas/"
TASKS = "/api/v1/tasks"
LIMITS = ("minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMaximum", "format")
EXTENSION = "x-other-systems"
ID: dict[str, Any] = {"type": "string", "format": "uuid"}


def describe_systems(result: dict[str, Any], systems: Collection[str]) -> None:
    """Add to the document, before it is completed, what these systems' clients meet besides the described views."""
    paths, schemas = result["paths"], result["components"]["schemas"]
    if "A" in systems:
        schemas["HealthA"] = _schema(HealthA)
        _take_over(schemas, "AnalyzeImage", "image.analyze", {"question": "query"})
        _take_over(schemas, "CompleteAnswer", "answer.complete", system_a.ANSWER_NAMES)
        _take_over(schemas, "AskQuery", "rag.query", {"question": "query"})
        paths["/api/health"] = {"get": _health()}
    if "C" in systems:
        schemas["TaskC"] = _schema(TaskC)
        _take_over(schemas, "DrawImage", "image.generate", system_c.DRAW_NAMES)
        _take_over(schemas, "RecogniseSpeech", "speech.transcribe", system_c.SPEECH_NAMES)
        _describe_poll(paths[TASKS]["get"])
        paths["/api/v1/results/{task_id}"] = {"get": _result_bytes()}
    if "D" in systems:
        schemas["RunPrompt"] = _schema(RunPrompt)
        schemas["TaskD"] = _schema(TaskD)
        _take_over(schemas, "RunPrompt", system_d.TYPE, system_d.NAMES)
        _describe_prompt(paths[TASKS]["post"], paths[f"{TASKS}/{{task_id}}"]["get"])
    result["paths"] = dict(sorted(paths.items()))


def _take_over(schemas: dict[str, Any], component: str, type_name: str, names: Names) -> None:
    """Say of another system's fields what is asked of the fields of the task type that they become."""
    input_schema = registry.get_type(type_name).input.model_json_schema()
    for ours, theirs in names.items():
        given = input_schema["properties"][ours]
        asked = given | _but_null(given)
        _but_null(schemas[component]["properties"][theirs]).update(
            {keyword: asked[keyword] for keyword in LIMITS if keyword in asked}
        )


def _but_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a field may be besides null."""
    [one] = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    found: dict[str, Any] = one
    return found


def _schema(shape: type[BaseModel]) -> dict[str, Any]:
    mode: Any = "validation" if shape is RunPrompt else "serialization"
    schema = shape.model_json_schema(mode=mode, ref_template=REF + "{model}")
    # What is in them is in the document anyway.
    schema.pop("$defs", None)
    return schema


def _describe_poll(listing: dict[str, Any]) -> None:
    """Describe system C's question after one task, which has the address of the list."""
    listing[EXTENSION] = {
        "C": {
            "parameters": [{"in": "query", "name": "task_id", "schema": ID, "required": True}],
            "responses": {
                "200": _json(_ref("TaskC"), headers={"Retry-After": "seconds after which to ask again"}),
                "404": {"description": "Problem: " + errors.NotFound.code},
            },
        }
    }
    _say(listing, "With `task_id`, as system C asked, the answer is this one task as a `TaskC`.")


def _describe_prompt(submission: dict[str, Any], poll: dict[str, Any]) -> None:
    """Describe system D's submission, told from ours by a prompt without a type, and how its tasks are read."""
    headers = {
        "Location": "where the thing is",
        "Idempotency-Replayed": "true when the key gave an earlier answer",
        "RateLimit-Policy": "as of the portal's own answer",
        "RateLimit": "as of the portal's own answer",
    }
    submission[EXTENSION] = {
        "D": {
            "requestBody": {"content": {"application/json": {"schema": _ref("RunPrompt")}}},
            "responses": {"200": _json(_ref("TaskD"), headers=headers)},
        }
    }
    poll[EXTENSION] = {
        "D": {"responses": {"200": _json(_ref("TaskD"), headers={"Retry-After": "seconds after which to ask again"})}}
    }
    _say(submission, "A `prompt` without a `type` is system D's submission of `text.generate`: 200 with a `TaskD`.")
    _say(poll, "What system D's clients submitted is a `TaskD`.")


def _health() -> dict[str, Any]:
    return {
        "operationId": "system_a_health",
        "summary": "Say how the installation is, as system A did",
        "description": "Public.",
        "tags": [TAG],
        "security": [],
        "responses": {"200": _json(_ref("HealthA"))}
        | _problems(refusals.BadRequest, refusals.InternalError, refusals.DatabaseUnavailable),
    }


def _result_bytes() -> dict[str, Any]:
    told: dict[str, Any] = {"in": "path", "name": "task_id", "schema": ID, "required": True}
    given: list[dict[str, Any]] = [
        {"in": "query", "name": name, "schema": {"type": "string"}, "description": "as it was given"}
        for name in ("maker", "signature")
    ]
    return {
        "operationId": "system_c_result",
        "summary": "Fetch a result by the address in `result_url`",
        "description": "Its text, or else its JSON, for an hour, without a token: the address is signed.",
        "parameters": [told, *given],
        "tags": [TAG],
        "security": [],
        "responses": {
            "200": {
                "description": "",
                "content": {"text/plain": {"schema": {"type": "string"}}, "application/json": {"schema": {}}},
            }
        }
        | _problems(
            refusals.BadRequest,
            errors.NotFound,
            refusals.InvalidSignature,
            refusals.LinkExpired,
            errors.ContentPurged,
            refusals.InternalError,
            refusals.DatabaseUnavailable,
        ),
    }


def _say(operation: dict[str, Any], sentence: str) -> None:
    text, needs, scope = operation["description"].rpartition("\n\nNeeds the scope")
    operation["description"] = f"{text}\n\n{sentence}{needs}{scope}"


def _ref(component: str) -> dict[str, Any]:
    return {"$ref": f"{REF}{component}"}


def _json(schema: dict[str, Any], *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "", "content": {"application/json": {"schema": schema}}}
    if headers:
        answer["headers"] = {
            name: {"schema": {"type": "string"}, "description": text} for name, text in headers.items()
        }
    return answer


def _problems(*kinds: type[errors.TaskError]) -> dict[str, Any]:
    """Return answers as `tasks.api.openapi` completes them: the codes are in the description."""
    codes: dict[str, list[str]] = {}
    for kind in kinds:
        codes.setdefault(str(status_of(kind)), []).append(kind.code)
    return {
        status: {"description": "Problem: " + ", ".join(told), "content": {MEDIA_TYPE: {}}}
        for status, told in codes.items()
    }
