"""Which nodes and workers there are, per cluster. A node whose heartbeat is older than the others accept is silent."""

from __future__ import annotations

from typing import NamedTuple

from tasks import sql
from tasks.models.node import HEARTBEAT_SECONDS


class ClusterFigures(NamedTuple):
    """Nodes of a cluster by how they are; workers are those that take work, `busy` how many of them have some."""

    cluster: str
    alive: int
    draining: int
    silent: int
    lost: int
    throttled: int
    workers: int
    busy: int


def read_clusters() -> list[ClusterFigures]:
    """Return the figures of every cluster; lost nodes are those of the last hour."""
    return sql.run("figures/node_figures", {"heartbeat": HEARTBEAT_SECONDS}, row=ClusterFigures)
