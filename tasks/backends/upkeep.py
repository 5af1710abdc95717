"""The upkeep of model servers' tables, for any node at any time."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from tasks import sql
from tasks.backends import directory
from tasks.backends.checks import start_checks
from tasks.models import Backend, BackendCall
from tasks.periodic import duty

LIMIT = 5000
KEEP_CALLS = timedelta(days=1)
KEEP_UNNAMED = timedelta(minutes=10)


@duty(every=15)
def check_backends() -> int:
    """Start a round of checks of all model servers."""
    return start_checks()


@duty(every=5)
def end_leases() -> int:
    """Delete leases of attempts that run no more."""
    return sql.count("backends/end_leases", {})


@duty(every=60)
def forget_calls() -> int:
    """Delete what was noted of calls a day ago, and servers that no environment names any more."""
    # First: after a night with everything off, what is named still has its limits and its health.
    directory.name_environment()
    Backend.objects.filter(from_environment=True, named_at__lt=Now() - KEEP_UNNAMED).delete()
    old = BackendCall.objects.filter(ended_at__lt=Now() - KEEP_CALLS).values("pk")[:LIMIT]
    return BackendCall.objects.filter(pk__in=old).delete()[0]
