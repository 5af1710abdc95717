"""`manage.py qcluster`: django-q2's own command, with our pipe and sentinel in place."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import CommandError
from django_q.conf import Conf
from django_q.management.commands import qcluster

from tasks.cluster.django_q import install
from tasks.pooler import UnusablePooler, refuse_pooler
from tasks.type_checks import look_over_at_start


class Command(qcluster.Command):  # type: ignore[misc]  # django-q2 has no types
    # Not those of addresses and templates: they import the whole of the web, which no node needs. What task types and
    # poolers need is looked at below.
    requires_system_checks = [checks.Tags.models]
    help = "Start a node: workers that run tasks of one cluster. Choose the cluster with Q_CLUSTER_NAME."

    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("cluster_name"):
            raise CommandError("Choose the cluster with Q_CLUSTER_NAME=name: django-q2 reads -n too late.")
        if Conf.CLUSTER_NAME not in settings.CLUSTERS:
            known = ", ".join(settings.CLUSTERS)
            raise CommandError(f"There is no cluster {Conf.CLUSTER_NAME!r}; CLUSTERS names {known}.")
        try:
            refuse_pooler()
        except UnusablePooler as refused:
            raise CommandError(str(refused)) from refused
        # Loaded once, before the workers are forked: their first task does not wait for it.
        look_over_at_start()
        install.replace_machinery()
        super().handle(*args, **options)
