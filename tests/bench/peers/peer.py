"""What a queue beside ours must be able to do. Its workers import this, so it imports nothing of ours."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Peer(ABC):
    """A queue; `module` is what a worker process runs, `drained` how many tasks take it a second or two.

    `processes` are started that make two workers together; `holds` says whether a statement can make it hold a million.
    """

    name: str
    module: str
    drained: int
    processes = 2
    holds = True

    @abstractmethod
    def set_up(self) -> None:
        """Make its tables, and connect."""

    @abstractmethod
    def enqueue(self, called_at: float) -> None:
        """Submit one task durably; its handler notes how long it took since a time that is not 0."""

    @abstractmethod
    def bulk(self, count: int) -> bool:
        """Submit so many in one call; False where there is no such call, and they were submitted one by one."""

    @abstractmethod
    def hold(self, count: int) -> None:
        """Have so many tasks wait, by a statement."""

    @abstractmethod
    def clear(self) -> None:
        """Forget all tasks."""

    def environment(self) -> dict[str, str]:
        return {}

    @abstractmethod
    def close(self) -> None:
        """Disconnect."""
