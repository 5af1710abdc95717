"""Replaces the parts of django-q2 that unpickle or that one killed worker can stop. Called when Django starts.

Messages of django-q2 are signed pickles. We send JSON in the same envelope, and reading one never
unpickles, wherever django-q2 does it (pusher, status, cache).
"""

from __future__ import annotations

import json
from typing import Any

from django_q import signing


class JsonSerializer:
    """Stands in for django-q2's `PickleSerializer`: the same two functions, JSON inside."""

    @staticmethod
    def dumps(obj: Any) -> bytes:
        return json.dumps(obj, default=_plain).encode()

    @staticmethod
    def loads(data: bytes) -> Any:
        """Raises `BadSignature` on anything but JSON: that is what django-q2 catches for a bad message."""
        try:
            return json.loads(data)
        except ValueError as error:
            raise signing.BadSignature("A django-q2 message that is not ours was refused.") from error


def _plain(value: Any) -> Any:
    # The sentinel packs a Stat for its monitor commands; nobody here reads it back.
    return str(value)


def replace_pickle() -> None:
    """Make every reader and writer of django-q2 messages in this process use JSON."""
    signing.PickleSerializer = JsonSerializer


def replace_machinery() -> None:
    """Put our pipe, timer, sentinel and leader in the place of django-q2's. Only `manage.py qcluster` needs it."""
    from django_q import cluster
    from django_q.management.commands import qcluster
    from django_q.signals import post_spawn

    from tasks.cluster.django_q.leader import Leader
    from tasks.cluster.django_q.sentinel import NodeSentinel
    from tasks.cluster.django_q.tickets import TicketPipe
    from tasks.cluster.django_q.timer import Timer

    # Before the forks, so that the workers share what it imports.
    from tasks.cluster.worker import start_worker

    cluster.Queue = TicketPipe
    cluster.Value = Timer
    cluster.Sentinel = NodeSentinel
    qcluster.Cluster = Leader
    post_spawn.connect(lambda **_: start_worker(), weak=False, dispatch_uid="tasks.cluster.start_worker")
