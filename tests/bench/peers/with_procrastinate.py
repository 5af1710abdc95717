"""Procrastinate, by psycopg and with its own defaults. It keeps what became of a job, and no result."""

from __future__ import annotations

import json
import os

import procrastinate
import psycopg

from tests.bench.peers.peer import Peer
from tests.bench.peers.ran import FOLDER, Ran

CONNECTION = "BENCH_PROCRASTINATE"


def make_app(parameters: dict[str, str], ran: Ran | None) -> procrastinate.App:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(kwargs=parameters))

    @app.task(name="noop")
    def noop(called_at: float) -> None:
        assert ran is not None
        ran.note(called_at)

    return app


class WithProcrastinate(Peer):
    name = "Procrastinate"
    module = __name__
    drained = 2000

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = parameters

    def set_up(self) -> None:
        self._app = make_app(self._parameters, None).open()
        self._app.schema_manager.apply_schema()
        self._task = self._app.tasks["noop"]
        self._wire = psycopg.connect(**self._parameters, autocommit=True)  # type: ignore[arg-type]

    def enqueue(self, called_at: float) -> None:
        self._task.defer(called_at=called_at)

    def bulk(self, count: int) -> bool:
        self._task.batch_defer(*[{"called_at": 0}] * count)
        return True

    def hold(self, count: int) -> None:
        self._wire.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
            """ SELECT 'default', 'noop', '{"called_at": 0}' FROM generate_series(1, %s)""",
            [count],
        )
        self._wire.execute("VACUUM ANALYZE procrastinate_jobs")

    def clear(self) -> None:
        self._wire.execute("TRUNCATE procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers")

    def environment(self) -> dict[str, str]:
        return {CONNECTION: json.dumps(self._parameters)}

    def close(self) -> None:
        self._wire.close()
        self._app.close()


if __name__ == "__main__":
    assert FOLDER in os.environ
    make_app(json.loads(os.environ[CONNECTION]), Ran()).run_worker(delete_jobs="never")
