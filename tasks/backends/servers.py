"""Changes to the model servers: added, switched on and off, given keys, removed. For the command and the screens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from tasks.backends import directory
from tasks.backends.addresses import BadAddress, parse_address, server_name
from tasks.backends.checks import Check, check_servers
from tasks.backends.directory import Listed
from tasks.errors import InvalidInput, NotFound
from tasks.models import Backend, BackendKey, BackendPool
from tasks.names import LINE_RULE, is_line
from tasks.secrets import seal

# So many characters at the end of a key tell people which one it is; short keys show none.
SHOWN, LEAST_LENGTH = 4, 16


@dataclass(frozen=True)
class NewServer:
    """A server as an operator describes it."""

    kind: str
    address: str
    name: str = ""
    models: Sequence[str] = ()
    weight: float = 1.0
    most_calls: int = 4
    keys: Sequence[str] = ()


def add_server(new: NewServer) -> Backend:
    """Add a server; a key in its address is taken out of it and sealed.

    Raises:
        InvalidInput: the address is none, the name more than a line, a number is out of range, or the server is there
            already.
    """
    try:
        address = parse_address(new.address)
    except BadAddress as error:
        raise InvalidInput(str(error)) from error
    name = new.name.strip() or server_name(address.base_url)
    if not is_line(name):
        raise InvalidInput(f"The name of a model server {LINE_RULE}.")
    if not 0 < new.weight <= 1000 or not 1 <= new.most_calls <= 10_000:
        raise InvalidInput("The weight is more than 0 and at most 1000, the calls at once are 1 to 10,000.")
    try:
        with transaction.atomic():
            backend = Backend.objects.create(
                kind=new.kind,
                name=name,
                base_url=address.base_url,
                model_names=list(new.models),
                weight=new.weight,
                most_calls=new.most_calls,
            )
            set_keys(backend, [*new.keys, *([address.key] if address.key else [])])
    except IntegrityError as error:
        raise InvalidInput(f"There is a server for {new.kind} at {address.base_url} already.") from error
    directory.forget()
    return backend


def set_keys(backend: Backend, keys: Sequence[str]) -> None:
    """Replace the keys of a server, sealed; none: it is called without one."""
    with transaction.atomic():
        backend.keys.all().delete()
        BackendKey.objects.bulk_create(
            BackendKey(backend=backend, sealed=seal(key), ending=key[-SHOWN:] if len(key) >= LEAST_LENGTH else "set")
            for key in dict.fromkeys(key.strip() for key in keys)
            if key
        )
    directory.forget()


def enable_server(backend: Backend) -> None:
    """Let a server be called again, with its breaker closed."""
    Backend.objects.filter(pk=backend.pk).update(
        enabled=True, failure_count=0, failing="", open_until=None, rests_until=None
    )
    backend.keys.update(rests_until=None)
    transaction.on_commit(directory.forget)


def drain_server(backend: Backend) -> None:
    """Start no more calls on a server; those that run end by themselves."""
    Backend.objects.filter(pk=backend.pk).update(enabled=False)
    # Before the commit another thread would read the old row, and keep it.
    transaction.on_commit(directory.forget)


def remove_server(backend: Backend) -> None:
    """Forget a server; calls that run on it end by themselves."""
    backend.delete()
    directory.forget()


def test_server(backend: Backend) -> Check:
    """Check a server now, and note what was found."""
    directory.forget()
    known = [listed for listed in directory.servers(backend.kind) if listed.id == backend.pk]
    # One that another process's environment names is checked as well, without the key that stands there.
    listed = known[0] if known else Listed(backend.kind, backend.pk, backend.name, backend.base_url)
    return check_servers([listed])[0]


def set_strategy(kind: str, strategy: str) -> None:
    """Say how a server is chosen among those of a kind."""
    BackendPool.objects.update_or_create(kind=kind, defaults={"strategy": strategy})


def find_server(kind: str, name: str) -> Backend:
    """Return a server by its name or address.

    Raises:
        NotFound: there is none, or several have this name.
    """
    found = Backend.objects.filter(kind=kind, name=name) | Backend.objects.filter(kind=kind, base_url=name.rstrip("/"))
    if len(rows := list(found[:2])) != 1:
        few = "Several servers have" if rows else "No server has"
        raise NotFound(f"{few} the name {name!r} among those for {kind}; `manage.py backend list` shows them.")
    return rows[0]
