"""A task type as the API shows it: schemas, limits, an example, and whether it is ready here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tasks.api.languages import schema_in_language
from tasks.api.objects.shape import Shape, Urls
from tasks.figures.outlook import Outlook
from tasks.registry import TaskType as Definition
from tasks.ui.sentences import in_language

BASE = "/api/v1/task-types"


class Readiness(Shape):
    """Whether the type can run here, by which engine, or what to set up."""

    state: Literal["embedded", "backend", "unavailable"]
    engine: str | None
    hint: str | None
    languages: list[str] = Field(
        description="codes of those that the engines here read or hear; empty where it does not matter or is not known"
    )


class TypeLimits(Shape):
    """The type's own defaults; a plan may allow less."""

    priority: int
    timeout: int = Field(description="seconds one attempt may take")
    max_attempts: int


class Seconds(Shape):
    p50: float | None
    p90: float | None


class TaskType(Shape):
    """One kind of task."""

    name: str
    title: str
    description: str
    queue: str
    ready: bool
    paused: bool = Field(description="whether operators let nothing of it start; what is submitted waits")
    engine: Readiness
    input_schema: dict[str, Any] = Field(description="JSON Schema of `input`")
    result_schema: dict[str, Any] = Field(description="JSON Schema of `result`")
    file_fields: dict[str, list[str]] = Field(description="input fields that take file ids, and the types they accept")
    limits: TypeLimits
    example: dict[str, Any] = Field(description="an input")
    recent: Seconds = Field(
        description="run time of the last day, with that of tasks which these started; null when nothing ran"
    )
    recommended_batch: int = Field(
        description="as many tasks as your slots get through in about a minute; fewer while the queue is crowded"
    )
    urls: Urls


def type_object(definition: Definition, outlook: Outlook) -> dict[str, Any]:
    """Return a task type as JSON, its words for people in the language that is spoken; a result's are for programs."""
    readiness = definition.readiness()
    p50, p90 = outlook.seconds or (None, None)
    return {
        "name": definition.name,
        "title": in_language(definition.title),
        "description": in_language(definition.description),
        "queue": definition.queue,
        "ready": readiness.ready,
        "paused": outlook.is_paused,
        "engine": {
            "state": readiness.state,
            "engine": readiness.engine or None,
            "hint": in_language(readiness.hint) or None,
            "languages": list(readiness.languages),
        },
        "input_schema": schema_in_language(definition.input.model_json_schema()),
        "result_schema": definition.result.model_json_schema(mode="serialization"),
        "file_fields": definition.file_fields(),
        "limits": {
            "priority": definition.priority,
            "timeout": definition.timeout,
            "max_attempts": definition.max_attempts,
        },
        "example": dict(definition.example),
        "recent": {"p50": p50, "p90": p90},
        "recommended_batch": outlook.recommended_batch,
        "urls": {"self": f"{BASE}/{definition.name}"},
    }
