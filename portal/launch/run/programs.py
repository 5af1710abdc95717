"""The programs of `make run`: web, workers, model server, and what each gets to know."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from portal import env
from portal.launch.run import local_env, model_server
from portal.launch.run.ports import HOST, free_port
from portal.launch.run.supervisor import Program

# In a demo nobody waits long for a stop; elsewhere the setting's own default holds.
STOP_GRACE_SECONDS = 3
WEB_STOP_SECONDS = 2


def shared_environment(database_url: str, model_port: int | None) -> dict[str, str]:
    """Return the environment of every program of this start; the caller’s goes before defaults."""
    defaults = {"STOP_GRACE_SECONDS": str(STOP_GRACE_SECONDS)}
    model = {"BACKENDS_CHAT": f"http://{HOST}:{model_port}/v1"} if model_port else {}
    return defaults | dict(os.environ) | local_env.run_environment(database_url) | model


def choose_model_port() -> int | None:
    """Return a port for the embedded model server, or None: it is not installed, or there is a better one."""
    return free_port() if model_server.is_available() and not os.environ.get("BACKENDS_CHAT") else None


def model(environment: Mapping[str, str], port: int) -> Program:
    """Return the embedded model server."""
    return Program("model", [sys.executable, "-m", "portal.launch.run.model_server", "--port", str(port)], environment)


def prepare(environment: Mapping[str, str], url: str, demo_file: Path) -> Program:
    """Return the program that goes before those that need the database: migrations and demo users."""
    return Program("prepare", [sys.executable, "-m", "portal.launch.run.prepare", url, str(demo_file)], environment)


def web(environment: Mapping[str, str], listening: socket.socket) -> Program:
    """Return the web server on a socket that is open already."""
    options = ["--fd", str(listening.fileno()), "--stop-seconds", str(WEB_STOP_SECONDS)]
    command = [sys.executable, "-m", "portal.web_server", *options]
    return Program("web", command, {**environment, "PORTAL_PROCESS": "web"}, descriptors=[listening.fileno()])


def workers(environment: Mapping[str, str]) -> Program:
    """Return a node with its workers; WORKERS says how many."""
    command = [sys.executable, str(local_env.PROJECT / "manage.py"), "qcluster"]
    grace = env.number("STOP_GRACE_SECONDS", STOP_GRACE_SECONDS)
    return Program("qcluster", command, {**environment, "PORTAL_PROCESS": "qcluster"}, stop_seconds=grace + 5.0)


def wanted_port() -> int | None:
    """Return PORT, or None when it was left to us."""
    return env.number("PORT", 0) if os.environ.get("PORT") else None
