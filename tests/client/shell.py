"""A shell whose environment names a portal, and what came of the commands that were typed into it."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.conftest import PROJECT

IN_CHECKOUT = (sys.executable, "-m", "tasks.client")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """Types commands into a shell whose environment names a portal."""

    def __init__(self, url: str, token: str, *, program: Sequence[str] = IN_CHECKOUT, folder: Path = PROJECT) -> None:
        self._program, self._folder = program, folder
        self.environment = os.environ | {"PORTAL_URL": url, "PORTAL_TOKEN": token, "COLUMNS": "100"}

    def __call__(self, *words: str, stdin: bytes | None = None, **environment: str) -> Ended:
        done = subprocess.run(
            self.command(*words),
            cwd=self._folder,
            env=self.environment | environment,
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *words: str, stdin: bytes | None = None) -> Ended:
        done = self(*words, stdin=stdin)
        assert done.code == 0, done
        return done

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command(*words), cwd=self._folder, env=self.environment, **options)

    def on_terminal(self, *words: str) -> tuple[int, str]:
        """Run with all of its streams on a terminal; return the exit code and what was on the screen."""
        ours, its = pty.openpty()
        process = self.start(*words, stdin=its, stdout=its, stderr=its)
        os.close(its)
        seen, deadline = b"", time.monotonic() + 120
        while True:
            assert time.monotonic() < deadline, seen
            if select.select([ours], [], [], 1.0)[0]:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:
                    # Linux' way to say that nobody has the other end open any more.
                    break
                seen += chunk
        os.close(ours)
        return process.wait(120), seen.decode()

    def command(self, *words: str) -> list[str]:
        return [*self._program, *words]
