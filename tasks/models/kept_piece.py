"""What attempts of a task keep for the attempts after them, so that these go on where the last one was."""

from __future__ import annotations

from django.db import models


class KeptPiece(models.Model):
    """One piece under a key of the handler's, numbered from 0; `data` is JSON, as bytes: jsonb takes no NUL.

    Read and written by running attempts only, and gone soon after the task has ended: `tasks.lifecycle.keep`.
    """

    task = models.ForeignKey("tasks.Task", models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    key = models.TextField()
    number = models.IntegerField()
    data = models.BinaryField()
    # Of `data`, so that a sum reads none of it.
    size_bytes = models.IntegerField()

    class Meta:
        db_table = "kept_piece"
        constraints = [models.UniqueConstraint(fields=["task", "key", "number"], name="kept_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.number} of {self.task_id}"
