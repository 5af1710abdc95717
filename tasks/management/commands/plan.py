"""`manage.py plan`: lists plans and changes their limits."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import Plan
from tasks import audit
from tasks.lifecycle.apply_limits import apply_plan
from tasks.management.found import plan_of
from tasks.management.rows import shown

LIMITS = [field.name for field in Plan._meta.concrete_fields if field.name not in {"id", "name", "is_default"}]
UNLIMITED = "none"


class Command(BaseCommand):
    help = "List plans, and change their limits (docs/operating.md). `user plan` gives one to a user."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="List all plans.")
        listing.add_argument("--json", action="store_true", help="for programs")
        change = verbs.add_parser("set", help="Change limits of a plan; they count at once, for all its users.")
        change.add_argument("name")
        change.add_argument("limits", nargs="+", metavar="LIMIT=VALUE", help=f"{', '.join(LIMITS)}; or {UNLIMITED}")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        self.stdout.write(getattr(self, f"_{verb}")(options))

    def _list(self, options: dict[str, Any]) -> str:
        rows = Plan.objects.order_by("slots", "name").values("name", "is_default", *LIMITS)
        return shown(list(rows), as_json=options["json"], empty="There are no plans.")

    def _set(self, options: dict[str, Any]) -> str:
        wanted = dict(_limit(text) for text in options["limits"])
        with transaction.atomic():
            plan = Plan.objects.select_for_update().get(pk=plan_of(options["name"]).pk)
            before = {name: getattr(plan, name) for name in wanted}
            for name, value in wanted.items():
                setattr(plan, name, value)
            try:
                plan.full_clean()
            except ValidationError as error:
                raise CommandError("; ".join(_told(error))) from error
            plan.save(update_fields=list(wanted))
            changes = {name: [before[name], getattr(plan, name)] for name in wanted}
            audit.record_command("change", "plan", plan.pk, name=plan.name, **changes)
        apply_plan(plan)
        told = ", ".join(f"{name} {UNLIMITED if new is None else new}" for name, (_old, new) in changes.items())
        return f"The plan {plan} has now: {told}."


def _limit(text: str) -> tuple[str, str | None]:
    name, separator, value = text.partition("=")
    if not separator or name not in LIMITS:
        raise CommandError(f"Write LIMIT=VALUE, not {text!r}. Limits are: {', '.join(LIMITS)}.")
    return name, None if value.strip().lower() == UNLIMITED else value.strip()


def _told(error: ValidationError) -> list[str]:
    return [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
