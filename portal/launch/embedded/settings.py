"""The server's configuration files; rewritten at every start, so that a new version of Portal brings its own."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

# Not synchronous_commit: without it even a killed server loses what it had answered.
# The workers of a test run share the server, and some of their tests connect a hundred times. Nothing depends on when
# autovacuum comes by.
FOR_TESTS = {"fsync": "off", "full_page_writes": "off", "max_connections": "400", "autovacuum": "off"}


def server_settings(sockets: Path, *, durable: bool) -> str:
    """Return the text of postgresql.conf.

    Without `durable` the server is faster and a crash of the machine (not of the server) may cost
    its data: for tests.
    """
    settings = {
        # Through its socket only, where the server learns from the kernel who asks.
        "listen_addresses": "",
        "unix_socket_directories": f'"{sockets}"',
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %a ",
        "log_checkpoints": "off",
        # A violated constraint would log the whole row, which is what somebody gave to a task.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
    } | ({} if durable else FOR_TESTS)
    lines = [f"{name} = '{_quoted(value)}'" for name, value in settings.items()]
    return "# Written by Portal at every start.\n" + "\n".join(lines) + "\n"


def configuration(sockets: Path, *, superuser: str, durable: bool) -> Iterator[tuple[str, str]]:
    """Yield each configuration file: its name and its text."""
    yield "postgresql.conf", server_settings(sockets, durable=durable)
    yield "pg_hba.conf", "# Written by Portal at every start.\nlocal all all peer map=portal\n"
    yield "pg_ident.conf", f"# Written by Portal at every start.\n{_who_may_connect(superuser)}"


def _who_may_connect(superuser: str) -> str:
    """Return a line for each of the system's users that may be the superuser: this one, and root, who can anyway."""
    names = {"root"}
    with contextlib.suppress(KeyError):
        names.add(pwd.getpwuid(os.getuid()).pw_name)
    return "".join(f'portal "{name}" "{superuser}"\n' for name in sorted(names))


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
