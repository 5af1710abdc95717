"""The figures of a bench: what there is to measure, what was seen in each round, and the JSON that keeps it."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

FORMAT = 1
Unit = Literal["/s", "ms", "MB", "bytes", ""]


class Kind(NamedTuple):
    """A figure that can be measured; of rates more is better, of all else less."""

    part: str
    title: str
    unit: Unit

    @property
    def more_is_better(self) -> bool:
        return self.unit == "/s"


# By name, in the order of the table.
KINDS = {
    "commits_1": Kind("limits", "durable commits, one client", "/s"),
    "commits_4": Kind("limits", "durable commits, four clients", "/s"),
    "bare_loop": Kind("limits", "bare `UPDATE … SKIP LOCKED`, two processes, one task a commit", "/s"),
    "bare_loop_32": Kind("limits", "the same, 32 tasks a commit", "/s"),
    "enqueue": Kind("submit", "enqueue one at a time, a lane with free slots", "/s"),
    "enqueue_p50": Kind("submit", "the same, p50", "ms"),
    "enqueue_full": Kind("submit", "enqueue one at a time, a full lane", "/s"),
    "enqueue_cpu": Kind("submit", "CPU a task: the client", "ms"),
    "enqueue_cpu_postgres": Kind("submit", "CPU a task: Postgres", "ms"),
    "enqueue_wal": Kind("submit", "WAL a task", "bytes"),
    "bulk": Kind("submit", "bulk, 1,000 a call", "/s"),
    "bulk_cpu": Kind("submit", "bulk, CPU a task: the client", "ms"),
    "bulk_cpu_postgres": Kind("submit", "bulk, CPU a task: Postgres", "ms"),
    "bulk_wal": Kind("submit", "bulk, WAL a task", "bytes"),
    "trips_enqueue": Kind("trips", "round trips to enqueue one", ""),
    "trips_bulk": Kind("trips", "round trips of a bulk of 1,000", ""),
    "trips_drain": Kind("trips", "round trips to run one, all of the node's", ""),
    "latency_p50": Kind("latency", "submit called → handler runs, p50", "ms"),
    "latency_p99": Kind("latency", "the same, p99", "ms"),
    "drain_unknown": Kind("drain", "drain, one user of 64 slots, before estimates are learned", "/s"),
    "drain_one": Kind("drain", "drain, one user of 64 slots", "/s"),
    "drain_many": Kind("drain", "drain, 100 users", "/s"),
    "drain_cpu": Kind("drain", "CPU a task: the node", "ms"),
    "drain_cpu_postgres": Kind("drain", "CPU a task: Postgres", "ms"),
    "drain_wal": Kind("drain", "WAL a task", "bytes"),
    "idle_pss": Kind("memory", "memory of an idle node (PSS)", "MB"),
    "worked_pss": Kind("memory", "the same after work", "MB"),
    **{
        f"{server}_{name}": Kind("api", title.format(server=server), "ms")
        for server in ("granian", "uvicorn")
        for name, title in {
            "bare_p50": "{server}: a bare Django view, p50",
            "bare_cpu": "{server}: a bare Django view, CPU",
            "ended_p50": "{server}: GET of an ended task, p50",
            "ended_cpu": "{server}: GET of an ended task, CPU",
            "same_cpu": "{server}: GET, unchanged (304), CPU",
            "queued_p50": "{server}: GET of a queued task, p50",
            "queued_cpu": "{server}: GET of a queued task, CPU",
            "post_p50": "{server}: POST, p50",
            "post_cpu": "{server}: POST, CPU",
            "post_less_commit": "{server}: POST, p50 less a commit",
        }.items()
    },
}
PARTS = tuple(dict.fromkeys(kind.part for kind in KINDS.values()))


@dataclass
class Figures:
    """What was seen: of each queue, each figure and each number of tasks that are held, a value a round."""

    machine: dict[str, object] = field(default_factory=dict)
    seen: dict[tuple[str, str, int], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, value: float, *, held: int, queue: str = "portal") -> None:
        assert name in KINDS, name
        self.seen[queue, name, held].append(value)

    def values(self, name: str, held: int, queue: str = "portal") -> list[float]:
        return self.seen.get((queue, name, held), [])

    def median(self, name: str, held: int, queue: str = "portal") -> float | None:
        values = self.values(name, held, queue)
        return statistics.median(values) if values else None

    def names(self, queue: str = "portal") -> list[str]:
        """Return the figures of a queue that were seen, in the order of the table."""
        seen = {name for of, name, _ in self.seen if of == queue}
        return [name for name in KINDS if name in seen]

    def held(self) -> list[int]:
        return sorted({held for _, _, held in self.seen})

    def queues(self) -> list[str]:
        return list(dict.fromkeys(queue for queue, _, _ in self.seen))

    def write(self, path: Path) -> None:
        rows = [
            {"queue": queue, "figure": name, "unit": KINDS[name].unit, "held": held, "rounds": values}
            for (queue, name, held), values in self.seen.items()
        ]
        path.write_text(json.dumps({"format": FORMAT, "machine": self.machine, "figures": rows}, indent=1) + "\n")


def read(path: Path) -> Figures:
    """Read what `write` wrote; figures that are no longer measured are left out.

    Raises:
        ValueError: the file is none of a bench, or of another format.
    """
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT:
            raise ValueError(f"{path} has format {content['format']}; this bench reads format {FORMAT}")
        return Figures(content["machine"], defaultdict(list, _rows(content["figures"])))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not what a bench has written: {error!r}") from error


def _rows(rows: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, str, int], list[float]]]:
    for row in rows:
        if row["figure"] in KINDS:
            yield (row["queue"], row["figure"], row["held"]), row["rounds"]
