"""`load_balancer`: where and when to submit, as system B was asked. The lanes see to the rest."""

from __future__ import annotations

import os
from typing import Any

import psutil

from tasks.interop.system_b.portal import QUEUES, TYPES, portal, type_of
from tasks.interop.system_b.priority import dynamic_priority

MEBIBYTE = 1024 * 1024


class LoadBalancer:
    """Answers from the portal's queues and types; `system_load` is of the machine that asks, as it was there."""

    def select_optimal_queue(self, task_type: str, task_size: int | None = None) -> tuple[str, int]:
        """Return the queue that does this kind of work, and a priority for it; `task_size` is in bytes.

        Raises:
            ValueError: there is no such kind.
        """
        found = type_of(task_type)
        queue = _queues()[found["queue"]]
        chosen = dynamic_priority(
            task_type,
            overloaded=_holds_back(queue),
            queue_length=queue["own"]["queued"],
            file_bytes=task_size,
            recent_seconds=found["recent"]["p50"],
        )
        return found["queue"], chosen.value

    def should_throttle_tasks(self) -> bool:
        """Say whether a queue of these kinds of work asks for patience: its nodes hold back, or it is crowded."""
        queues = _queues()
        return any(_holds_back(queues[type_of(kind)["queue"]]) for kind in TYPES)

    def get_recommended_batch_size(self, task_type: str) -> int:
        """Return how many tasks one's slots get through in about a minute; half while the queue is crowded."""
        return int(type_of(task_type)["recommended_batch"])

    def get_performance_stats(self) -> dict[str, Any]:
        """Return CPU and memory of this machine, and length, run times (seconds) and advice by queue and kind."""
        queues, types = _queues(), {kind: type_of(kind) for kind in TYPES}
        lengths = {name: queues[types[kind]["queue"]]["own"]["queued"] for name, kind in QUEUES.items()}
        return {
            "system_load": _system_load(),
            "queue_loads": lengths,
            "queue_stats": {
                name: {"median_time": types[kind]["recent"]["p50"], "p90_time": types[kind]["recent"]["p90"]}
                for name, kind in QUEUES.items()
            },
            "recommendations": {
                "throttle_tasks": any(_holds_back(queues[found["queue"]]) for found in types.values()),
                "batch_sizes": {kind: found["recommended_batch"] for kind, found in types.items()},
            },
        }


def _queues() -> dict[str, dict[str, Any]]:
    return {queue["name"]: queue for queue in portal().queues()}


def _holds_back(queue: dict[str, Any]) -> bool:
    return queue["retry_after_seconds"] is not None


def _system_load() -> dict[str, float]:
    memory = psutil.virtual_memory()
    return {
        # Since the last call; over a tenth of a second, lest the first one says nothing.
        "cpu_percent": psutil.cpu_percent(interval=0.1),
        "memory_percent": memory.percent,
        "memory_available_mb": memory.available / MEBIBYTE,
        "disk_percent": psutil.disk_usage("/").percent,
        "process_memory_mb": psutil.Process().memory_info().rss / MEBIBYTE,
        "load_average": os.getloadavg()[0],
    }


load_balancer = LoadBalancer()
