"""`manage.py queue`: lists queues, pauses and opens them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.errors import NotFound
from tasks.figures.depths import UNFINISHED, queue_depths
from tasks.lifecycle.pause import pause_queue, resume_queue
from tasks.management.rows import shown
from tasks.models import Queue
from tasks.names import MOST_OF_A_REASON


class Command(BaseCommand):
    help = "List queues with what is in them, pause them and open them again (docs/operating.md)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="List all queues.")
        listing.add_argument("--json", action="store_true", help="for programs")
        pause = verbs.add_parser("pause", help="Start nothing more of a queue; what runs goes on.")
        pause.add_argument("name")
        pause.add_argument("--reason", default="", help="for other operators")
        verbs.add_parser("resume", help="Open a queue again.").add_argument("name")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            self.stdout.write(getattr(self, f"_{verb}")(options))
        except NotFound as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> str:
        depths = queue_depths(UNFINISHED)
        rows = [
            {
                "queue": queue.pk,
                "cluster": queue.cluster_id,
                "paused": queue.paused_at is not None,
                "reason": queue.paused_reason,
                **{status.value: depths[queue.pk].counted(status) for status in UNFINISHED},
            }
            for queue in Queue.objects.order_by("pk")
        ]
        return shown(rows, as_json=options["json"], empty="There are no queues.")

    def _pause(self, options: dict[str, Any]) -> str:
        reason = options["reason"].strip()
        if len(reason) > MOST_OF_A_REASON:
            raise CommandError(f"A reason has at most {MOST_OF_A_REASON} characters.")
        pause_queue(options["name"], by=None, reason=reason)
        return f"The queue {options['name']} is paused."

    def _resume(self, options: dict[str, Any]) -> str:
        resume_queue(options["name"], by=None)
        return f"The queue {options['name']} is open."
