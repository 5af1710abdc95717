"""Reads the JSON schema of a task type's input, as pydantic writes it, into what a form needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.registry import TaskType
from tasks.ui.sentences import in_language

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Property:
    """One input field. `schema` has its references resolved and is without the null of an optional field."""

    name: str
    schema: Schema
    required: bool

    @property
    def title(self) -> str:
        return in_language(str(self.schema.get("title") or self.name.replace("_", " ").capitalize()))

    @property
    def description(self) -> str:
        return in_language(str(self.schema.get("description", "")))

    @property
    def kind(self) -> str:
        """One of file, files, choice, choices, boolean, integer, number, text, list, json."""
        schema = self.schema
        listed = schema.get("type") == "array"
        if "x-file" in schema and schema.get("type") != "object":
            return "files" if listed else "file"
        if "enum" in schema:
            return "choice"
        if listed:
            items = schema.get("items", {})
            if "enum" in items:
                return "choices"
            return "list" if items.get("type") in ("string", "integer", "number") else "json"
        names = {"boolean": "boolean", "integer": "integer", "number": "number", "string": "text"}
        return names.get(str(schema.get("type")), "json")

    @property
    def accept(self) -> list[str]:
        """The content types that a file field takes."""
        return list(self.schema.get("x-file", {}).get("accept", []))


def properties_of(definition: TaskType) -> list[Property]:
    """Return the input fields of a task type in the order they were declared."""
    schema = definition.input.model_json_schema()
    shared = schema.get("$defs", {})
    required = set(schema.get("required", ()))
    return [
        Property(name, _resolve(member, shared), name in required)
        for name, member in schema.get("properties", {}).items()
    ]


def _resolve(schema: Schema, shared: Schema) -> Schema:
    """Follow references, drop the null of ``X | None``, and lift a const or an only member of anyOf."""
    merged = dict(schema)
    if reference := merged.pop("$ref", None):
        merged = dict(_resolve(shared[reference.rsplit("/", 1)[-1]], shared)) | merged
    choices = [member for member in merged.pop("anyOf", []) if member.get("type") != "null"]
    if len(choices) == 1:
        merged = dict(_resolve(choices[0], shared)) | merged
    elif choices and {choice.get("type") for choice in choices} == {"string"}:
        merged["type"] = "string"
    if "const" in merged:
        merged["enum"] = [merged["const"]]
    if "items" in merged:
        merged["items"] = _resolve(merged["items"], shared)
    return merged
