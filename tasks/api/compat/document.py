"""Describes in the OpenAPI document what no view of DRF can: shapes at the portal's own addresses, plain views."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from tasks import errors
from tasks.api import refusals
from tasks.api.compat.shapes_a import HealthA
from tasks.api.compat.system_a import TAG
from tasks.api.compat.system_c import TaskC
from tasks.api.compat.system_d import RunPrompt, TaskD
from tasks.api.problems import MEDIA_TYPE, status_of

REF = "#/components/schemas/"
TASKS = "/api/v1/tasks"
ID: dict[str, Any] = {"type": "string", "format": "uuid"}


def describe_systems(result: dict[str, Any], systems: Collection[str]) -> None:
    """Add to the document, before it is completed, what these systems' clients meet besides the described views."""
    paths, schemas = result["paths"], result["components"]["schemas"]
    if "A" in systems:
        schemas["HealthA"] = _schema(HealthA)
        paths["/api/health"] = {"get": _health()}
    if "C" in systems:
        schemas["TaskC"] = _schema(TaskC)
        _add_poll(paths[TASKS]["get"])
        paths["/api/v1/results/{task_id}"] = {"get": _result_bytes()}
    if "D" in systems:
        schemas["RunPrompt"] = _schema(RunPrompt) | {"not": {"required": ["type"]}}
        schemas["TaskD"] = _schema(TaskD)
        _add_prompt(paths[TASKS]["post"])
        _also(paths[f"{TASKS}/{{task_id}}"]["get"]["responses"]["200"], "TaskD")
        _say(paths[f"{TASKS}/{{task_id}}"]["get"], "What system D's clients submitted is a `TaskD`.")
    result["paths"] = dict(sorted(paths.items()))


def _schema(shape: type[BaseModel]) -> dict[str, Any]:
    mode: Any = "validation" if shape is RunPrompt else "serialization"
    return shape.model_json_schema(mode=mode)


def _add_poll(listing: dict[str, Any]) -> None:
    """Describe system C's question after one task, which has the address of the list."""
    described = {"in": "query", "name": "task_id", "schema": ID, "description": "system C's: one task, as `TaskC`"}
    listing["parameters"] = sorted([*listing["parameters"], described], key=lambda one: str(one["name"]))
    _also(listing["responses"]["200"], "TaskC")
    listing["responses"]["200"].setdefault("headers", {})["Retry-After"] = _header("seconds after which to ask again")
    listing["responses"] = dict(sorted((listing["responses"] | _problems(errors.NotFound)).items()))
    _say(listing, "With `task_id`, as system C asked, the answer is this one task as a `TaskC`.")


def _add_prompt(submission: dict[str, Any]) -> None:
    """Describe system D's submission: it is told from ours by a prompt without a type."""
    content = submission["requestBody"]["content"]["application/json"]
    content["schema"] = {"oneOf": [content["schema"], {"$ref": f"{REF}RunPrompt"}]}
    answer = submission["responses"]["200"]
    _also(answer, "TaskD")
    answer["headers"] |= {
        "Location": _header("where the thing is"),
        "Idempotency-Replayed": _header("true when the key gave an earlier answer"),
    }
    _say(submission, "A `prompt` without a `type` is system D's submission of `text.generate`: 200 with a `TaskD`.")


def _health() -> dict[str, Any]:
    return {
        "operationId": "system_a_health",
        "summary": "Say how the installation is, as system A did",
        "description": "Public.",
        "tags": [TAG],
        "security": [],
        "responses": {"200": _json({"$ref": f"{REF}HealthA"})}
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
            refusals.InvalidSignature,
            refusals.LinkExpired,
            errors.ContentPurged,
            refusals.InternalError,
            refusals.DatabaseUnavailable,
        ),
    }


def _also(answer: dict[str, Any], component: str) -> None:
    """Add a shape to those that an answer may have."""
    content = answer["content"]["application/json"]
    content["schema"] = {"oneOf": [content["schema"], {"$ref": f"{REF}{component}"}]}


def _say(operation: dict[str, Any], sentence: str) -> None:
    text, needs, scope = operation["description"].rpartition("\n\nNeeds the scope")
    operation["description"] = f"{text}\n\n{sentence}{needs}{scope}"


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def _header(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}, "description": description}


def _problems(*kinds: type[errors.TaskError]) -> dict[str, Any]:
    """Return answers as `tasks.api.openapi` completes them: the codes are in the description."""
    codes: dict[str, list[str]] = {}
    for kind in kinds:
        codes.setdefault(str(status_of(kind)), []).append(kind.code)
    return {
        status: {"description": "Problem: " + ", ".join(told), "content": {MEDIA_TYPE: {}}}
        for status, told in codes.items()
    }
