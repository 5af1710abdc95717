"""The root of the tree."""

from __future__ import annotations

import inspect
from typing import Any


class TaskError(Exception):
    """Something went wrong with this task."""

    code = "task_error"
    retryable = False

    def __init__(self, message: str = "", **details: Any) -> None:
        self.message = message or inspect.cleandoc(type(self).__doc__ or "").splitlines()[0]
        self.details = details
        super().__init__(self.message)
