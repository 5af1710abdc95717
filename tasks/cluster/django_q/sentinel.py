"""django-q2's sentinel, joined to a node."""

from __future__ import annotations

import gc
import logging
import os
import signal
from multiprocessing.process import BaseProcess
from typing import Any

from django_q.cluster import Sentinel

from tasks.cluster import node
from tasks.cluster.orphans import die_with_parent

SIGN_OFF_SECONDS = 8

logger = logging.getLogger(__name__)


class NodeSentinel(Sentinel):  # type: ignore[misc]  # django-q2 has no types
    """Opens the node before it forks the workers, and signs it off at the end."""

    def start(self) -> None:
        die_with_parent()
        # A group of its own: SIGTERM to the leader's group must reach the leader alone, who would otherwise
        # wait for ever for a sentinel that died of it.
        os.setpgid(0, 0)
        node.here = node.Node(cluster=self.broker.list_key, workers=self.pool_size, tickets=self.task_queue)
        node.here.register()
        self.broker.join_node(node.here, self.stop_event)
        logger.info("node %s serves cluster %s with %s workers", node.here.id, self.broker.list_key, self.pool_size)
        super().start()

    def spawn_process(self, target: Any, *args: Any) -> BaseProcess:
        """Fork a worker, the pusher or the monitor; its collector leaves alone what is there (see `Leader.start`)."""
        gc.freeze()
        process: BaseProcess = super().spawn_process(target, *args)
        return process

    def stop(self) -> None:
        logger.info("node stops: running tasks get their grace time, then go back to their lanes")
        super().stop()
        if node.here is not None:
            # SIGALRM ends the process: a database that does not answer must not keep it.
            signal.alarm(SIGN_OFF_SECONDS)
            node.here.deregister()
            signal.alarm(0)
            logger.info("node %s has stopped", node.here.id)
