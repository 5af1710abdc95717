"""Asking for the stack of a worker: a row, and a notification to its node (`tasks.cluster.stacks` answers)."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import User
from tasks import audit, errors
from tasks.live import channels
from tasks.models import Node, WorkerStack
from tasks.models.node import NodeStatus

# A question that is not answered by then is not answered any more: its node did not hear it.
PATIENCE = timedelta(seconds=10)


def ask_for_stack(node_id: UUID, pid: int, *, by: User) -> WorkerStack:
    """Ask a node for the stack of one of its workers, and note who asked. One question of a node at a time.

    Raises:
        NotFound: no such running node.
        WrongStatus: it is still answering another one.
    """
    with transaction.atomic():
        node = Node.objects.select_for_update(no_key=True).filter(pk=node_id).first()
        if node is None or node.status not in (NodeStatus.ALIVE, NodeStatus.DRAINING):
            raise errors.NotFound("There is no such running node.")
        if WorkerStack.objects.filter(node=node, answered_at=None, asked_at__gt=Now() - PATIENCE).exists():
            raise errors.WrongStatus("The node is still answering another question; ask again in a few seconds.")
        row = WorkerStack.objects.create(node=node, pid=pid, asked_by=by)
        audit.record(by, "ask_for_stack", "node", node_id, name=node.name, pid=pid)
        with connection.cursor() as cursor:
            question = {"node": str(node_id), "id": str(row.pk)}
            cursor.execute("SELECT pg_notify(%s, %s)", [channels.STACK, json.dumps(question)])
    return row
