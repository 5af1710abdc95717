"""Reports of errors to Sentry, or to what takes the same: those that are logged, and those that handlers raise.

Off without `SENTRY_DSN`. A report has the error, its traceback and the ids that log lines have; no variables, no
bodies, no queries, and of an error of the database not the row that it quotes.
"""

from __future__ import annotations

from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from tasks import log_fields
from tasks.quoted_rows import without_row

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

FLUSH_SECONDS = 2.0

_is_on = False


def start(dsn: str, *, release: str, environment: str) -> None:
    """Report from this process and those that it forks; an empty `dsn` leaves it as it is.

    Raises:
        ImproperlyConfigured: it is no DSN, or the package is not installed.
    """
    global _is_on
    if not dsn:
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.django import DjangoIntegration
        from sentry_sdk.utils import BadDsn
    except ImportError as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, but Sentry's package is not installed: "
            "pip install --require-hashes -r requirements/telemetry.txt, or build the image with EXTRAS=telemetry."
        ) from error
    try:
        sentry_sdk.init(
            dsn,
            release=release,
            environment=environment or None,
            auto_enabling_integrations=False,
            integrations=[DjangoIntegration()],
            before_send=_before_send,
            # What people gave to tasks stands in all of these.
            include_local_variables=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            send_default_pii=False,
        )
    except BadDsn as error:
        raise ImproperlyConfigured(f"SENTRY_DSN is no DSN as Sentry shows it: {error}.") from error
    _is_on = True


def report(error: BaseException) -> None:
    """Report an error that is not logged as one."""
    if _is_on:
        import sentry_sdk

        sentry_sdk.capture_exception(error)


def flush_at_end() -> None:
    """Have this process send what it still has when it ends, also if it is a worker, which `atexit` does not see."""
    if _is_on:
        import sentry_sdk

        Finalize(None, sentry_sdk.flush, args=(FLUSH_SECONDS,), exitpriority=10)


def _before_send(event: Event, _hint: Hint) -> Event:
    event.setdefault("tags", {}).update({name: str(value) for name, value in log_fields.current().items()})
    for error in event.get("exception", {}).get("values", []):
        error["value"] = without_row(error.get("value") or "")
    if "logentry" in event:
        event["logentry"] = {"message": without_row(str(event["logentry"].get("formatted", "")))}
    return event
