"""`manage.py user`: lists and makes accounts, holds and releases them, gives them a plan."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import User
from tasks import audit
from tasks.lifecycle.apply_limits import apply_after_commit, set_active
from tasks.management.found import plan_of, user_of
from tasks.management.rows import shown


class Command(BaseCommand):
    help = "List and make users, hold and release them, give them a plan (docs/operating.md). See also createsuperuser."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="List all users.")
        listing.add_argument("--json", action="store_true", help="for programs")
        add = verbs.add_parser("add", help="Make a user. The password is asked for, or is the first line of the input.")
        add.add_argument("email")
        add.add_argument("--name", default="")
        add.add_argument("--plan", help="default: the plan of new users")
        add.add_argument("--no-password", action="store_true", help="for programs: they use API tokens")
        for verb, text in {
            "hold": "Their tasks stay in line, their API tokens are revoked, and they cannot sign in.",
            "release": "Their tasks start again. They need new API tokens.",
        }.items():
            verbs.add_parser(verb, help=text).add_argument("email")
        plan = verbs.add_parser("plan", help="Give a user a plan, whose limits count at once.")
        plan.add_argument("email")
        plan.add_argument("plan")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        self.stdout.write(getattr(self, f"_{verb}")(options))

    def _list(self, options: dict[str, Any]) -> str:
        rows = [
            {
                "email": user.email,
                "name": user.name,
                "plan": user.plan.name,
                "active": user.is_active,
                "operator": user.is_staff,
                "joined": user.date_joined.isoformat(timespec="seconds"),
            }
            for user in User.objects.select_related("plan").order_by("email")
        ]
        return shown(rows, as_json=options["json"], empty="There are no users.")

    def _add(self, options: dict[str, Any]) -> str:
        email = options["email"].strip().lower()
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email} is no e-mail address.") from error
        if User.objects.filter(email__iexact=email).exists():
            raise CommandError(f"There is a user with the address {email}.")
        fields = {"plan": plan_of(options["plan"])} if options["plan"] else {}
        user = User(email=email, name=options["name"])
        try:
            User._meta.get_field("name").clean(options["name"], user)
            password = None if options["no_password"] else _password(user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        with transaction.atomic():
            made = User.objects.create_user(email, password, name=options["name"], **fields)
            audit.record_command("add", "user", made.pk, name=email)
        return f"{email} is made, with the plan {made.plan}."

    def _hold(self, options: dict[str, Any]) -> str:
        return self._set(options["email"], active=False, action="hold")

    def _release(self, options: dict[str, Any]) -> str:
        return self._set(options["email"], active=True, action="release")

    def _set(self, email: str, *, active: bool, action: str) -> str:
        with transaction.atomic():
            user = user_of(email)
            if user.is_active == active:
                return f"{user} is {'not held' if active else 'held already'}. Nothing was changed."
            set_active(user, active)
            audit.record_command(action, "user", user.pk, name=user.email)
        return f"{user} is released." if active else f"{user} is held."

    def _plan(self, options: dict[str, Any]) -> str:
        with transaction.atomic():
            user, plan = user_of(options["email"]), plan_of(options["plan"])
            before = user.plan.name
            User.objects.filter(pk=user.pk).update(plan=plan)
            audit.record_command("change", "user", user.pk, name=user.email, plan=[before, plan.name])
            apply_after_commit(user.pk)
        return f"{user} has the plan {plan}."


def _password(user: User) -> str:
    # Never as an argument: others on the machine can read those.
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    validate_password(password, user)
    return password
