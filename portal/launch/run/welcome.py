"""What a person sees when the portal is up: where to look, what is missing; then the samples at the first start."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from portal.launch.run.local_env import STATE
from portal.launch.run.run_record import DEMO_FILE
from portal.launch.run.supervisor import Program

SAMPLES_STAMP = STATE / "samples.done"

ROLES = {"alice": "user, plan Pro", "bob": "user, plan Pro", "olga": "operator"}


def samples_are_due() -> bool:
    return not SAMPLES_STAMP.exists()


def samples_program(environment: Mapping[str, str]) -> Program:
    """Return the program that runs one sample of each task type and writes the stamp."""
    command = [sys.executable, "-m", "portal.launch.run.first_samples", str(DEMO_FILE), "--stamp", str(SAMPLES_STAMP)]
    return Program("samples", command, environment)


def text(url: str, *, missing: Sequence[str]) -> str:
    """Return where to look and how to sign in, and which parts this start lacks."""
    users = json.loads(DEMO_FILE.read_text())["users"]
    lines = [f"    {user['email']:<20} {user['password']}   {ROLES.get(name, '')}" for name, user in users.items()]
    return "\n".join(
        [
            "",
            f"  Portal is running at {url}",
            "",
            *lines,
            "",
            f"    operators  {url}/admin/",
            f"    API docs   {url}/api/docs",
            "    tokens     .portal/demo.json",
            "    logs       .portal/logs/",
            "    stop       Ctrl-C, or `make stop`",
            *(f"    missing    {sentence}" for sentence in missing),
            "",
        ]
    )
