"""`manage.py purge`: deletes what ended tasks were given and made, before its time is over."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from tasks.lifecycle.purge import purge_task
from tasks.management.found import user_of
from tasks.models import Dependency, Task
from tasks.models.task import TaskQuerySet
from tasks.statuses import TERMINAL

PAGE = 200
MOST_DAYS = 36_500


class Command(BaseCommand):
    help = (
        "Delete input, result, events and result files of ended tasks, but for what an unfinished task needs; each "
        "stays as a tombstone (docs/operating.md). Without --yes nothing is deleted, and it says how many there are."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, required=True, help="of tasks that ended longer ago than so many days")
        parser.add_argument("--user", help="only of this user, by e-mail address")
        parser.add_argument("--yes", action="store_true", help="do it")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days is between 0 and {MOST_DAYS:,}.")
        found = _found(options["days"], options["user"])
        count = _purge(found) if options["yes"] else found.count()
        if options["json"]:
            self.stdout.write(json.dumps({"tasks": count, "purged": options["yes"]}))
        elif options["yes"]:
            self.stdout.write(f"{count:,} tasks were purged.")
        else:
            self.stdout.write(f"{count:,} tasks would be purged. Say --yes to do it.")


def _found(days: int, email: str | None) -> TaskQuerySet:
    long_ago = Now() - timedelta(days=days)
    # As the upkeep: what an unfinished task needs is kept until that has ended.
    needed = Dependency.objects.filter(needs=OuterRef("pk")).exclude(task__status__in=TERMINAL)
    found = Task.objects.ended().filter(~Exists(needed), finished_at__lt=long_ago, content__isnull=False)
    return found if email is None else found.filter(owner=user_of(email))


def _purge(found: TaskQuerySet) -> int:
    """Purge task by task, as operators do: each has its entry in the audit log. Cut off, it goes on when repeated."""
    count = 0
    while ids := list(found.order_by("pk").values_list("pk", flat=True)[:PAGE]):
        for task in ids:
            purge_task(task, by=None)
        count += len(ids)
    return count
