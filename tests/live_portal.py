"""A whole portal for tests: a web process and a node on the test database, with model servers on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.backends.fake_server import FakeServer, running
from tests.cluster.conftest import RunningNode
from tests.outbound.receiver import ANY_PORT_OF_LOOPBACK
from tests.web.live import LiveServer


@dataclass(frozen=True)
class LivePortal:
    """`url` has no slash at its end; `models` plays the chat and image server."""

    url: str
    models: FakeServer
    node: RunningNode


@contextmanager
def live_portal(
    *,
    start_node: Callable[..., RunningNode],
    environment: dict[str, str],
    folder: Path,
    kinds: Sequence[str] = ("CHAT", "IMAGES"),
    beside: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[LivePortal]:
    """Run a portal with model servers of these kinds and settings `beside`; the node ends with its fixture."""
    with running() as models:
        # Pictures and recordings that tests serve on loopback may be fetched.
        extra = {f"BACKENDS_{kind}": models.base_url for kind in kinds} | {"OUTBOUND_ALLOW": ANY_PORT_OF_LOOPBACK}
        extra |= beside
        server = LiveServer(log=folder / "web.log", environment=environment | extra)
        try:
            yield LivePortal(server.url, models, start_node(workers=2, **extra))
        finally:
            server.stop()
