"""Task types in the OpenAPI document: `SubmitTask` and `Task` are choices by `type`, each with its input and result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks import errors, registry

REF = "#/components/schemas/"
# Every result names its engine, and an inner model of each type would be a class of its own in generated clients.
SHARED = registry.EngineInfo.__name__
REFERENCE = "ResultReference"
BESIDE = ("title", "description", "default", "x-file")

Schema = dict[str, Any]


def add_task_types(schemas: dict[str, Schema]) -> None:
    """Make `Task` and `SubmitTask` choices by `type`, with the types' own input and result."""
    types = registry.all_types()
    titles = {name: _title(name) for name in types}
    schemas[REFERENCE] = _reference()
    for name, definition in types.items():
        _add_model(schemas, f"{titles[name]}Input", definition.input, "validation")
        _add_model(schemas, f"{titles[name]}Result", definition.result, "serialization")
    submit, task = schemas["SubmitTask"], schemas["Task"]
    schemas["TaskFields"] = _without(task, {"type", "input", "result"}) | {"description": "What every task has."}
    for name, definition in types.items():
        title = titles[name]
        schemas[f"Submit{title}"] = _submission_of(submit, name, title, dict(definition.example))
        schemas[f"{title}Task"] = _task_of(
            {"const": name}, {"$ref": f"{REF}{title}Input"}, {"$ref": f"{REF}{title}Result"}, definition.title
        )
    other = {"type": "string", "not": {"enum": list(types)}}
    anything = {"type": "object", "additionalProperties": True}
    text = "A task of a type that cannot be submitted here, or not any more."
    schemas["OtherTask"] = _task_of(other, anything, anything, text)
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


def _reference() -> Schema:
    return {
        "description": "A part of another task's result, wherever such a part fits into an input. "
        "The task is then one of the `needs`.",
        "type": "object",
        "required": ["$from"],
        "properties": {
            "$from": {"type": "string", "format": "uuid", "description": "id of the other task"},
            "path": {"type": "string", "description": "such as `pages.0.text`; without it the whole result"},
        },
        "additionalProperties": False,
    }


def _add_model(schemas: dict[str, Schema], component: str, model: Any, mode: Any) -> None:
    """Add a model, and the models in it by names of their own: a name that two types use would be one class too few."""
    schema = model.model_json_schema(ref_template=f"{REF}{component}{{model}}", mode=mode)
    parts = {f"{component}{inner}": part for inner, part in schema.pop("$defs", {}).items()}
    shared, prefixed = f"{REF}{SHARED}", f"{REF}{component}{SHARED}"
    for name, part in (parts | {component: schema}).items():
        renamed = _renamed(part, {prefixed: shared})
        if mode == "validation":
            renamed = _open_to_references(renamed)
        schemas[SHARED if name == f"{component}{SHARED}" else name] = renamed


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    """Return a schema whose references lead to the new names."""
    if isinstance(schema, dict):
        return {
            key: names.get(value, value) if key == "$ref" else _renamed(value, names) for key, value in schema.items()
        }
    return [_renamed(member, names) for member in schema] if isinstance(schema, list) else schema


def _open_to_references(schema: Schema) -> Schema:
    """Return the schema of an input, in which a reference may stand for each field and each member of a list."""
    opened = dict(schema)
    for keyword in ("properties", "patternProperties"):
        if keyword in schema:
            opened[keyword] = {name: _or_reference(part) for name, part in schema[keyword].items()}
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            opened[keyword] = _or_reference(schema[keyword])
    if "anyOf" in schema:
        opened["anyOf"] = [_open_to_references(option) for option in schema["anyOf"]]
    return opened


def _or_reference(schema: Schema) -> Schema:
    opened = _open_to_references(schema)
    options = opened.pop("anyOf", None)
    # What is said beside a choice holds for all of it, and what is said of a single kind goes with it.
    beside = opened if options else {key: opened.pop(key) for key in BESIDE if key in opened}
    return beside | {"anyOf": [*(options or [opened]), {"$ref": f"{REF}{REFERENCE}"}]}


def _submission_of(submit: Schema, name: str, title: str, example: Schema) -> Schema:
    own = {"type": {"const": name}, "input": _or_reference({"$ref": f"{REF}{title}Input"})}
    needed = ["type"] if _takes_nothing(registry.all_types()[name]) else ["type", "input"]
    return submit | {
        "required": needed,
        "properties": submit["properties"] | own,
        "examples": [{"type": name, "input": example}],
    }


def _takes_nothing(definition: registry.TaskType) -> bool:
    """Say whether an input may be left out."""
    try:
        definition.validate({})
    except errors.InvalidInput:
        return False
    return True


def _task_of(kind: Schema, given: Schema, result: Schema, text: str) -> Schema:
    """Describe a task of one type. Purged content is null, and so is the result of what has not succeeded."""
    nothing = {"type": "null"}
    # Two parts: generators take a choice of one for that one.
    own = {
        "type": "object",
        "required": ["type", "input", "result"],
        "properties": {
            "type": kind,
            "input": {"anyOf": [given, {"$ref": f"{REF}{REFERENCE}"}, nothing]},
            "result": {"anyOf": [result, nothing]},
        },
    }
    return {"description": text, "allOf": [{"$ref": f"{REF}TaskFields"}, own]}


def _without(schema: Schema, names: set[str]) -> Schema:
    return schema | {
        "properties": {name: part for name, part in schema["properties"].items() if name not in names},
        "required": [name for name in schema["required"] if name not in names],
    }


def _by_type(mapping: dict[str, str]) -> dict[str, Any]:
    return {"propertyName": "type", "mapping": mapping}
