"""Which model servers there are: rows that people added, and those that this process's environment names.

Read once in two seconds a process: task types ask at every turn whether they can run. What must hold at once
(enabled, limits, health) is read again by the statement that chooses a server.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.db.models.functions import Now

from tasks.backends.addresses import Address, is_local, parse_address, server_name
from tasks.kept import kept
from tasks.models import Backend
from tasks.models.backend import Kind

CACHE_SECONDS = 2.0
# The setting that lists the servers of a kind. Plain HTTP services have none: a name tells which one is meant.
SETTINGS = {
    Kind.CHAT: "BACKENDS_CHAT",
    Kind.EMBEDDINGS: "BACKENDS_EMBEDDINGS",
    Kind.IMAGES: "BACKENDS_IMAGES",
    Kind.VISION: "BACKENDS_VISION",
    Kind.SPEECH: "BACKENDS_SPEECH",
}
# What `make run` brings along: good for trying things out, and it makes answers up.
DEMO_MODELS = {"smollm2-135m-instruct"}


@dataclass(frozen=True)
class Listed:
    """A server as it is known here. `models` are what it has, None when nobody knows; `id` is 0 before it has a row."""

    kind: str
    id: int
    name: str
    base_url: str
    enabled: bool = True
    strategy_weight: float = 1.0
    models: tuple[str, ...] | None = None
    key: str = field(default="", repr=False)

    def has_model(self, model: str) -> bool:
        return not model or self.models is None or model in self.models

    @property
    def is_demo(self) -> bool:
        """Only the demo model; a server on this machine that has not told its models yet counts as that."""
        if self.models is None:
            return self.kind == Kind.CHAT and is_local(self.base_url)
        return bool(self.models) and set(self.models) <= DEMO_MODELS


# The addresses that the environment names, by kind.
Named = tuple[tuple[str, tuple[Address, ...]], ...]


def servers(kind: str, *, fresh: bool = False) -> list[Listed]:
    """Return the servers of a kind, those that are switched off included. Reads the database at most every 2 s.

    Raises:
        BadAddress: a setting names something that is no address.
    """
    if fresh:
        forget()
    named = tuple((str(kind), named_addresses(kind)) for kind in SETTINGS)
    return [listed for listed in _load(named) if listed.kind == kind]


def base_urls() -> set[str]:
    """Return where the model servers are, those that are switched off included; plain HTTP services are none.

    Raises:
        BadAddress: a setting names something that is no address.
    """
    return {listed.base_url for kind in SETTINGS for listed in servers(kind)}


def forget() -> None:
    """Read the database anew next time; called by what changes the servers."""
    _load.forget()


def is_configured(kind: str, *, demo: bool = False) -> bool:
    """Return whether a server of this kind is set up and switched on. Cheap enough for every request.

    `demo` says that the small demo model counts too.
    """
    return any(listed.enabled and (demo or not listed.is_demo) for listed in servers(kind))


def named_addresses(kind: str) -> tuple[Address, ...]:
    """Return what the environment of this process names.

    Raises:
        BadAddress: a setting names something that is no address.
    """
    texts: list[str] = getattr(settings, SETTINGS[Kind(kind)]) if kind in SETTINGS else []
    return tuple({address.base_url: address for address in map(parse_address, texts)}.values())


def name_environment() -> None:
    """Give every server that the environment names a row, unless it has one, and note that it is named."""
    rows = [
        Backend(
            kind=kind,
            name=server_name(address.base_url),
            base_url=address.base_url,
            from_environment=True,
            named_at=Now(),
        )
        for kind in SETTINGS
        for address in named_addresses(kind)
    ]
    if rows:
        Backend.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["kind", "base_url"], update_fields=["named_at"]
        )


@kept(seconds=CACHE_SECONDS)
def _load(named: Named) -> tuple[Listed, ...]:
    keys = {(kind, address.base_url): address.key for kind, found in named for address in found}
    rows = Backend.objects.order_by("id").only(
        "kind", "name", "base_url", "enabled", "weight", "model_names", "seen_models", "from_environment"
    )
    listed = [
        Listed(
            kind=row.kind,
            id=row.pk,
            name=row.name,
            base_url=row.base_url,
            enabled=row.enabled,
            strategy_weight=row.weight,
            models=_models_of(row),
            key=keys.pop((row.kind, row.base_url), ""),
        )
        for row in rows
        if not row.from_environment or (row.kind, row.base_url) in keys
    ]
    # Nobody has given these a row yet.
    new = (Listed(kind, 0, server_name(url), url, key=key) for (kind, url), key in keys.items())
    return (*listed, *new)


def _models_of(row: Backend) -> tuple[str, ...] | None:
    if row.model_names:
        return tuple(row.model_names)
    return None if row.seen_models is None else tuple(row.seen_models)
