"""Reads what pip and uv print: tidy progress for people, and one sentence when they fail."""

from __future__ import annotations

import platform
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

LARGE_MEGABYTES = 10
UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|Max retries exceeded|ProxyError|SSLError|"
    r"after connection broken by|Failed to fetch|error sending request|dns error|Could not connect|tcp connect error"
)
NO_WHEEL = re.compile(
    r"No matching distribution found for ([\w.-]+)|([\w.-]+)(?:==\S+)? has no (?:usable wheels|wheels with a matching)"
)


class Progress:
    """Shows how far an installation is, a line at a time, on one line where there is a terminal.

    `on_unpacking` is called before the first package is changed.
    """

    def __init__(self, title: str, *, on_unpacking: Callable[[], None]) -> None:
        self.output = ""
        self._on_unpacking = on_unpacking
        self._unpacking = False
        self._started = time.monotonic()
        self._collected = 0
        self._terminal = sys.stdout.isatty()
        self._say(f"{title} …")

    def take(self, line: str) -> None:
        """Take one line of the installer's output."""
        self.output += line
        if found := re.match(r"\s*Downloading (\S+) \(([\d.]+) ?(Mi?B|Gi?B)\)", line):
            if found[3].startswith("G") or float(found[2]) >= LARGE_MEGABYTES:
                self._say(f"  {_package(found[1])}, {found[2]} {found[3]}")
        elif found := re.match(r"Collecting ([\w.-]+)", line):
            self._collected += 1
            self._hint(f"  {self._collected} {found[1]}")
        # pip says when it begins to unpack; uv has downloaded everything when it says that it is prepared.
        if re.match(r"Installing collected packages|Prepared \d+ package", line) and not self._unpacking:
            self._unpacking = True
            self._on_unpacking()
            self._hint("  unpacking")

    def end(self, *, succeeded: bool) -> None:
        self._hint("")
        if succeeded:
            self._say(f"  done in {time.monotonic() - self._started:.0f} s")

    def _say(self, text: str) -> None:
        self._hint("")
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def _hint(self, text: str) -> None:
        if self._terminal:
            sys.stdout.write(f"\r\033[K{text}")
            sys.stdout.flush()


def explain_failure(output: str, log: Path) -> str:
    """Return one sentence on why an installation failed and what to do."""
    if "No space left on device" in output:
        return "The disk is full: make room and run it again; what was downloaded is kept."
    if re.search(r"DO NOT MATCH THE HASHES|Hash mismatch", output):
        return (
            "The package index gave other files than requirements/*.txt names: use another index, "
            f"or `make requirements` if you trust this one; details in {log}."
        )
    if UNREACHABLE.search(output):
        return (
            "The package index cannot be reached: check the network, the proxy (HTTPS_PROXY) and the index "
            f"(PIP_INDEX_URL, UV_INDEX_URL), and run it again; details in {log}."
        )
    if found := NO_WHEEL.search(output):
        return (
            f"There is no ready-made package of {found[1] or found[2]} for this machine "
            f"({platform.system()} {platform.machine()}, Python {platform.python_version()}): "
            f"use Python 3.11 to 3.13 on Linux (x86-64, arm64; glibc) or macOS; details in {log}."
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
    return f"Installing failed: {errors[-1] if errors else 'the installer said nothing'}; the rest is in {log}."


def _package(address: str) -> str:
    """Return the package's name from a wheel's address or name."""
    return address.rsplit("/", 1)[-1].split("-", 1)[0]
