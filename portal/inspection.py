"""What an operator asks of the installation at a shell: what runs, what can run, how it stands, how it is configured.

Plain dictionaries, for `manage.py inspect`: as text or as JSON.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from portal import env
from tasks.backends.addresses import BadAddress, parse_address
from tasks.figures.depths import UNFINISHED, Depth
from tasks.figures.installation import read_system
from tasks.models import Node, Task
from tasks.models.node import HEARTBEAT_SECONDS, NodeStatus
from tasks.registry import all_types
from tasks.statuses import Status

Row = dict[str, Any]

MOST_ACTIVE = 1000
SECRET = re.compile("KEY|SECRET|PASSWORD|TOKEN|CREDENTIAL")
# Written between a scheme and a host. Greedy: a password may hold any of the characters that end one elsewhere.
LOGIN = re.compile(r"://[^\s]*@")
HIDDEN = "(hidden)"


def active() -> list[Row]:
    """Return what runs now, the longest first."""
    running = Task.objects.filter(status=Status.RUNNING).annotate(now=Now())
    fields = "pk", "type", "queue_id", "owner__email", "node__name", "worker_pid", "attempt_number", "started_at", "now"
    return [
        {
            "task": str(row["pk"]),
            "type": row["type"],
            "queue": row["queue_id"],
            "user": row["owner__email"],
            "node": row["node__name"],
            "worker": row["worker_pid"],
            "attempt": row["attempt_number"],
            "seconds": _seconds(row["started_at"], row["now"]),
        }
        for row in running.order_by(F("started_at").asc(nulls_last=True)).values(*fields)[:MOST_ACTIVE]
    ]


def registered() -> list[Row]:
    """Return the task types of this process, and whether each can run here."""
    rows = []
    for definition in all_types().values():
        readiness = definition.readiness()
        rows.append(
            {
                "type": definition.name,
                "queue": definition.queue,
                "ready": readiness.ready,
                "engine": readiness.engine or None,
                "runs_in": "threads" if definition.waits and settings.WORKER_THREADS else "workers",
                "timeout": definition.timeout,
                "max_attempts": definition.max_attempts,
                "hint": readiness.hint or None,
            }
        )
    return rows


def stats() -> dict[str, list[Row]]:
    """Return how nodes, clusters, queues and model servers stand."""
    figures = read_system()
    return {
        "nodes": _nodes(),
        "clusters": [row._asdict() for row in figures.clusters],
        "queues": [
            {
                "queue": queue.name,
                "paused": queue.is_paused,
                **{status.value: queue.depth.counted(status) for status in UNFINISHED},
                "oldest_seconds": _oldest(queue.depth),
            }
            for queue in figures.queues
        ],
        "backends": [
            {
                "kind": server.kind,
                "backend": server.name,
                "health": server.health,
                "busy": server.busy,
                "most_calls": server.most_calls,
            }
            for server in figures.servers
        ],
    }


def conf() -> list[Row]:
    """Return every setting that this process read, where it is from, and its value unless that is secret."""
    return [
        {"setting": name, "value": _shown(name, used.value), "from": used.source}
        for name, used in sorted(env.used.items())
    ]


def _nodes() -> list[Row]:
    alive = Node.objects.filter(status__in=(NodeStatus.ALIVE, NodeStatus.DRAINING)).annotate(now=Now())
    rows = []
    for node in alive.order_by("cluster_id", "name"):
        silent = _seconds(node.heartbeat_at, node.now)
        rows.append(
            {
                "node": node.name,
                "host": node.host,
                "pid": node.pid,
                "cluster": node.cluster_id,
                "status": "silent" if (silent or 0) > HEARTBEAT_SECONDS else node.status,
                "heartbeat_seconds": silent,
                "up_seconds": _seconds(node.started_at, node.now),
                "workers": node.workers,
                # A worker with threads runs several tasks.
                "busy": len({run.get("pid") for run in node.running}),
                "running": len(node.running),
                "cpu_percent": node.cpu_percent,
                "memory_percent": node.memory_percent,
                "throttled": node.throttled,
                "version": node.version,
            }
        )
    return rows


def _oldest(depth: Depth) -> float | None:
    if depth.oldest_seconds is None and depth.is_partial:
        return None
    return round(depth.oldest_seconds or 0.0, 1)


def _seconds(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else round(max(0.0, (now - since).total_seconds()), 1)


def _shown(name: str, value: str) -> str:
    if not value:
        return ""
    if name == "DATABASE_URL":
        # What is in use, piece by piece: whatever else the address holds may be a password.
        database = settings.DATABASES["default"]
        return " ".join(
            f"{part.lower()}={database[part]}" for part in ("HOST", "PORT", "NAME", "USER") if database[part]
        )
    if name.startswith("BACKENDS_"):
        return ", ".join(map(_without_key, value.split(",")))
    return HIDDEN if SECRET.search(name) else LOGIN.sub("://…@", value)


def _without_key(text: str) -> str:
    try:
        return parse_address(text).base_url
    except BadAddress:
        return HIDDEN
