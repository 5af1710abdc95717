"""What clients were told, and whether the end explains it: seen from outside, over the API alone.

Whoever was answered wrote the answer down. When all is over, the API is asked for everything, and each answer must
follow from that: without a look at the database's own tables.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tasks.statuses import MOVES, SHOWN, TERMINAL, Status, shown_status

Answer = dict[str, Any]

# What one word outside stands for inside.
STANDS_FOR = {
    shown: {status for status in Status if shown_status(status, None) == shown} or {Status.RUNNING} for shown in SHOWN
}
ENDS = {status.value for status in TERMINAL}
# Of an ended task, what never changes. The crash of a server may make an end that no attempt made a second time.
FINAL = ("status", "result", "error")


class Unexplained(AssertionError):
    """A client was told something that the end does not explain."""


@dataclass
class History:
    """All that was answered, in its order.

    `server_crashes`: the server of the database may be killed. Then a task that was cancelled before it ran may be seen
    under way once more, until it is cancelled again: the wish is durable, the end follows from it.
    """

    server_crashes: bool = False
    accepted: dict[str, list[str]] = field(default_factory=dict)  # idempotency key → ids
    seen: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    cancelled: dict[str, str] = field(default_factory=dict)  # task → what the answer said

    @property
    def tasks(self) -> set[str]:
        return {task for tasks in self.accepted.values() for task in tasks}

    def accept(self, key: str, tasks: list[str]) -> None:
        """Note what a submission was answered with, the first time or again."""
        known = self.accepted.setdefault(key, tasks)
        if known != tasks:
            raise Unexplained(f"the key {key} gave {known}, and then {tasks}")

    def see(self, answer: Answer, by: str) -> None:
        """Note how a task stood in the answer to such a request."""
        self.seen[answer["id"]].append({"by": by} | {name: answer[name] for name in (*FINAL, "version")})

    def cancel(self, answer: Answer) -> None:
        self.cancelled.setdefault(answer["id"], answer["status"])
        self.see(answer, "cancel")

    def explain(self, final: dict[str, Answer]) -> None:
        """Check everything against what the API says at the end of every task that it knows.

        Raises:
            Unexplained: the first answer that does not follow from it.
        """
        if lost := self.tasks - set(final):
            raise Unexplained(f"accepted and lost: {lost}")
        if more := set(final) - self.tasks:
            raise Unexplained(f"tasks that nobody was told of: {more}")
        for task, answer in final.items():
            if answer["status"] not in ENDS:
                raise Unexplained(f"{task} is accepted and has not ended: {answer['status']}")
            sights = [*self.seen.get(task, []), answer]
            for before, after in pairwise(sights):
                self._follow(task, before, after)
        for task, said in self.cancelled.items():
            end = final[task]["status"]
            if end != said and (said in ENDS or end not in {"cancelled", "succeeded"}):
                raise Unexplained(f"{task} was to be cancelled; the answer was {said}, the end {end}")

    def _follow(self, task: str, before: Answer, after: Answer) -> None:
        sights = f"{task} was seen as {before}, and then as {after}"
        if before["status"] in ENDS:
            if self.server_crashes and before["status"] == "cancelled" and after["status"] not in ENDS:
                return
            if any(before[name] != after[name] for name in FINAL):
                raise Unexplained(f"an end has changed: {sights}")
        elif not may_follow(before["status"], after["status"]):
            raise Unexplained(f"no moves lead there: {sights}")
        elif self.server_crashes or after["version"] > before["version"]:
            return
        elif after["version"] < before["version"] or after["status"] != before["status"]:
            raise Unexplained(f"a version was taken back: {sights}")


def may_follow(before: str, after: str) -> bool:
    """Say whether moves lead from one status that was shown to another; nobody retries.

    >>> may_follow("running", "queued"), may_follow("cancelling", "queued"), may_follow("failed", "queued")
    (True, False, False)
    """
    if before == "cancelling":
        return after in {"cancelling", "cancelled", "succeeded"}
    reached: set[Status] = set()
    front = set(STANDS_FOR[before])
    while front:
        reached |= front
        front = {move for status in front - TERMINAL for move in MOVES[status]} - reached
    return bool(reached & STANDS_FOR[after])
