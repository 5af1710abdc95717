"""Which of the peers can be measured here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module

from tests.bench import limits
from tests.bench.peers.peer import Peer

PEERS = ("with_pgqueuer.WithPgQueuer", "with_procrastinate.WithProcrastinate", "with_celery.WithCelery")


@contextmanager
def peers(environment: Mapping[str, str]) -> Iterator[list[Peer]]:
    """Give the peers that are installed, set up; what is missing is said. None, unless PEERS asks for them."""
    found: list[Peer] = []
    with ExitStack() as stack:
        for place in PEERS if environment.get("PEERS") else ():
            module, _, name = place.partition(".")
            try:
                peer_class = getattr(import_module(f"tests.bench.peers.{module}"), name)
            except ImportError as error:
                print(f"{name} is left out: {error}. `make bench PEERS=1` installs what is in requirements/peers.txt.")
                continue
            peer: Peer = peer_class(limits.parameters())
            peer.set_up()
            stack.callback(peer.close)
            found.append(peer)
        yield found
