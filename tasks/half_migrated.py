"""Says what to do with a database that stopped halfway through migrations that have been squashed since.

Django could only say that a node of its graph is missing: the migrations that it needs next no longer exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError

APPS = ("accounts", "tasks")
HALF_MIGRATED = (
    "This database has only some of the migrations that {squashed} replaces: the last of {app} is {last}. Run "
    "`manage.py migrate` of the release that still has the others, then this one's; docs/operating.md says how, under "
    "Upgrading. Nothing was changed."
)


class HalfMigrated(Exception):
    """Migrations that are not here any more would have to be run first; the message says what to do."""


def refuse_half_migrated() -> None:
    """Do nothing when the migrations of this release can be run on the database.

    Raises:
        HalfMigrated: some, but not all, of what a migration replaces was run.
    """
    applied = set(MigrationRecorder(connection).applied_migrations())
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    for key, migration in sorted(loader.disk_migrations.items()):
        done = applied & set(migration.replaces)
        if key[0] in APPS and key not in applied and done and done != set(migration.replaces):
            last = max(name for app, name in applied if app == key[0])
            raise HalfMigrated(HALF_MIGRATED.format(squashed=".".join(key), app=key[0], last=last))


def check_half_migrated(
    *, app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Django's system check, for `manage.py migrate` and `check --database default`."""
    if databases is None:
        return []
    try:
        refuse_half_migrated()
    except HalfMigrated as refused:
        return [Error(str(refused), id="portal.E010")]
    except OperationalError:
        # Whoever starts says in its own way that the database does not answer.
        pass
    return []
