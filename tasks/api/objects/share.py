"""A link to a result as the API shows it: its address only once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from tasks import models
from tasks.api.objects.shape import Shape, Urls, write_time

BASE = "/api/v1/shares"


class Share(Shape):
    """Whoever has the link sees the result of a task, without an account."""

    id: UUID
    task: UUID
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None = Field(description="when it was last opened, to about a minute")
    urls: Urls


class NewShare(Share):
    """A link that was made just now."""

    url: str | None = Field(
        description="its address, a secret: here and never again; null where the key gave an earlier answer"
    )


def share_object(share: models.Share) -> dict[str, Any]:
    """Return a link as JSON, without its address, which nobody knows any more."""
    return {
        "id": str(share.pk),
        "task": str(share.task_id),
        "created_at": write_time(share.created_at),
        "expires_at": write_time(share.expires_at),
        "opened_at": write_time(share.opened_at),
        "urls": {"self": f"{BASE}/{share.pk}"},
    }
