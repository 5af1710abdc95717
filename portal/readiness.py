"""Is the portal ready: would a submission be written, and is there a node that would run it?

Asked often, by several balancers: one probe at a time, kept for some seconds.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

from tasks import sql
from tasks.storage import storage_trouble

KEPT_SECONDS = 3.0
# What is missing may come back at any moment.
KEPT_MISSING_SECONDS = 1.0
# Whoever asks while a probe hangs need not hang, too.
WAIT_SECONDS = 3.0

OK = "ok"
AWAY = "does not answer"
# By SQLSTATE (PostgreSQL documentation, appendix A).
WORDS = {
    "25006": "takes no writes: it is read-only",
    "26000": "is behind a pooler in transaction mode",
    "42P05": "is behind a pooler in transaction mode",
    "42501": "does not let this role write",
    "53100": "has no room left on its disk",
    "53300": "has no connection left",
    "55P03": "takes too long",
    "57014": "takes too long",
}

Checks = dict[str, str]


class AliveCluster(NamedTuple):
    cluster_id: str


class Readiness:
    """What the last probe found.

    Not `tasks.kept`: what is missing is kept for less long than what is well, and whoever has waited long enough for
    somebody else's probe answers that the database is away, instead of probing too.
    """

    def __init__(self) -> None:
        self._probing = threading.Lock()
        self._checks: Checks = {}
        self._good_until = 0.0

    def checks(self) -> Checks:
        """Return each part with "ok" or what is wrong with it."""
        if not self._probing.acquire(timeout=WAIT_SECONDS):
            return {"database": AWAY, "workers": "unknown"}
        try:
            if time.monotonic() >= self._good_until:
                self._checks = _probe()
                kept = KEPT_SECONDS if is_ready(self._checks) else KEPT_MISSING_SECONDS
                self._good_until = time.monotonic() + kept
            return self._checks
        finally:
            self._probing.release()


def is_ready(checks: Checks) -> bool:
    """Say whether a submission would be taken and run. Other clusters and files are told, but decide nothing."""
    return checks["database"] == checks["workers"] == OK


def _probe() -> Checks:
    checks = {"database": OK, "workers": OK, "files": storage_trouble() or OK}
    try:
        alive = {row.cluster_id for row in sql.run("cluster/alive_clusters", {}, row=AliveCluster)}
        _write()
    except (DatabaseError, InterfaceError) as error:
        return checks | {"database": _words(error), "workers": "unknown"}
    missing = {name: "no node is alive" for name in settings.CLUSTERS if name not in alive}
    checks["workers"] = missing.pop(settings.CLUSTERS[0], OK)
    return checks | {f"workers of {name}": words for name, words in missing.items()}


def _write() -> None:
    """Write something, and commit it.

    A table of its own needs a new file with a page, whatever room older tables still have in theirs: so a full disk is
    found, which an update of some row would not. It is of this session, so nothing waits for it and no backup sees it.
    A role that may not make such tables can write tasks for all that: its disk is not looked at.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Where temporary tables lie elsewhere, that disk would be asked.
        cursor.execute("SET LOCAL statement_timeout = '3s'; SET LOCAL temp_tablespaces = ''")
        # No row; but whether there may be one.
        cursor.execute("INSERT INTO task (type) SELECT '' WHERE false")
        cursor.execute("SELECT has_database_privilege(current_database(), 'TEMP')")
        if cursor.fetchone() == (True,):
            cursor.execute("CREATE TEMPORARY TABLE readiness_probe (written text) ON COMMIT DROP")
            cursor.execute("INSERT INTO readiness_probe VALUES ('ready')")


def _words(error: Exception) -> str:
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None or state.startswith(("08", "57P")):
        return AWAY
    return WORDS.get(state, "cannot be written to")


readiness = Readiness()
