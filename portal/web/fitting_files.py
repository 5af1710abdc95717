"""Which files a task type takes, and in which of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch

from portal.web.forms.schema import properties_of
from tasks.models import File
from tasks.registry import TaskType


def field_for_files(definition: TaskType, files: Sequence[File]) -> tuple[str, list[File]]:
    """Return the input field that takes most of these files, the first of several, and those that it takes."""
    best, most = "", list[File]()
    for name, accept in definition.file_fields().items():
        fitting = [
            file for file in files if not accept or any(fnmatch(file.content_type, pattern) for pattern in accept)
        ]
        if len(fitting) > len(most):
            best, most = name, fitting
    return best, most


def is_for_many(definition: TaskType, field: str) -> bool:
    """Return whether one task takes several files in this field."""
    return any(member.name == field and member.kind == "files" for member in properties_of(definition))
