"""The data folder of a cluster: made once, and its configuration written at every start."""

from __future__ import annotations

import shutil
from pathlib import Path

from portal.launch.embedded.account import Account
from portal.launch.embedded.binaries import Binaries
from portal.launch.embedded.errors import EmbeddedError
from portal.launch.embedded.settings import configuration


def make_data(data: Path, binaries: Binaries, account: Account, *, superuser: str, durable: bool, anew: bool) -> None:
    """Make the data folder unless it is there; `anew` replaces one of another major version.

    Raises:
        EmbeddedError: initdb failed, or there is data of another major version.
    """
    version = data / "PG_VERSION"
    if version.exists() and int(version.read_text()) != binaries.major:
        if not anew:
            raise EmbeddedError(
                f"The data in {data} was made by Postgres {version.read_text().strip()}, and here is "
                f"Postgres {binaries.major}: dump it with the old one, or move that folder away."
            )
        shutil.rmtree(data)
    if version.exists():
        return
    # Elsewhere first: an interrupted initdb leaves half a cluster that nothing can start.
    unfinished = data.parent.with_name(f"{data.parent.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    maker = account.with_name()
    maker.own_folder(unfinished)
    locale = ["--locale=C"]
    if binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = ["-U", superuser, "-A", "peer", "-E", "UTF8", *locale, *([] if durable else ["--no-sync"])]
    answer = maker.run([binaries.path("initdb"), "-D", str(unfinished), *options])
    if answer.returncode != 0:
        raise EmbeddedError(f"initdb failed: {answer.stdout.strip()[-800:]}")
    if account.lent:
        account.take_over(unfinished)
    unfinished.rename(data)


def write_configuration(data: Path, sockets: Path, *, superuser: str, durable: bool) -> None:
    """Write every configuration file of a server that is about to start."""
    for name, text in configuration(sockets, superuser=superuser, durable=durable):
        path = data / name
        # Not written into: what stands there may belong to the server, which shall only read it.
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o644)
