"""Brings the database of `make run` up to date and makes the demo users: both in one process, for a quick start."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    from tasks.half_migrated import HalfMigrated, refuse_half_migrated
    from tasks.pooler import UnusablePooler, refuse_pooler

    try:
        refuse_pooler()
        refuse_half_migrated()
    except (UnusablePooler, HalfMigrated) as refused:
        sys.exit(str(refused))
    # Static files come from the sources here, but WhiteNoise warns when this folder is missing.
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    # `make check` runs the checks; at every start they would cost a second.
    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    call_command("demo", *sys.argv[1:])


if __name__ == "__main__":
    main()
