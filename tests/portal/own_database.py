"""A portal's database on a Postgres of the test's own, which may be restarted, filled up, or put behind a pooler."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.web.live import PROJECT

SET_UP = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
from accounts import tokens
from accounts.models import User
alice = User.objects.create_superuser("alice@example.com", "alice-has-a-password", name="Alice")
print(tokens.create_token(alice, name="test", scopes=tokens.ALL_SCOPES))
"""


def environment_of(url: str) -> dict[str, str]:
    """Return the environment for processes that use the database at `url`."""
    return os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "portal.settings"}


def set_up(url: str) -> str:
    """Make the tables and alice, who may do everything; return a token of hers."""
    made = subprocess.run(
        [sys.executable, "-c", SET_UP],
        cwd=PROJECT, env=environment_of(url), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return made.stdout.strip()
