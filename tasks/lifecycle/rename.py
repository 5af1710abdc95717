"""Renaming: a task is called what its owner says, whatever its status."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.models import User
from tasks import errors, sql
from tasks.lifecycle.after_commit import read_again
from tasks.models import Task, TaskContent
from tasks.names import LINE_RULE, is_line
from tasks.owned import get_owned
from tasks.search.index import read_words


def rename_task(task_id: UUID, name: str, *, owner: User) -> Task:
    """Call a task by this name, or by none, and return it. Repeating it changes nothing.

    Raises:
        NotFound: no such task of theirs.
        InvalidInput: the name is more than a line, or none that can be stored.
        ContentPurged: its content is gone, to which its name belongs.
    """
    if name and not is_line(name):
        raise errors.InvalidBody.at("/name", "not_a_line", f"A name {LINE_RULE}.")
    with transaction.atomic(durable=True):
        task = get_owned(Task, task_id, owner=owner, lock=True)
        if not TaskContent.objects.filter(pk=task_id).exists():
            raise errors.ContentPurged("The content of this task was purged, and its name with it.")
        if sql.count("lifecycle/rename", {"task": task_id, "name": name}):
            read_words([task_id])
            sql.execute("lifecycle/tell", {"tasks": [task_id]})
    return read_again(task)
