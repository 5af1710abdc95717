"""Makes the demo users and gives them fresh tokens; `make run` calls it at every start."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import Plan, User
from accounts.models.token import Scope
from accounts.tokens import ALL_SCOPES, create_token
from portal.launch.run.local_env import STATE
from portal.launch.run.run_record import write_private

TOKEN_NAME = "make run"  # noqa: S105 - a name
PASSWORDS = STATE / "demo_passwords.json"
# Name and whether they are an operator.
USERS = {"alice": False, "bob": False, "olga": True}


class Command(BaseCommand):
    help = "Make the demo users alice and bob (plan Pro) and olga (operator), with fresh tokens of all scopes."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="where the portal is, for the file")
        parser.add_argument("write", type=Path, help="the file that gets passwords and tokens")

    def handle(self, *args: Any, url: str, write: Path, **options: Any) -> None:
        if not settings.PORTAL_DEMO:
            raise CommandError("Demo users exist only under `make run` (PORTAL_DEMO=1).")
        users = {name: _make_user(name, operates=operates) for name, operates in USERS.items()}
        write_private(write, json.dumps({"url": url, "users": users}, indent=2) + "\n")
        sys.stdout.write(f"demo users: {', '.join(users)}\n")


@transaction.atomic
def _make_user(name: str, *, operates: bool) -> dict[str, str]:
    """Make one user, or find it, and return how to sign in. What else was changed about it stays."""
    email = f"{name}@example.com"
    user = User.objects.filter(email=email).first()
    if user is None:
        plan = Plan.objects.get(name="Internal" if operates else "Pro")
        user = User.objects.create_user(
            email, name=name.capitalize(), plan=plan, is_staff=operates, is_superuser=operates
        )
    password = _give_password(user)
    user.api_tokens.filter(name=TOKEN_NAME).delete()
    scopes = [scope for scope in ALL_SCOPES if operates or scope != Scope.OPERATE]
    return {"email": email, "password": password, "token": create_token(user, name=TOKEN_NAME, scopes=scopes)}


def _give_password(user: User) -> str:
    """Return the user's password, which stays the same between starts.

    Beside it the file keeps its hash: comparing that tells whether someone changed the password,
    at once, where checking the password is slow by design.
    """
    kept = json.loads(PASSWORDS.read_text()) if PASSWORDS.exists() else {}
    password, stored = kept.get(user.email, (secrets.token_urlsafe(9), ""))
    if user.password != stored:
        user.set_password(password)
        user.save(update_fields=["password"])
        write_private(PASSWORDS, json.dumps(kept | {user.email: (password, user.password)}))
    return str(password)
