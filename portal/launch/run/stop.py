"""`make stop`: stops what `make run` started in this checkout, and cleans up after one that was killed."""

from __future__ import annotations

import contextlib
import os
import sys

import psutil

from portal.launch.embedded import EmbeddedError, find_cluster
from portal.launch.run import run_record

PATIENCE_SECONDS = 30.0


def main() -> int:
    stopped = _stop_running()
    leftovers = run_record.stop_leftovers()
    if "DATABASE_URL" not in os.environ:
        with contextlib.suppress(EmbeddedError):
            find_cluster("run").stop_unused()
    sys.stdout.write("Stopped.\n" if stopped or leftovers else "Nothing is running here.\n")
    return 0


def _stop_running() -> bool:
    if not run_record.is_running():
        return False
    supervisor = run_record.recorded_process()
    if supervisor:
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor.terminate()
    if not run_record.wait_until_stopped(PATIENCE_SECONDS) and supervisor:
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor.kill()
        run_record.wait_until_stopped(PATIENCE_SECONDS)
    return True


if __name__ == "__main__":
    sys.exit(main())
