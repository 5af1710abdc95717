"""Both clients against a whole portal: streams, and polls that are held open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from accounts.models import User
from tasks.client import Client
from tests.client.both import Connect
from tests.cluster.conftest import RunningNode, environment, start_node
from tests.live_portal import live_portal

__all__ = ["environment", "start_node"]

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def test_client_watches_as_it_happens(
    start_node: Callable[..., RunningNode],
    environment: dict[str, str],
    tmp_path: Path,
    alice: User,
    token_of: Callable[..., str],
    connect: Connect,
) -> None:
    # One portal serves all of this: starting one takes longer than the rest.
    with (
        live_portal(start_node=start_node, environment=environment, folder=tmp_path) as running,
        connect(running.url, token_of(alice)) as portal,
    ):
        running.models.text = "Lighthouses wait."
        _stream_of_a_task_tells_its_text(portal)
        _stream_of_everything_tells_of_all_tasks(portal, connect(running.url, token_of(alice)))
        _wait_is_one_request(portal)


def _stream_of_a_task_tells_its_text(portal: Client) -> None:
    task = portal.submit("text.generate", {"prompt": "Write."})
    events = list(portal.stream(task["id"]))
    assert "".join(event.data["data"]["text"] for event in events if event.name == "output") == "Lighthouses wait."
    assert (events[-1].name, events[-1].data["result"]["text"]) == ("done", "Lighthouses wait.")
    # After a restart: only what came after the event that is known.
    known = next(event for event in events if event.name == "output")
    again = list(portal.stream(task["id"], last_event_id=known.id))
    assert known.id not in {event.id for event in again}
    assert again[-1].name == "done"


def _stream_of_everything_tells_of_all_tasks(portal: Client, other: Client) -> None:
    ended: list[Any] = []
    is_open = Event()
    ids: set[Any] = set()

    def listen() -> None:
        with other:
            for event in other.stream():
                is_open.set()
                if event.name == "done":
                    ended.append(event.data["id"])
                    if ids and ids <= set(ended):
                        return

    listener = Thread(target=listen)
    listener.start()
    # The stream tells what happens from when it is open.
    while not is_open.wait(1):
        portal.submit("diagnostic.echo", {"message": "is anybody there?"})
    ids = {portal.submit("diagnostic.echo", {"message": word})["id"] for word in ("one", "two")}
    # With the end of whichever comes last it has heard enough.
    portal.submit("diagnostic.echo", {"message": "the end"})
    listener.join(120)
    assert ids <= set(ended)
    assert len(ended) == len(set(ended))


def _wait_is_one_request(portal: Client) -> None:
    task = portal.submit("diagnostic.sleep", {"seconds": 2})
    asked: list[str] = []
    send = portal._sender.wire.send

    async def note(method: str, path: str, **request: Any) -> httpx.Response:
        asked.append(path)
        return await send(method, path, **request)

    portal._sender.wire.send = note
    assert portal.wait(task["id"], timeout=60)["status"] == "succeeded"
    assert len(asked) == 1
