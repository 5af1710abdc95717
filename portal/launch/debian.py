"""Installs Debian's packages, where that is possible: for what developers need and pip does not have.

Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def install(packages: list[str], *, wanted_for: str) -> None:
    """Install packages if this is root on a Debian; whether it worked is for the caller to look at."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    sys.stdout.write(f"Installing {', '.join(packages)} for {wanted_for} …\n")
    sys.stdout.flush()
    # With a run level of single users no package starts a service of its own.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        command = ["apt-get", "-q", *words]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
