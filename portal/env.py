"""Reads settings from the environment and `.env`; the only module that looks at `os.environ`.

Every value may come as ``NAME`` or, for secrets mounted as files, as ``NAME_FILE``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from psycopg.conninfo import conninfo_to_dict

from tasks.names import LINE_RULE, SLUG_RULE, is_line, is_slug

# Where the packages are: a checkout, or where Python installs.
CODE = Path(__file__).resolve().parent.parent
IS_CHECKOUT = (CODE / "manage.py").is_file()
# Where `.env` is, and files unless settings say where: not among installed packages.
PROJECT = CODE if IS_CHECKOUT else Path.cwd()

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
# Of several hosts. Not `primary`: a former one that was made read-only is one still, and would be found for ever.
WRITABLE = {"read-write"}
ORIGIN = re.compile(r"https?://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")

PORTS = re.compile(r"\d{0,5}(?:,\d{0,5})*")
ESCAPES = "%40 for @, %3A for :, %2F for /, %3F for ?, %23 for #, %5B for [ and %25 for %"

load_dotenv(PROJECT / ".env")


def load_run(path: Path = PROJECT / ".portal" / "environment") -> None:
    """Take the settings of the running `make run`: commands typed beside it work with that if nothing is configured.

    For whoever needs settings (`portal.settings`), not for `make run` itself, which makes them.

    Raises:
        ImproperlyConfigured: the run that wrote the file is gone; the addresses in it are dead, or anyone's.
    """
    if {"DATABASE_URL", "DATABASE_URL_FILE", "SECRET_KEY", "SECRET_KEY_FILE"} & set(os.environ):
        return
    try:
        written = json.loads(path.read_text())
    except FileNotFoundError:
        return
    except ValueError:
        # An older version's, which does not say whose it is.
        written = {}
    from portal.process_mark import find

    if find(written.get("process")) is None:
        raise ImproperlyConfigured(
            f"The `make run` that wrote {path} was killed: start it again (or clean up after it with `make stop`), "
            "or set DATABASE_URL and SECRET_KEY."
        )
    for name, value in written["environment"].items():
        os.environ.setdefault(name, value)


class Used(NamedTuple):
    """A setting as it was read; `source` is one of environment, file, default."""

    value: str
    source: str


# Everything that was asked for so far, for `manage.py inspect conf`.
used: dict[str, Used] = {}


def text(name: str, default: str | None = None) -> str:
    """Return ``NAME``, or the stripped content of the file that ``NAME_FILE`` names.

    Raises:
        ImproperlyConfigured: neither is set and there is no default, or the file cannot be read.
    """
    used[name] = _look_up(name, default)
    return used[name].value


def _look_up(name: str, default: str | None) -> Used:
    if name in os.environ:
        return Used(os.environ[name], "environment")
    if file_name := os.environ.get(f"{name}_FILE"):
        try:
            return Used(Path(file_name).read_text().strip(), "file")
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read: {error}") from error
    if default is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE) in the environment or in .env.")
    return Used(default, "default")


def flag(name: str, default: bool) -> bool:
    """Return a yes/no setting.

    Raises:
        ImproperlyConfigured: the value is neither a yes nor a no.
    """
    value = text(name, "1" if default else "0").strip().lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def number(name: str, default: int, *, at_least: int = 0, at_most: int | None = None) -> int:
    """Return a whole number.

    Raises:
        ImproperlyConfigured: not a whole number, below ``at_least`` or above ``at_most``.
    """
    value = text(name, str(default)).strip()
    try:
        result = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from error
    if result < at_least:
        raise ImproperlyConfigured(f"{name} must be at least {at_least}, not {result}.")
    if at_most is not None and result > at_most:
        raise ImproperlyConfigured(f"{name} must be at most {at_most}, not {result}.")
    return result


def listing(name: str, default: str = "") -> list[str]:
    """Return a comma-separated setting as a list without empty members."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def apps(name: str) -> list[str]:
    """Return a comma-separated setting of Django apps, which must be importable.

    Raises:
        ImproperlyConfigured: the package of one is not there.
    """
    found = listing(name)
    for app in found:
        package = app.partition(".")[0]
        if find_spec(package) is None:
            raise ImproperlyConfigured(
                f"{name} names {app}, but Python finds no package {package}: install it in this environment, or set "
                "PYTHONPATH."
            )
    return found


def names(name: str, default: str) -> list[str]:
    """Return a comma-separated setting of names that stand in addresses and channels; at least one.

    Raises:
        ImproperlyConfigured: there is none, or one does not fit there.
    """
    found = listing(name, default)
    if not found:
        raise ImproperlyConfigured(f"{name} needs at least one name.")
    for part in found:
        if not is_slug(part):
            raise ImproperlyConfigured(f"{name}: {part[:100]!r} is not possible; a name here {SLUG_RULE}.")
    return found


def choice(name: str, default: str, *, of: Sequence[str]) -> str:
    """Return a setting that has a few values only.

    Raises:
        ImproperlyConfigured: it is none of them.
    """
    value = text(name, default).strip().lower()
    if value not in of:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(of)}, not {value!r}.")
    return value


def line(name: str) -> str:
    """Return a name for people, or nothing.

    Raises:
        ImproperlyConfigured: it is more than a line.
    """
    value = text(name, "").strip()
    if value and not is_line(value):
        raise ImproperlyConfigured(f"{name}: a name {LINE_RULE}.")
    return value


def networks(name: str, default: str = "") -> list[IPv4Network | IPv6Network]:
    """Return a comma-separated setting of addresses and networks.

    Raises:
        ImproperlyConfigured: one of them is neither.
    """
    found = []
    for part in listing(name, default):
        try:
            found.append(ip_network(part))
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} takes addresses and networks as 10.0.0.0/8: {error}.") from error
    return found


def origins(name: str) -> list[str]:
    """Return a comma-separated setting of web origins, as browsers write them (RFC 6454, section 6.2).

    Raises:
        ImproperlyConfigured: one of them has a path, or no scheme.
    """
    found = listing(name)
    for part in found:
        if not ORIGIN.fullmatch(part):
            raise ImproperlyConfigured(
                f"{name} has {part!r}. Write scheme, host and perhaps a port, in lower case and with nothing behind: "
                "https://app.example.com, http://localhost:5173."
            )
    return found


def mail(name: str = "EMAIL_URL") -> dict[str, object]:
    """Return Django's settings of the server for e-mail, of a URL; without a host where there is none.

    ``smtp://user:password@host:587`` begins in the clear and switches to TLS, ``smtps://…:465`` begins with it;
    ``smtp+plain://host:25`` stays in the clear, for a server on the same machine.

    Raises:
        ImproperlyConfigured: it is no such URL.
    """
    given = text(name, "")
    schemes = {"smtp": (587, True, False), "smtps": (465, False, True), "smtp+plain": (25, False, False)}
    if not given:
        return {"HOST": "", "PORT": 0, "HOST_USER": "", "HOST_PASSWORD": "", "USE_TLS": False, "USE_SSL": False}
    try:
        url = urlsplit(given)
        if url.scheme not in schemes or not url.hostname or url.port == 0:
            raise ValueError
    except ValueError:
        # What Python says may quote the password.
        raise ImproperlyConfigured(
            f"{name} must be as smtp://user:password@mail.example.com:587, or smtps://…; in a user or password write "
            f"{ESCAPES}."
        ) from None
    port, starts_tls, is_tls = schemes[url.scheme]
    return {
        "HOST": url.hostname,
        "PORT": url.port or port,
        "HOST_USER": unquote(url.username or ""),
        "HOST_PASSWORD": unquote(url.password or ""),
        "USE_TLS": starts_tls,
        "USE_SSL": is_tls,
    }


def database(name: str = "DATABASE_URL") -> dict[str, object]:
    """Return Django's database settings for a ``postgres://`` URL, as libpq reads it (RFC 3986, and several hosts).

    A unix socket is written ``postgres:///name?host=/folder``; other query parameters are options of libpq
    (``sslmode`` and the like). Of several hosts, ``postgres://one,two/name``, the one is used that takes writes.

    Raises:
        ImproperlyConfigured: missing, or not a Postgres URL; or of several hosts one that takes no writes would do.
    """
    url = text(name)
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(f"{name} must be a postgres:// URL.")
    try:
        options = conninfo_to_dict(url)
        # Of a password with a slash the beginning is read as a port.
        if not PORTS.fullmatch(str(options.get("port", ""))):
            raise psycopg.ProgrammingError
    except psycopg.ProgrammingError:
        # What libpq says quotes the URL, with the password.
        raise ImproperlyConfigured(
            f"{name} cannot be read. Write postgres://user:password@host:5432/name?option=value, with options that "
            f"libpq has, and in a user or password {ESCAPES}."
        ) from None
    host = str(options.pop("host", ""))
    if "," in host and options.setdefault("target_session_attrs", "read-write") not in WRITABLE:
        raise ImproperlyConfigured(
            f"{name} has several hosts and target_session_attrs={options['target_session_attrs']}: the portal writes, "
            "so leave that out (it is then read-write)."
        )
    return {
        "ENGINE": "portal.database",
        "NAME": str(options.pop("dbname", "")),
        "USER": str(options.pop("user", "")),
        "PASSWORD": str(options.pop("password", "")),
        "HOST": host,
        "PORT": str(options.pop("port", "")),
        "OPTIONS": options,
    }
