"""Writes the audit log: what people did, never content."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from accounts.models import User
from tasks.models import AuditEntry


def record(actor: User | None, action: str, target_kind: str, target_id: object, **details: Any) -> None:
    """Note an action. Joins the open transaction, so it is there if and only if the action is.

    Args:
        actor: None for somebody at the command line; the entry says as which user of which host, all that is known.
    """
    if actor is None:
        details |= {"command_by": f"{_system_user()} on {socket.gethostname()}"}
    AuditEntry.objects.create(
        actor=actor, action=action, target_kind=target_kind, target_id=str(target_id), details=details
    )


def record_command(action: str, target_kind: str, target_id: object, **details: Any) -> None:
    """Note what somebody did at the command line."""
    record(None, action, target_kind, target_id, **details)


def record_tasks(actor: User | None, action: str, tasks: Iterable[UUID], **details: Any) -> None:
    """Note the same action on several tasks, an entry each. Joins the open transaction, as `record` does."""
    AuditEntry.objects.bulk_create(
        AuditEntry(actor=actor, action=action, target_kind="task", target_id=str(task), details=details)
        for task in tasks
    )


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user without a name.
        return f"user {os.getuid()}"
