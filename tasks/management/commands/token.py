"""`manage.py token`: lists, makes and revokes API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.tokens import ALL_SCOPES, create_token, revoke_token
from tasks import audit
from tasks.management.found import token_of, user_of
from tasks.management.rows import shown
from tasks.names import is_line

LONGEST_DAYS = 3650
MOST_CHARACTERS = 100


class Command(BaseCommand):
    help = "List, make and revoke API tokens (docs/operating.md)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="List a user's tokens, revoked ones too; never their secrets.")
        listing.add_argument("email")
        listing.add_argument("--json", action="store_true", help="for programs")
        add = verbs.add_parser("add", help="Make a token and print it, and nothing else. It cannot be had again.")
        add.add_argument("email")
        add.add_argument("name", help="for people: what uses it")
        add.add_argument("--scope", action="append", choices=ALL_SCOPES, required=True, help="may be repeated")
        add.add_argument("--days", type=int, help="it expires after so many; default: never")
        verbs.add_parser("revoke", help="Refuse a token from now on.").add_argument("id", help="as `list` shows it")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        self.stdout.write(getattr(self, f"_{verb}")(options))

    def _list(self, options: dict[str, Any]) -> str:
        rows = [
            {
                "id": token.pk,
                "name": token.name,
                "scopes": token.scopes,
                "created": token.created_at.isoformat(timespec="seconds"),
                "expires": token.expires_at and token.expires_at.isoformat(timespec="seconds"),
                "last_used": token.last_used_at and token.last_used_at.isoformat(timespec="seconds"),
                "revoked": token.revoked_at and token.revoked_at.isoformat(timespec="seconds"),
            }
            for token in user_of(options["email"]).api_tokens.order_by("-created_at", "pk")
        ]
        return shown(rows, as_json=options["json"], empty="This user has no tokens.")

    def _add(self, options: dict[str, Any]) -> str:
        name, days = options["name"].strip(), options["days"]
        if not name or not is_line(name) or len(name) > MOST_CHARACTERS:
            raise CommandError(f"A name is one line of at most {MOST_CHARACTERS} characters.")
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--days is between 1 and {LONGEST_DAYS}.")
        user = user_of(options["email"])
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        try:
            with transaction.atomic():
                token = create_token(user, name=name, scopes=options["scope"], expires_at=expires_at)
                audit.record_command("add", "apitoken", token.split("_")[1], name=name, user=user.email)
        except ValueError as error:
            raise CommandError(str(error)) from error
        return token

    def _revoke(self, options: dict[str, Any]) -> str:
        token = token_of(options["id"])
        if token.revoked_at is not None:
            return f"{token} of {token.user} was revoked before. Nothing was changed."
        with transaction.atomic():
            revoke_token(token)
            audit.record_command("revoke", "apitoken", token.pk, name=token.name, user=token.user.email)
        return f"{token} of {token.user} is revoked."
