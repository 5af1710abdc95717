"""`make run`: starts Postgres, web, workers and model server, shows one log, and stops them all together.

Not a management command: Django's settings need the database's address, and this is what starts the database.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from portal.launch.embedded import EmbeddedError
from portal.launch.embedded.private import keep_private
from portal.launch.run import programs, run_record, welcome
from portal.launch.run.child_log import ChildLog, show
from portal.launch.run.database_watch import DatabaseWatch
from portal.launch.run.local_env import PROJECT, STATE
from portal.launch.run.parts import ModelWatch, missing_parts
from portal.launch.run.ports import HOST, PortError, take_port
from portal.launch.run.supervisor import Child, Program, stop_all

LOGS = STATE / "logs"
READY_SECONDS = 120
TICK_SECONDS = 0.2


class StartError(Exception):
    """Something did not start; the message says what."""


class Portal:
    """One run, from the port to the last process. A signal ends it wherever it is; a second one makes it hurry."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._url = f"http://{HOST}:{listening.getsockname()[1]}"
        self._log = ChildLog("portal", LOGS)
        self._database = DatabaseWatch(self._log)
        self._model_port = programs.choose_model_port()
        self._model = ModelWatch(self._log, self._model_port)
        self._children: list[Child] = []
        self._signals = 0

    def run(self) -> None:
        """Start everything, stay, stop everything.

        Raises:
            StartError, EmbeddedError, ImproperlyConfigured: with one sentence for people.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._count_signal)
        self._record()
        try:
            with self._database.held() as database_url, contextlib.suppress(KeyboardInterrupt):
                try:
                    self._environment = programs.shared_environment(database_url, self._model_port)
                    self._environment["OUTBOUND_ALLOW"] = self._outbound_allow()
                    self._environment["WEB_ADDRESSES"] = f"{HOST}:{self._listening.getsockname()[1]}"
                    run_record.write_environment(self._environment)
                    self._start()
                    self._stay()
                finally:
                    self._stop()
        finally:
            run_record.remove()

    def _start(self) -> None:
        # The model is read while the database is prepared: each keeps one core busy.
        if self._model_port:
            self._keep(programs.model(self._environment, self._model_port))
        self._run_to_end(programs.prepare(self._environment, self._url, run_record.NEW_DEMO_FILE))
        self._keep(programs.web(self._environment, self._listening))
        self._keep(programs.workers(self._environment))
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise StartError(f"The portal is not ready after {READY_SECONDS} s; see the logs in {LOGS}.")
            self._tick()
        run_record.NEW_DEMO_FILE.replace(run_record.DEMO_FILE)
        self._log.write(f"ready at {self._url}")

    def _outbound_allow(self) -> str:
        """Return what tasks may call beside the internet: this portal itself, for the sample of http.request.

        Of the portal, the guard lets them reach the one address that this sample asks for.
        """
        port = self._listening.getsockname()[1]
        allowed = (os.environ.get("OUTBOUND_ALLOW", ""), f"{HOST}:{port}", f"localhost:{port}")
        return ",".join(entry for entry in allowed if entry)

    def _keep(self, program: Program) -> None:
        """Start a program and keep it running from now on."""
        child = Child(program, ChildLog(program.name, LOGS))
        child.start()
        self._children.append(child)
        self._record()

    def _run_to_end(self, program: Program) -> None:
        """Run a program that must succeed before the start goes on."""
        child = Child(program, ChildLog(program.name, LOGS))
        child.start()
        try:
            while child.exit_code() is None:
                self._tick()
        finally:
            stop_all([[child]], hurry=self._in_a_hurry)
        if child.exit_code() != 0:
            raise StartError(f"`{program.name}` failed; what it said is above and in {LOGS}/{program.name}.log.")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/health/ready", timeout=2) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _stay(self) -> None:
        """Say where to look, run the samples at the first start, and keep everything running."""
        show(welcome.text(self._url, missing=list(missing_parts(self._model_port))))
        if welcome.samples_are_due():
            self._show_samples()
        while True:
            self._tick()

    def _show_samples(self) -> None:
        samples = Child(welcome.samples_program(self._environment), ChildLog("samples", LOGS))
        samples.start()
        try:
            while samples.exit_code() is None:
                self._tick()
        finally:
            samples.kill()
        # They may have pushed the first one off the screen.
        self._log.write(f"samples are through; the portal is running at {self._url}")

    def _tick(self) -> None:
        """Wait a moment and look after everything that runs.

        Raises:
            KeyboardInterrupt: a signal asked to stop.
        """
        if self._signals:
            raise KeyboardInterrupt
        time.sleep(TICK_SECONDS)
        started = [child for child in self._children if child.keep_running()]
        if started:
            self._record()
        self._database.look()
        self._model.look()

    def _stop(self) -> None:
        self._log.write("stopping")
        # From now on connections are refused instead of waiting for a web server that does not come back.
        self._listening.close()
        # The model server goes last: tasks that are running may still need it.
        last = [child for child in self._children if child.program.name == "model"]
        first = [child for child in self._children if child not in last]
        stop_all([first, last], hurry=self._in_a_hurry)

    def _record(self) -> None:
        run_record.write(self._url, {child.program.name: child.pid for child in self._children})

    def _in_a_hurry(self) -> bool:
        return self._signals > 1

    def _count_signal(self, number: int, frame: Any) -> None:
        # Nothing but this: whatever is interrupted may hold a lock.
        self._signals += 1


def main() -> int:
    os.chdir(PROJECT)
    # Uploads, logs and whatever else the programs of a run write are for its owner only.
    os.umask(0o077)
    try:
        keep_private(STATE)
        with run_record.only_one():
            if leftovers := run_record.stop_leftovers():
                show(f"Stopped what an earlier run left behind: {', '.join(leftovers)}.")
            with take_port(programs.wanted_port()) as listening:
                Portal(listening).run()
            show("Stopped.")
    except run_record.AlreadyRunningError:
        url = run_record.recorded_url() or "it is just starting"
        show(f"Portal is already running in this checkout: {url} (stop it with `make stop`).")
    except (StartError, EmbeddedError, PortError, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
