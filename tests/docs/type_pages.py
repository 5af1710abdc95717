"""Fills the pages of docs/types: tables of fields from the models, outputs from running the example.

`python -m tests.docs.type_pages` (in the environment of the tests) writes them anew; a test compares.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docs.pages import PROJECT

FOLDER = PROJECT / "docs" / "types"
ID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
LONGEST_TEXT, MOST_MEMBERS = 180, 3
# These need a model server or a web server, so their outputs are of one real run, and only their shape is compared.
NOT_RUN = {"text.generate", "image.generate", "http.request"}


def documented() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def page_of(name: str) -> Path:
    return FOLDER / f"{name}.md"


def section(text: str, name: str) -> str:
    """Return what stands between a marker and its end."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found, f"there is no section {name}"
    return found[1]


def block(text: str, name: str) -> Any:
    """Return the JSON of a section."""
    found = re.search(r"```json\n(.*?)```", section(text, name), re.DOTALL)
    assert found, f"the section {name} has no JSON"
    return json.loads(found[1])


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


def shown(value: Any) -> Any:
    """Return a result as a page shows it: ids as dots, long texts and lists cut."""
    if isinstance(value, dict):
        return {key: shown(member) for key, member in value.items()}
    if isinstance(value, list):
        more = [f"… {len(value) - MOST_MEMBERS} more"] if len(value) > MOST_MEMBERS else []
        return [shown(member) for member in value[:MOST_MEMBERS]] + more
    if isinstance(value, str):
        if ID.match(value):
            return "…"
        return value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]} …"
    return round(value, 3) if isinstance(value, float) else value


def run_example(name: str, example: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a page's input, in which ``{"$sample": name}`` stands for a file of tests/samples."""
    from tests.handlers.context import run
    from tests.handlers.test_pdf_batch import ChildrenStarted, ContextWithChildren

    ctx = ContextWithChildren(folder)

    def filled(value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"$sample"}:
            return str(ctx.add_sample(value["$sample"]))
        if isinstance(value, dict):
            return {key: filled(member) for key, member in value.items()}
        return [filled(member) for member in value] if isinstance(value, list) else value

    data = filled(example)
    try:
        return run(name, ctx, **data)
    except ChildrenStarted:
        return run(name, ctx, **data)


def write_page(name: str) -> None:
    """Write a page's sections anew."""
    from tasks.registry import get_type

    text = page_of(name).read_text()
    definition = get_type(name)
    parts = {
        "input fields": fields(definition.input.model_json_schema()),
        "result fields": fields(definition.result.model_json_schema(mode="serialization")),
    }
    if name not in NOT_RUN:
        with tempfile.TemporaryDirectory() as folder:
            result = run_example(name, block(text, "input"), Path(folder))
        parts["output"] = f"```json\n{json.dumps(shown(result), indent=2, ensure_ascii=False)}\n```\n"
    for part, content in parts.items():
        before, _, rest = text.partition(f"<!-- {part} -->\n")
        _, end, after = rest.partition(f"<!-- /{part} -->")
        text = f"{before}<!-- {part} -->\n{content}{end}{after}"
    page_of(name).write_text(text)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    for name in sys.argv[1:] or documented():
        write_page(name)
