"""Asks for everything that there is to look at, does every duty, and notes what each read."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from django.db import connection
from django.test import Client

from tasks.duties import all_duties
from tasks.figures.causes import LIMIT, note_causes
from tasks.figures.roll_up import roll_up_attempts
from tasks.figures.usage import roll_up_usage
from tasks.kept import forget_all
from tests.growth.addresses import admin_addresses, api_addresses, web_addresses
from tests.growth.reading import AS_A_NODE, AS_IF_LARGE, Statement, statements_seen
from tests.growth.world import World

MOST_ROUNDS = 200
BACKEND = "django.contrib.auth.backends.ModelBackend"
# What may grow, by a part of its text, and why.
KNOWN = {
    'SUM("file"."size")': "of one user's files, which a plan limits by their bytes",
    '"task"."finished_at" = ("failure"."failed_at")': "of the rows that a list looks at, a level of an index each",
    'WHERE ("task_content"."task_id" IS NULL AND': "of all result files, once a day",
}


Look = Callable[[], Any]


class Read(NamedTuple):
    """Pages and statements, and the statement that read most."""

    pages: int
    statements: int
    worst: str


def read_all(world: World, *, only: Container[str] | None = None, is_thorough: bool = False) -> dict[str, Read]:
    """Return what each address and duty read, by its name in every world.

    Args:
        only: what of these names.
        is_thorough: with pairs of filters, and with the plans that the size of the tables calls for: make them large.
    """
    roll_up_usage()
    while roll_up_attempts():
        pass
    while note_causes() >= LIMIT:
        pass
    _vacuum()
    found = {}
    with _looking(world) as (operator, user):
        for name, look in _addresses(world, operator, user, with_pairs=is_thorough):
            if only is None or name in only:
                found[name] = _measured(look, () if is_thorough else AS_IF_LARGE)
    for name, do in _duties():
        if only is None or name in only:
            found[name] = _measured(do, AS_A_NODE)
    return found


@contextmanager
def _looking(world: World) -> Iterator[tuple[Client, Client]]:
    """Give the browsers of olga and alice; what answers with an error is measured as well."""
    clients = Client(raise_request_exception=False), Client(raise_request_exception=False)
    for client, who in zip(clients, (world.olga, world.alice), strict=True):
        client.force_login(who, BACKEND)
    yield clients


def _addresses(world: World, operator: Client, user: Client, *, with_pairs: bool) -> Iterator[tuple[str, Look]]:
    token = {"Authorization": f"Bearer {world.token}"}
    for address in admin_addresses(operator, world, with_pairs=with_pairs):
        yield _name(address, world), partial(operator.get, address)
    for address in api_addresses(world, with_pairs=with_pairs):
        yield _name(address, world), partial(user.get, address, headers=token)
    for address in [*web_addresses(world, with_pairs=with_pairs), "/metrics"]:
        yield _name(address, world), partial(user.get, address)


def _duties() -> Iterator[tuple[str, Look]]:
    duties = sorted(all_duties().items())
    for _, duty in duties:
        # Until there is nothing to do any more.
        for _ in range(MOST_ROUNDS):
            if not duty.run():
                break
    _vacuum()
    for name, duty in duties:
        yield f"duty {name}", duty.run


def _measured(look: Look, planned: Sequence[str]) -> Read:
    forget_all()
    with statements_seen(planned=planned) as seen:
        answer = look()
        if getattr(answer, "streaming", False):
            list(answer.streaming_content)
    counted = [one for one in seen if not any(known in one.text for known in KNOWN)]
    worst = max(counted, default=Statement(0, "", {}), key=lambda one: one.pages)
    return Read(sum(one.pages for one in counted), len(counted), f"{worst.pages} by {worst.text[:2_000]}")


def _name(address: str, world: World) -> str:
    for name, value in world.things.items():
        if len(value) > 20:
            address = address.replace(value, f"<{name}>")
    return address


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
