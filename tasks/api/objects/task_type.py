"""A task type as the API shows it: schemas, limits, an example, and whether it is ready here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from django.db import connection
from pydantic import Field

from tasks.api.objects.shape import Shape, Urls
from tasks.registry import TaskType as Definition

BASE = "/api/v1/task-types"

RECENT = """
    SELECT task.type,
           percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
               ORDER BY extract(epoch FROM ended.finished_at - ended.started_at))
      FROM (SELECT * FROM attempt ORDER BY id DESC LIMIT 2000) AS ended
      JOIN task ON task.id = ended.task_id
     WHERE ended.outcome = 'succeeded'
     GROUP BY task.type
"""


class Readiness(Shape):
    """Whether the type can run here, by which engine, or what to set up."""

    state: Literal["embedded", "backend", "unavailable"]
    engine: str | None
    hint: str | None


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
    engine: Readiness
    input_schema: dict[str, Any] = Field(description="JSON Schema of `input`")
    result_schema: dict[str, Any] = Field(description="JSON Schema of `result`")
    file_fields: dict[str, list[str]] = Field(description="input fields that take file ids, and the types they accept")
    limits: TypeLimits
    example: dict[str, Any] = Field(description="an input")
    recent: Seconds = Field(description="run time of recent attempts; null when there were none")
    urls: Urls


def type_object(definition: Definition, recent: Mapping[str, list[float]]) -> dict[str, Any]:
    """Return a task type as JSON; `recent` is that of `recent_seconds`."""
    readiness = definition.readiness()
    p50, p90 = recent.get(definition.name, [None, None])
    return {
        "name": definition.name,
        "title": definition.title,
        "description": definition.description,
        "queue": definition.queue,
        "ready": readiness.ready,
        "engine": {"state": readiness.state, "engine": readiness.engine or None, "hint": readiness.hint or None},
        "input_schema": definition.input.model_json_schema(),
        "result_schema": definition.result.model_json_schema(mode="serialization"),
        "file_fields": definition.file_fields(),
        "limits": {
            "priority": definition.priority,
            "timeout": definition.timeout,
            "max_attempts": definition.max_attempts,
        },
        "example": dict(definition.example),
        "recent": {"p50": p50, "p90": p90},
        "urls": {"self": f"{BASE}/{definition.name}"},
    }


def recent_seconds() -> dict[str, list[float]]:
    """Return median and 90th percentile of the run time by type, from the last 2,000 attempts."""
    with connection.cursor() as cursor:
        cursor.execute(RECENT)
        return {name: [round(value, 3) for value in percentiles] for name, percentiles in cursor.fetchall()}
