"""The pages of docs/types: a type's fields from its models, an example, and what running it gave.

What stands between markers (``<!-- output -->`` … ``<!-- /output -->``) is written here, the rest by people.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from tasks.management.type_docs.fields import fields
from tasks.management.type_docs.marked import put, section
from tasks.registry import TaskType, every_type
from tasks.testing import FolderContext, run_sample

FOLDER = Path(settings.BASE_DIR) / "docs" / "types"
ID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
LONGEST_TEXT, MOST_MEMBERS = 180, 3
# These need a model server or a web server, so their outputs are of one real run, and only their shape is compared.
NOT_RUN = {"text.generate", "image.generate", "http.request"}

NEW_PAGE = """# {name}: {title}

{description}

## Example

Input. `{{"$sample": "…"}}` stands for the id of an uploaded file of that name in `tests/samples/`.

<!-- input -->
{example}<!-- /input -->

Output (long texts and lists are cut here, ids are dots):

<!-- output -->
<!-- /output -->

## Input

<!-- input fields -->
<!-- /input fields -->

## Result

<!-- result fields -->
<!-- /result fields -->
"""


def own_types() -> list[TaskType]:
    """Return the types of this tree that people may submit; those of other apps are documented by them."""
    return [one for one in every_type() if not one.internal and one.handler.__module__.startswith("tasks.")]


def documented_types() -> list[TaskType]:
    """Return the types that have a page."""
    return [one for one in own_types() if not one.diagnostic]


def page_of(name: str) -> Path:
    return FOLDER / f"{name}.md"


def block(text: str, name: str) -> Any:
    """Return the JSON of a section."""
    found = re.search(r"```json\n(.*?)```", section(text, name), re.DOTALL)
    return json.loads(found[1]) if found else None


def written(definition: TaskType, *, run: bool = False) -> str:
    """Return a type's page as it should be.

    Args:
        run: run the example, although the page has an output; one that has none gets it anyway where that can be.
    """
    page = page_of(definition.name)
    text = page.read_text() if page.exists() else _new(definition)
    text = put(text, "input fields", fields(definition.input.model_json_schema()))
    text = put(text, "result fields", fields(definition.result.model_json_schema(mode="serialization")))
    if definition.name not in NOT_RUN and (run or block(text, "output") is None):
        text = put(text, "output", _json(run_example(definition.name, block(text, "input"))))
    return text


def run_example(name: str, example: dict[str, Any]) -> Any:
    """Run a page's input, and return the result as a page shows it."""
    with tempfile.TemporaryDirectory() as folder:
        return shown(run_sample(name, FolderContext(Path(folder)), example))


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


def _new(definition: TaskType) -> str:
    example = _json(dict(next(iter(definition.samples), definition.example)))
    title = definition.title[:1].lower() + definition.title[1:]
    return NEW_PAGE.format(name=definition.name, title=title, description=definition.description, example=example)


def _json(value: Any) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```\n"
