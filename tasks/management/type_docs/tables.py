"""Lists of task types in README.md, docs/README.md and docs/task-types.md."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from tasks.management.type_docs.marked import put
from tasks.management.type_docs.pages import documented_types, own_types, page_of
from tasks.registry import TaskType, every_type

DOCS = Path(settings.BASE_DIR) / "docs"
README = DOCS.parent / "README.md"
INDEX = DOCS / "README.md"
HOW_TO = DOCS / "task-types.md"
EXAMPLE = DOCS / "examples" / "csvprofile" / "csvprofile" / "task_types.py"


def documents() -> dict[Path, str]:
    """Return each document that lists task types, as it should be."""
    icons = sorted(path.stem for path in (Path(__file__).parents[2] / "ui" / "icons").glob("*.svg"))
    named = put(HOW_TO.read_text(), "queues", _queues())
    return {
        README: put(README.read_text(), "task types", _types()),
        INDEX: put(INDEX.read_text(), "pages of types", _pages()),
        HOW_TO: put(put(named, "declaration", _declaration()), "icons", ", ".join(f"`{icon}`" for icon in icons)),
    }


def _declaration() -> str:
    """Return how the example app declares its type, without the handler's body."""
    _, begin, rest = EXAMPLE.read_text().partition("@task_type(")
    declared, end, _ = rest.partition("-> ProfileResult:")
    return f"```python\n{begin}{declared}{end} ...\n```\n"


def _types() -> str:
    lines = ["| task type | does | with |", "|---|---|---|"]
    for one in sorted(own_types(), key=lambda one: (one.diagnostic, one.name)):
        lines.append(f"| {_name(one)} | {one.description} | {one.works_with or '–'} |")
    return "\n".join(lines) + "\n"


def _name(definition: TaskType) -> str:
    page = page_of(definition.name)
    return f"`{definition.name}`" if definition.diagnostic else f"[`{definition.name}`](docs/types/{page.name})"


def _pages() -> str:
    return ", ".join(f"[{one.name}](types/{one.name}.md)" for one in documented_types())


def _queues() -> str:
    """Queues by the types that wait in them, internal ones included."""
    waiting: dict[str, list[str]] = {}
    for one in every_type():
        if one.handler.__module__.startswith("tasks."):
            waiting.setdefault(one.queue, []).append(f"`{one.name}`")
    lines = [f"| `{queue}` | {', '.join(names)} |" for queue, names in sorted(waiting.items())]
    return "\n".join(["| queue | task types |", "|---|---|", *lines]) + "\n"
