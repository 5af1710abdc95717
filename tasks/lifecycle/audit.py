"""Writes the audit log: what people did, never content."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from tasks.models import AuditEntry


def record(actor: User | None, action: str, target_kind: str, target_id: object, **details: Any) -> None:
    """Note an action. Joins the open transaction, so it is there if and only if the action is."""
    AuditEntry.objects.create(
        actor=actor, action=action, target_kind=target_kind, target_id=str(target_id), details=details
    )
