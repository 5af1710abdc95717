"""Finds the browser that the browser tests drive; where it can, installs Debian's package. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = (
    ["apt-get", "-q", "update"],
    ["apt-get", "-q", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
)


class ChromiumError(Exception):
    """There is no browser and it cannot be installed; the message is one sentence with the mend."""


def find() -> str | None:
    """Return the path of a Chromium: `CHROMIUM` from the environment, or the first one on PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def ensure() -> None:
    """Install Chromium where there is none and we may.

    Raises:
        ChromiumError: not root, no apt-get, or it failed.
    """
    if find() is not None:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write("Installing Chromium for the browser tests …\n")
        sys.stdout.flush()
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in INSTALL:
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
    if find() is None:
        raise ChromiumError(
            "The browser tests need Chromium: install the package chromium (as root: apt-get install chromium), or set "
            "CHROMIUM to its path, or leave them out with `make test ARGS='-m \"not browser\"'`."
        )
