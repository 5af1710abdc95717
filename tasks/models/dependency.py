"""Dependencies: which tasks wait for which others."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from tasks.models.task import Task


class Dependency(models.Model):
    """`task` waits for `needs`: until it succeeded, or, with `any_end`, until it ended in whatever way.

    `key` is set where the task started the other one itself (`Context.start_children`): its own name for it.
    """

    task = models.ForeignKey(Task, models.CASCADE, related_name="dependencies", db_index=False)
    needs = models.ForeignKey(Task, models.CASCADE, related_name="dependents")
    any_end = models.BooleanField(db_default=False)
    key = models.TextField(null=True)

    class Meta:
        db_table = "dependency"
        verbose_name_plural = gettext_lazy("dependencies")
        constraints = [
            models.UniqueConstraint(fields=["task", "needs"], name="dependency_once"),
            models.CheckConstraint(name="dependency_on_another_task", condition=~Q(task=models.F("needs"))),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} needs {self.needs_id}"
