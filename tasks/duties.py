"""Every duty of the installation: importing the modules named here declares them; apps may add some of their own."""

from __future__ import annotations

from accounts.pace import forget_old_tries
from tasks import idempotency, periodic
from tasks.alarms import watch
from tasks.backends import upkeep
from tasks.discovery import import_from_apps
from tasks.figures import causes, roll_up, usage
from tasks.lifecycle import cancel_batch, estimate, keep, purge, sweep
from tasks.notices import tell
from tasks.operations import manage
from tasks.periodic import Duty, duty
from tasks.schedules import fire
from tasks.search import index
from tasks.shares import links
from tasks.webhooks import delivery

DECLARED_IN = (
    cancel_batch, causes, delivery, estimate, fire, idempotency, index, keep, links, manage, purge, roll_up, sweep,
    tell, upkeep, usage, watch,
)  # fmt: skip

# Accounts know nothing of tasks, nor of their nodes.
duty(every=60)(forget_old_tries)


def all_duties() -> dict[str, Duty]:
    """Return every duty by name, with those of the module `duties` of each installed app.

    Raises:
        ImproperlyConfigured: an app's module breaks.
    """
    import_from_apps("duties")
    return periodic.declared()
