"""What clients of system A send and are answered, as pydantic models."""

from __future__ import annotations

from typing import Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from tasks.api.compat.submitting import TheirBody
from tasks.api.objects.shape import Shape
from tasks.one_of import at_least_one_of


class TheirPicture(TheirBody):
    image_url: str | None = Field(default=None, description="its address, or the name of a file that you uploaded")
    image_base64: str | None = Field(default=None, description="its bytes instead, also as a data: URL")


class AnalyzeImage(TheirPicture):
    model_config = ConfigDict(json_schema_extra=at_least_one_of("image_url", "image_base64"))

    query: str = Field(default="", description="what to find out about the picture")

    @model_validator(mode="after")
    def _has_a_picture(self) -> Self:
        if not self.image_url and not self.image_base64:
            raise ValueError("give image_url or image_base64")
        return self


class CompleteAnswer(TheirBody):
    query: str
    context: str = Field(description="where the answer is looked for")


class AskQuery(TheirPicture):
    """With a picture it is answered from that, else from one's own files."""

    query: str


class StandA(Shape):
    task_id: UUID
    status: Literal["queued", "started", "finished", "failed"]


class AcceptedA(StandA):
    """System A's answer to a submission."""

    message: str
    estimated_time: int = Field(description="seconds of work, as estimated before any was done")


class TaskA(StandA):
    """A task as system A shows it."""

    progress: int = Field(description="0 to 100")
    stage: str | None
    result: Any = Field(description="as the task type's result schema says; null until it finished")
    error: str | None
    elapsed_time: float | None = Field(description="seconds from its start to its end")


class QueueCounts(Shape):
    queued: int
    started: int
    finished: int = Field(description="in the last hour")
    failed: int = Field(description="in the last hour")


class QueueStats(Shape):
    """Counts of the caller's tasks by the queues of system A."""

    image_analysis: QueueCounts
    answer_generation: QueueCounts
    full_query: QueueCounts


class HealthA(Shape):
    status: Literal["ok", "degraded"] = Field(description="degraded: there are no workers")
    timestamp: float = Field(description="seconds since 1970")
    redis_connected: bool = Field(description="true: what keeps the queues, here Postgres, has answered")
    workers: int
