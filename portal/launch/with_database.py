"""Runs a command with a database: `python -m portal.launch.with_database test -- pytest -k lanes`.

`run` gives the database of `make run`, `test` a new one. Without a command it prints the URL and
keeps the server running until Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from typing import Any

from portal.launch.embedded import EmbeddedError, start
from portal.launch.run import local_env


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m portal.launch.with_database", description=__doc__)
    parser.add_argument("purpose", choices=["run", "test", "bench"])
    parser.add_argument("--durable", action="store_true", help="the test cluster, too, survives a power cut")
    parser.add_argument("command", nargs="*", help="after --")
    options = parser.parse_args()
    try:
        with start(options.purpose, durable=options.durable or None) as url, tempfile.TemporaryDirectory() as media:
            run = options.purpose == "run"
            added = local_env.run_environment(url) if run else local_env.test_environment(url, media)
            if options.command:
                return _run(options.command, os.environ | added)
            sys.stdout.write(f"{url}\nStop with Ctrl-C.\n")
            sys.stdout.flush()
            _wait_for_stop()
            return 0
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run the command to its end and return its exit code; it is the one that Ctrl-C is for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # An ignored signal would be inherited as ignored, so the child gets the default back.
    with subprocess.Popen(command, env=environment, preexec_fn=_heed_interrupts) as child:

        def pass_on(number: int, frame: Any) -> None:
            child.send_signal(number)

        signal.signal(signal.SIGTERM, pass_on)
        signal.signal(signal.SIGHUP, pass_on)
        code = child.wait()
    return 128 - code if code < 0 else code


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _wait_for_stop() -> None:
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    signal.sigwait(numbers)


if __name__ == "__main__":
    sys.exit(main())
