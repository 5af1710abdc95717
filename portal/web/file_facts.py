"""What is known of a file beside its row: others like it, tasks that read it, the beginning of its text."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce

from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from tasks import errors
from tasks.files import open_file
from tasks.models import File, Task
from tasks.registry import all_types
from tasks.ui.input_files import name_files

# Who reads a file is looked for among so many of the newest tasks, as all lists of them are.
LOOKED_AT = 2_000
MOST_USES, MOST_TWINS = 50, 50
PREVIEWED_BYTES = 20_000
TEXTS = ("text/", "application/json", "application/xml")


def twins_of(user: User, files: Iterable[File]) -> set[str]:
    """Return which of the files' contents a user has more than once, as SHA-256."""
    # Looked for one by one: however often a content is there, one other is enough.
    other = File.objects.filter(owner=user, sha256=OuterRef("sha256")).exclude(pk=OuterRef("pk"))
    found = File.objects.filter(pk__in=[file.pk for file in files]).filter(Exists(other))
    return set(found.values_list("sha256", flat=True))


def same_as(file: File) -> list[File]:
    """Return its owner's other files with the same content, newest first; of very many, any MOST_TWINS."""
    # Not ordered by the database, which would read them all.
    found = File.objects.filter(owner=file.owner_id, sha256=file.sha256).exclude(pk=file.pk)[:MOST_TWINS]
    return sorted(found, key=lambda twin: twin.pk, reverse=True)


def uses_of(file: File) -> list[Task]:
    """Return its owner's tasks that were given this file, newest first, each with what `subject` asks for."""
    names = {name for definition in all_types().values() for name in definition.file_fields()}
    given = [Q(**{f"content__input__{name}": str(file.pk)}) for name in sorted(names)]
    given += [Q(**{f"content__input__{name}__contains": [str(file.pk)]}) for name in sorted(names)]
    newest = Task.objects.filter(owner=file.owner_id).order_by("-pk").values("pk")[:LOOKED_AT]
    found = Task.objects.filter(reduce(operator.or_, given), pk__in=list(newest.values_list("pk", flat=True)))
    return name_files(found.with_content().order_by("-pk")[:MOST_USES])


def text_of(file: File) -> str | None:
    """Return the beginning of a text; None where the file is none, or cannot be read."""
    if not file.content_type.startswith(TEXTS):
        return None
    try:
        with open_file(file) as data:
            head = data.read(PREVIEWED_BYTES)
    except (errors.UnreadableFile, errors.StorageUnavailable):
        return None
    return head.decode("utf-8", "replace") + (" …" if file.size > PREVIEWED_BYTES else "")
