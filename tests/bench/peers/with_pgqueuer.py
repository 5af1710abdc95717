"""PgQueuer, by asyncpg and with its own defaults. It keeps no results: what has run is deleted."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import asyncpg
from pgqueuer import AsyncpgDriver, Job, PgQueuer, Queries

from tests.bench.peers.peer import Peer
from tests.bench.peers.ran import Ran

CONNECTION = "BENCH_PGQUEUER"


class WithPgQueuer(Peer):
    name = "PgQueuer (no results)"
    module = __name__
    drained = 20_000

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = {("database" if key == "dbname" else key): value for key, value in parameters.items()}
        self._loop = asyncio.new_event_loop()

    def set_up(self) -> None:
        self._wire = self._loop.run_until_complete(asyncpg.connect(**self._parameters))
        self._queries = Queries(AsyncpgDriver(self._wire))
        self._loop.run_until_complete(self._queries.install())

    def enqueue(self, called_at: float) -> None:
        self._loop.run_until_complete(self._queries.enqueue("noop", str(called_at).encode()))

    def bulk(self, count: int) -> bool:
        self._loop.run_until_complete(self._queries.enqueue(["noop"] * count, [b"0"] * count, [0] * count))
        return True

    def hold(self, count: int) -> None:
        statement = (
            "INSERT INTO pgqueuer (priority, entrypoint, payload, status)"
            f" SELECT 0, 'noop', '0'::bytea, 'queued' FROM generate_series(1, {count})"
        )
        self._run(statement)
        self._run("VACUUM ANALYZE pgqueuer")

    def clear(self) -> None:
        self._run("TRUNCATE pgqueuer, pgqueuer_log")

    def environment(self) -> dict[str, str]:
        return {CONNECTION: json.dumps(self._parameters)}

    def close(self) -> None:
        self._loop.run_until_complete(self._wire.close())
        self._loop.close()

    def _run(self, statement: str) -> None:
        self._loop.run_until_complete(self._wire.execute(statement, timeout=300))


async def work() -> None:
    queue = PgQueuer(AsyncpgDriver(await asyncpg.connect(**json.loads(os.environ[CONNECTION]))))
    ran = Ran()

    @queue.entrypoint("noop")
    async def noop(job: Job) -> None:
        ran.note(float(job.payload or b"0"))

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queue.shutdown.set)
    await queue.run()


if __name__ == "__main__":
    asyncio.run(work())
