"""What the threads of the pusher share: no error ends them, and those that serve everybody never wait long."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import connection

from tasks.direct import direct_settings

logger = logging.getLogger(__name__)

LOCK_TIMEOUT = "500ms"


def guarded(step: Callable[[], object]) -> None:
    """Run a step; an error is logged, and the others go on."""
    try:
        step()
    except Exception:
        logger.exception("%s failed; it is tried again", getattr(step, "__name__", step))
        connection.close()


def wait_briefly_for_locks() -> None:
    """Make every connection that this thread opens from now on give up early on a lock: the step is done again later.

    One lane that a frozen process holds would otherwise stop what all others wait for.
    """
    own = direct_settings(connection.settings_dict)
    own["OPTIONS"]["options"] += f" -c lock_timeout={LOCK_TIMEOUT}"
    connection.close()
    connection.settings_dict = own
