"""Completes the OpenAPI document: task types as discriminated components, headers, problems and their examples.

The document is stored in docs/openapi.yaml; `manage.py openapi` writes it anew, and a test compares.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from tasks import errors, registry
from tasks.api.compat.document import describe_systems
from tasks.api.problems import MEDIA_TYPE, advice_of, all_kinds, status_of, title_of

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
COUNTED = ("RateLimit-Policy", "RateLimit")


def complete_document(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Complete the document: drf-spectacular's postprocessing hook."""
    schemas = result["components"]["schemas"]
    describe_systems(result, settings.COMPAT_ROUTES)
    _add_task_types(schemas)
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


# --- Task types -------------------------------------------------------------------------------------


def _add_task_types(schemas: dict[str, Any]) -> None:
    """Make `Task` and `SubmitTask` choices by `type`, with the types' own input and result."""
    types = registry.all_types()
    titles = {name: _title(name) for name in types}
    for name, definition in types.items():
        _add_model(schemas, f"{titles[name]}Input", definition.input, "validation")
        _add_model(schemas, f"{titles[name]}Result", definition.result, "serialization")
    schemas["InputWithReferences"] = {
        "type": "object",
        "description": 'An input in which `{"$from": task id, "path": "a.0.b"}` stands for a part of another '
        "task's result, wherever such a part fits.",
    }
    submit, task = schemas["SubmitTask"], schemas["Task"]
    schemas["TaskFields"] = _without(task, {"type", "input", "result"}) | {"description": "What every task has."}
    for name, definition in types.items():
        title = titles[name]
        schemas[f"Submit{title}"] = _submission_of(submit, name, title, dict(definition.example))
        schemas[f"{title}Task"] = _task_of(
            {"const": name}, {"$ref": f"{REF}{title}Input"}, {"$ref": f"{REF}{title}Result"}, definition.title
        )
    other = {"type": "string", "not": {"enum": list(types)}}
    schemas["OtherTask"] = _task_of(other, {}, {}, "A task of a type that cannot be submitted here, or not any more.")
    schemas["SubmitTask"] = {
        "description": submit["description"],
        "oneOf": [{"$ref": f"{REF}Submit{titles[name]}"} for name in types],
        "discriminator": _by_type({name: f"{REF}Submit{titles[name]}" for name in types}),
    }
    schemas["Task"] = {
        "description": task["description"],
        "oneOf": [{"$ref": f"{REF}{titles[name]}Task"} for name in types] + [{"$ref": f"{REF}OtherTask"}],
        "discriminator": _by_type({name: f"{REF}{titles[name]}Task" for name in types}),
    }


def _title(name: str) -> str:
    """Return a type's name as a component's.

    >>> _title("pdf.cross_check")
    'PdfCrossCheck'
    """
    return "".join(part.title() for part in name.replace(".", "_").split("_"))


def _add_model(schemas: dict[str, Any], component: str, model: Any, mode: Any) -> None:
    schema = model.model_json_schema(ref_template=f"{REF}{component}.{{model}}", mode=mode)
    for inner, part in schema.pop("$defs", {}).items():
        schemas[f"{component}.{inner}"] = part
    schemas[component] = schema


def _submission_of(submit: dict[str, Any], name: str, title: str, example: dict[str, Any]) -> dict[str, Any]:
    own = {
        "type": {"const": name},
        "input": {"anyOf": [{"$ref": f"{REF}{title}Input"}, {"$ref": f"{REF}InputWithReferences"}]},
    }
    return submit | {
        "title": f"Submit{title}",
        "required": ["type"],
        "properties": submit["properties"] | own,
        "examples": [{"type": name, "input": example}],
    }


def _task_of(kind: dict[str, Any], given: dict[str, Any], result: dict[str, Any], text: str) -> dict[str, Any]:
    """Describe a task of one type. Purged content is null, and so is the result of what has not succeeded."""
    nothing = {"type": "null"}
    references = {"$ref": f"{REF}InputWithReferences"}
    return {
        "description": text,
        "allOf": [{"$ref": f"{REF}TaskFields"}],
        "type": "object",
        "required": ["type", "input", "result"],
        "properties": {
            "type": kind,
            "input": {"anyOf": [given, references, nothing]} if given else {},
            "result": {"anyOf": [result, nothing]} if result else {},
        },
    }


def _without(schema: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return schema | {
        "title": "TaskFields",
        "properties": {name: part for name, part in schema["properties"].items() if name not in names},
        "required": [name for name in schema["required"] if name not in names],
    }


def _by_type(mapping: dict[str, str]) -> dict[str, Any]:
    return {"propertyName": "type", "mapping": mapping}


# --- Answers ----------------------------------------------------------------------------------------


def _complete_operation(operation: dict[str, Any]) -> None:
    counted = any(COUNTED[0] in answer.get("headers", {}) for answer in operation["responses"].values())
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
    fault = {"pointer": "/priority", "code": "less_than_equal", "detail": "Input should be less than or equal to 10"}
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
