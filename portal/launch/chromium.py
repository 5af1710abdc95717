"""Finds the browser that the browser tests drive, or gets one: Debian's package, else Playwright's own build.

Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from portal.launch import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ["chromium", "fonts-dejavu-core"]
OWN_BUILD = "from playwright.sync_api import sync_playwright as it\nwith it() as p: print(p.chromium.executable_path)"
# Of each of the five tries; half a minute each, Playwright's own, is long when there is no way out.
CONNECT_MILLISECONDS = "5000"
OTHERWISE = (
    "install the package chromium (as root: apt-get install chromium), or set CHROMIUM to its path, "
    "or leave them out with `make test ARGS='-m \"not browser\"'`."
)


class ChromiumError(Exception):
    """There is no browser and it cannot be installed; the message is one sentence with the mend."""


def find() -> str | None:
    """Return the path of a Chromium: `CHROMIUM` from the environment, or the first one on PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def ensure(python: str) -> str:
    """Return the path of a Chromium, which is installed where there is none; `python` is the environment's.

    Raises:
        ChromiumError: there is none, and neither way to get one worked.
    """
    if path := find():
        return path
    debian.install(PACKAGES, wanted_for="the browser tests")
    return find() or _own_build(python)


def _own_build(python: str) -> str:
    """Return Playwright's own build, downloaded at the first time into its place below the user's caches."""
    path = _run([python, "-c", OWN_BUILD]).stdout.strip()
    if not path:
        raise ChromiumError(f"The browser tests need Chromium: {OTHERWISE}")
    if not os.path.exists(path):
        _say("Downloading Playwright's Chromium for the browser tests …")
        answer = _run([python, "-m", "playwright", "install", "--no-shell", "chromium"])
        if answer.returncode != 0 or not os.path.exists(path):
            said = next((line for line in answer.stdout.splitlines() if line.startswith("Error: ")), "Error: no file")
            raise ChromiumError(
                "The browser tests need Chromium, and Playwright's could not be downloaded "
                f"({said.removeprefix('Error: ')}): {OTHERWISE}"
            )
    if _run([path, "--version"]).returncode != 0:
        raise ChromiumError(
            f"The browser tests need Chromium, and Playwright's lacks libraries of this system: as root, "
            f"`{python} -m playwright install-deps chromium`; or {OTHERWISE}"
        )
    return path


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    surroundings = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": CONNECT_MILLISECONDS} | os.environ
    return subprocess.run(
        command,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
