"""The fields of a task type's input or result as a table, from the schema of its model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def fields(schema: dict[str, Any]) -> str:
    """Return a table of a model's fields, those of inner models beneath their own."""
    lines = ["| field | type | meaning |", "|---|---|---|"]
    for path, kind, meaning in _rows(schema, schema.get("$defs", {}), set(schema.get("required", ())), ""):
        lines.append(f"| `{path}` | {kind} | {meaning} |".replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


def _rows(
    schema: dict[str, Any], shared: dict[str, Any], required: set[str], prefix: str
) -> Iterator[tuple[str, str, str]]:
    for name, member in schema.get("properties", {}).items():
        kind, inner = _kind(member, shared)
        if name == "engine" and not prefix:
            yield "engine", "object", "what did the work: `name`, `version`, `kind`, `sha256` of weights, `note`"
            continue
        meaning = str(member.get("description", "")).replace("|", "\\|")
        if "default" in member and member["default"] not in (None, [], {}, ""):
            meaning = f"{meaning} (default `{json.dumps(member['default'])}`)".strip()
        if name in required and not prefix:
            kind = f"{kind}, required" if _is_input(schema) else kind
        yield prefix + name, kind, meaning
        if inner is not None:
            yield from _rows(inner, shared, set(), f"{prefix}{name}.")


def _is_input(schema: dict[str, Any]) -> bool:
    return schema.get("additionalProperties") is False


def _kind(member: dict[str, Any], shared: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    if "$ref" in member:
        return "object", shared[member["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in member:
        told = [_kind(one, shared) for one in member["anyOf"]]
        return " or ".join(kind for kind, _ in told), next((inner for _, inner in told if inner), None)
    if "enum" in member or "const" in member:
        return " · ".join(f"`{one}`" for one in member.get("enum", [member.get("const")])), None
    if member.get("type") == "array":
        kind, inner = _kind(member.get("items", {}), shared)
        return f"list of {kind}", inner
    if member.get("format") == "uuid":
        return "id", None
    return {"string": "text", "null": "null"}.get(str(member.get("type")), str(member.get("type", "any"))), None
