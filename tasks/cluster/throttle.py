"""Throttling: a node above its limit of CPU or memory runs one task at a time until it is well below again."""

from __future__ import annotations

import logging

logger = logging.getLogger(__name__)

# The CPU's figure jumps from second to second: this is the weight of the newest.
CPU_SMOOTHING = 0.2
# Below the limit by so much, for so many seconds in a row, before it takes as much as it can again.
MARGIN_PERCENT = 5.0
CALM_BEATS = 3


class Throttle:
    """Fed once a second with percentages of the whole machine. A limit of 0 switches it off."""

    def __init__(self, *, cpu_limit: float, memory_limit: float) -> None:
        self._limits = {"CPU": cpu_limit, "memory": memory_limit}
        self._cpu = 0.0
        self._calm = 0
        self.is_on = False

    def update(self, *, cpu: float, memory: float) -> bool:
        """Take new figures; return whether the node is to hold back now."""
        self._cpu += CPU_SMOOTHING * (cpu - self._cpu)
        figures = {"CPU": self._cpu, "memory": memory}
        over = [name for name, limit in self._limits.items() if limit and figures[name] > limit]
        near = [name for name, limit in self._limits.items() if limit and figures[name] > limit - MARGIN_PERCENT]
        self._calm = 0 if near else self._calm + 1
        if over and not self.is_on:
            logger.warning("throttled: %s", ", ".join(f"{name} at {figures[name]:.0f} %" for name in over))
            self.is_on = True
        elif self.is_on and self._calm >= CALM_BEATS:
            logger.info("no longer throttled")
            self.is_on = False
        return self.is_on
