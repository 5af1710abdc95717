"""A file as the API shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import Field

from tasks import models
from tasks.api.objects.shape import Shape, write_time

BASE = "/api/v1/files"


class FileUrls(Shape):
    """Addresses, as absolute paths."""

    self: str
    content: str
    link: str = Field(description="POST: make an address of the content that anybody may fetch for a short time")


class FileInfo(Shape):
    """An uploaded file, or one that a task made."""

    id: UUID
    name: str
    size: int = Field(description="bytes")
    content_type: str = Field(description="what the content is, whatever the sender said")
    sha256: str
    task: UUID | None = Field(description="the task that made it; null for an upload")
    tags: list[str] = Field(description="your own")
    created_at: datetime
    urls: FileUrls


def file_object(file: models.File) -> dict[str, Any]:
    """Return a file as JSON."""
    own = f"{BASE}/{file.id}"
    return {
        "id": str(file.id),
        "name": file.name,
        "size": file.size,
        "content_type": file.content_type,
        "sha256": file.sha256,
        "task": str(file.task_id) if file.task_id else None,
        "tags": file.tags,
        "created_at": write_time(file.created_at),
        "urls": {"self": own, "content": f"{own}/content", "link": f"{own}/link"},
    }


class FileLink(Shape):
    """An address that anybody may fetch for a short time."""

    url: str
    expires_at: datetime


def link_object(url: str, seconds: int) -> dict[str, Any]:
    """Return a signed address, made just now, as JSON."""
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    return {"url": url, "expires_at": write_time(expires)}
