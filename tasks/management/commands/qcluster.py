"""`manage.py qcluster`: django-q2's own command, with our pipe and sentinel in place."""

from __future__ import annotations

from typing import Any

from django_q.management.commands import qcluster

from tasks.cluster import install


class Command(qcluster.Command):  # type: ignore[misc]  # django-q2 has no types
    help = "Start a node: workers that run tasks of one cluster. Choose the cluster with Q_CLUSTER_NAME."

    def handle(self, *args: Any, **options: Any) -> None:
        install.replace_machinery()
        super().handle(*args, **options)
