"""A real web process (uvicorn) on the test database, and what tests need to talk to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import urlopen

from django.db import connection
from django.test import Client

from accounts.models import User
from portal.launch.run.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
# Nothing is measured by it; with every worker of the suite starting processes it may take long.
START_SECONDS = 240
UVICORN = ("portal.web_server",)
GRANIAN = ("granian", "--interface", "wsgi", "--log-level", "warning", "portal.wsgi:application")


class LiveServer:
    """`portal.asgi` under uvicorn as it is served, or another module. `url` has no slash at its end."""

    def __init__(self, *, log: Path, environment: dict[str, str], module: Sequence[str] = UVICORN) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self.environment = environment
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *module, "--port", str(self.port)],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urlopen(f"{self.url}/health/live", timeout=5):
                    return
            except OSError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        """Stop as an operator would; the process must end by itself."""
        self._process.terminate()
        try:
            self._process.wait(120)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"the web process did not stop:\n{self._log.read_text()}") from None


def environment_of_test(*, media: Path | str) -> dict[str, str]:
    """Return the environment for child processes: the test database, and a folder for files."""
    database = connection.settings_dict
    ways = {"DATABASE_URL": database} if "POOLED" not in database else {
        "DATABASE_URL": database["POOLED"], "DATABASE_DIRECT_URL": database["DIRECT"]
    }  # fmt: skip
    return os.environ | {name: url_of(way) for name, way in ways.items()} | {"MEDIA_ROOT": str(media)}


def url_of(database: dict[str, Any]) -> str:
    """Return the URL of a database that Django has such settings of."""
    place = {name: database[name.upper()] for name in ("host", "port") if database[name.upper()]}
    user = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}"
    return f"postgres://{user}@/{database['NAME']}?{urlencode(place)}"


def session_cookie(user: User) -> str:
    """Return the value of a session cookie of a user who has signed in."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value
