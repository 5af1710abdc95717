"""`manage.py second_factor`: who has none, and the way back for somebody who has lost theirs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.second_factor import remove_factors, staff_without_factor
from tasks import audit


class Command(BaseCommand):
    help = "List operators without a second factor, or remove the factors of an account (docs/operating.md)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="List the operators whose password alone opens their account.")
        remove = verbs.add_parser("remove", help="Remove an account's factors: the password opens it again.")
        remove.add_argument("email")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        if verb == "list":
            names = list(staff_without_factor().values_list("email", flat=True))
            self.stdout.write("\n".join(names) or "Every operator has a second factor.")
        else:
            self.stdout.write(_remove(options["email"]))


def _remove(email: str) -> str:
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise CommandError(f"There is no user with the address {email}.")
    with transaction.atomic():
        count = remove_factors(user)
        if not count:
            return f"{user} has no second factor. Nothing was changed."
        audit.record_command("remove_second_factor", "user", user.pk, name=user.email)
    return f"The second factor of {user} is removed. Their password alone opens the account now."
