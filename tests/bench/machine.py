"""What a bench ran on, so that nobody compares figures of two machines without seeing it."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime

import psutil
from django.db import connection

LOOK_SECONDS = 1.0


def describe() -> dict[str, object]:
    """Return the machine, the server's settings, the commit, and how busy others keep the processors."""
    busy = psutil.cpu_percent(LOOK_SECONDS)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "processors": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "python": platform.python_version(),
        "postgres": _setting("server_version"),
        "fsync": _setting("fsync"),
        "shared_buffers": _setting("shared_buffers"),
        "busy_before_percent": busy,
    }


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


def _commit() -> str:
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"
