"""What a person sees when the portal is up: the samples at the first start, then where to look."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from portal.start.local_env import STATE
from portal.start.supervisor import Program

DEMO_FILE = STATE / "demo.json"
# Written before the portal is ready, renamed when it is: whoever finds demo.json can use it.
NEW_DEMO_FILE = STATE / "demo.json.new"
SAMPLES_STAMP = STATE / "samples.done"

ROLES = {"alice": "user, plan Pro", "bob": "user, plan Pro", "olga": "operator"}


def samples_are_due() -> bool:
    return not SAMPLES_STAMP.exists()


def samples_program(environment: Mapping[str, str]) -> Program:
    """Return the program that runs one sample of each task type and writes the stamp."""
    command = [sys.executable, "-m", "portal.start.first_samples", str(DEMO_FILE), "--stamp", str(SAMPLES_STAMP)]
    return Program("samples", command, environment)


def text(url: str) -> str:
    """Return where to look and how to sign in."""
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
            "",
        ]
    )
