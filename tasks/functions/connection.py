"""A database connection of their own for the functions that a worker calls.

The worker's connection is not theirs: a function that is interrupted inside a query, or leaves a
transaction open, must not take the record of its own end with it; and the worker's has index plans only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tasks.direct import direct_settings

# A query whose function was interrupted would else run on in the server to its end.
NOTICE_HANG_UP = " -c client_connection_check_interval=1s"

# Kept from call to call, as long as it is sound; opened by the first query.
_kept = threading.local()


@contextmanager
def own_connection() -> Iterator[None]:
    """Let Django's default connection of this thread be another one for a while."""
    workers = connections[DEFAULT_DB_ALIAS]
    own = getattr(_kept, "connection", None) or _copy(workers)
    _kept.connection = None
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
        if not own.in_atomic_block:
            own.close_if_unusable_or_obsolete()
            _kept.connection = own
    finally:
        connections[DEFAULT_DB_ALIAS] = workers
        if _kept.connection is None:
            # Whatever it was in the middle of is rolled back by the server.
            own.close()


def _copy(workers: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    own = type(workers)(direct_settings(workers.settings_dict), workers.alias)
    options = own.settings_dict["OPTIONS"]
    options["application_name"] = "portal-function"
    plain = options["options"].replace(settings.INDEX_PLANS_ONLY, "")
    options["options"] = plain + NOTICE_HANG_UP
    return own
