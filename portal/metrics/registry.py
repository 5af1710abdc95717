"""What /metrics tells: the installation, read from the database, and this process."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator

import django
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from portal.metrics.families import families_of
from tasks.figures.installation import read_system
from tasks.kept import kept

logger = logging.getLogger(__name__)

# However many ask, the database is asked once in this time, per process.
CACHE_SECONDS = 5.0

disable_created_metrics()  # type: ignore[no-untyped-call]
registry = CollectorRegistry()
ProcessCollector(registry=registry)

build = Gauge("portal_build_info", "1; what runs here.", ["version", "python", "django"], registry=registry)
build.labels(settings.PORTAL_VERSION, platform.python_version(), django.get_version()).set(1)

requests = Counter(
    "portal_http_requests",
    "Requests that this process answered, but polls with a token.",
    ["route", "code"],
    registry=registry,
)


class InstallationCollector(Collector):
    """Reads the database; where that fails, says so and nothing else."""

    def collect(self) -> Iterator[Metric]:
        is_up = GaugeMetricFamily("portal_database_up", "1 when the database answered.")
        try:
            figures = read_system()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("no figures for /metrics: %s", type(error).__name__)
            is_up.add_metric([], 0)
            yield is_up
            return
        is_up.add_metric([], 1)
        yield is_up
        yield from families_of(figures)

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not read the database."""
        return []


registry.register(InstallationCollector())


@kept(seconds=CACHE_SECONDS)
def exposition() -> bytes:
    """Return the text for Prometheus."""
    return generate_latest(registry)
