"""Waiting for the disk: a submission is committed asynchronously, and promised once that commit is durable.

So nobody waits for the disk while it holds a user's counters or a lane (docs/decisions/0058).
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from tasks import sql
from tasks.models import Task

logger = logging.getLogger(__name__)


def harden(task: UUID | None = None) -> None:
    """Wait until all that was committed before is durable.

    Args:
        task: one that was stored by a commit that may not be: where the wait breaks off, it is looked for, and there,
            all is as promised.

    Raises:
        DatabaseError, InterfaceError: nobody knows whether it is.
    """
    if connection.in_atomic_block:
        # Django refuses this, unless the other one is a test's.
        with transaction.atomic(durable=True):
            return
    try:
        sql.execute("lifecycle/harden", {})
    except (DatabaseError, InterfaceError) as error:
        if task is None:
            raise
        logger.warning("Waiting for the disk broke off, and begins anew: %s", error)
        connection.close_if_unusable_or_obsolete()
        sql.execute("lifecycle/harden", {})
        # The server may have been started anew in between, without what had not reached the disk.
        if not Task.objects.filter(pk=task).exists():
            raise
