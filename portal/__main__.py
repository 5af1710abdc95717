"""Django's command line: of a checkout (`manage.py`), and of an installed portal (`portal-manage`)."""

import gc
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if sys.argv[1:2] == ["qcluster"]:
        # Settings for workers differ (plans, no pool), and are read before the command is.
        os.environ.setdefault("PORTAL_PROCESS", "qcluster")
        # Nothing of what is loaded is garbage: the leader collects once before it forks.
        gc.disable()
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
