"""How nodes are, in words: the same on every screen and in alarms."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext

from tasks.models import Node
from tasks.models.node import HEARTBEAT_SECONDS, NodeStatus

CURRENT = (NodeStatus.ALIVE, NodeStatus.DRAINING)
# A node that was lost is shown among the running ones for so long, with what it ran.
LOST_SHOWN = timedelta(days=1)


def shown_nodes() -> QuerySet[Node]:
    """Return the nodes that run, and those that were lost within a day."""
    lost = Q(status=NodeStatus.LOST, stopped_at__gt=Now() - LOST_SHOWN)
    return Node.objects.filter(Q(status__in=CURRENT) | lost)


def working_clusters() -> frozenset[str]:
    """Return the clusters of which some node takes work, however many nodes there are."""
    fresh = Node.objects.filter(status=NodeStatus.ALIVE, heartbeat_at__gte=Now() - timedelta(seconds=HEARTBEAT_SECONDS))
    return frozenset(fresh.order_by().values_list("cluster_id", flat=True).distinct())


def standing_of(node: Node, now: datetime) -> str:
    """Return how a node is, as a word that has a badge: its status, or `silent` where its heartbeat is old."""
    if node.status in CURRENT and now - node.heartbeat_at > timedelta(seconds=HEARTBEAT_SECONDS):
        return "silent"
    return str(node.status)


def load_text(node: Node) -> str:
    """Say how busy a node is: processes, and beside them what runs in threads.

    >>> load_text(Node(workers=4, running=[{"pid": 1}, {"pid": 1, "thread": True}, {"pid": 2}]))
    '2 of 4, 1 in threads'
    """
    words = gettext("{count} of {most}, {threads} in threads") if node.in_threads else gettext("{count} of {most}")
    return words.format(count=node.busy_workers, most=node.workers, threads=node.in_threads)


def last_words(node: Node) -> str:
    """Say what a lost node ran, as far as it was heard.

    >>> last_words(Node(running=[])), last_words(Node(running=[{"pid": 1}, {"pid": 2}]))
    ('it ran nothing', 'it ran 2 tasks')
    """
    count = len(node.running)
    return f"it ran {count} {'task' if count == 1 else 'tasks'}" if count else "it ran nothing"
