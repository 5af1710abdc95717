"""The WebSocket of the operators' pages: it says when what a page shows has changed, and the page reads it again.

However many look at a page, it is looked at once in a while for all of them; while nobody looks, not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db.models.functions import Now
from django.template.loader import render_to_string

from accounts.second_factor import lacks_factor
from tasks.admin.charts import last_hour
from tasks.admin.node_page import kept_facts
from tasks.admin.overview import overview
from tasks.figures.depths import queue_depths
from tasks.figures.nodes import load_text, shown_nodes, standing_of
from tasks.figures.series import By
from tasks.live.consumer import LONGEST_SECONDS, MOST_SOCKETS, NOT_SIGNED_IN, START_OVER, TOO_MANY
from tasks.models import PausedType, Queue

logger = logging.getLogger(__name__)

# Close code of ours: may not look at this page, or there is none of that name.
NOT_ALLOWED = 4403
STEP_SECONDS = 4.0
# Of one page nobody may make the process look at very many.
MOST_PAGES = 200

Look = Callable[[], str]


def version_of_overview() -> str:
    """Return something that changes whenever what the overview shows does."""
    return _digest(render_to_string("admin/overview/live.html", {"overview": overview()}))


def version_of_node(node_id: UUID) -> str:
    """Return something that changes whenever what the page of a node shows does, but for times that run."""
    facts = kept_facts(node_id)
    if facts is None:
        return "gone"
    runs = [
        (run.task_id, run.task and (run.task.progress_stage, run.task.progress_fraction)) for run in facts["running"]
    ]
    stacks = [(stack.row.pk, stack.row.answered_at, stack.is_awaited) for stack in facts["stacks"]]
    return _digest(repr((facts["standing"], facts["node"].throttled, facts["load"], runs, stacks)))


def version_of_queues() -> str:
    """Return something that changes whenever what the list of queues shows does."""
    rows, depths = list(Queue.objects.values_list("name", "title", "paused_at", "paused_reason")), queue_depths()
    shown = [depths[name] for name, *_ in rows]
    texts = [(depth.held_text, depth.ready_text, depth.running_text, depth.oldest_text) for depth in shown]
    return _digest(repr((rows, texts, _last_hour("queue"))))


def version_of_nodes() -> str:
    """Return something that changes whenever what the list of nodes shows does, but for times that run."""
    nodes = shown_nodes().annotate(now=Now()).order_by("pk")
    loads = [(node.throttled, load_text(node), node.cpu_percent, node.memory_percent) for node in nodes]
    return _digest(repr(([(node.pk, standing_of(node, node.now)) for node in nodes], loads)))


def version_of_types() -> str:
    """Return something that changes whenever what the list of task types shows does."""
    return _digest(repr((list(PausedType.objects.values_list()), _last_hour("type"))))


def _last_hour(by: By) -> dict[str, list[tuple[int, int]]]:
    trends = last_hour(by)
    return {label: [(sums.total, sums.failed) for _, sums in trends[label].points] for label in sorted(trends)}


LISTS: dict[str, tuple[Look, str]] = {
    "overview": (version_of_overview, "tasks.view_task"),
    "queues": (version_of_queues, "tasks.view_queue"),
    "nodes": (version_of_nodes, "tasks.view_node"),
    "types": (version_of_types, "tasks.view_task"),
}


def find_page(name: str) -> tuple[Look, str] | None:
    """Return what tells a page's version, and the permission to see it; None where there is no such page."""
    if name in LISTS:
        return LISTS[name]
    kind, _, key = name.partition(":")
    if kind != "node":
        return None
    try:
        node_id = UUID(key)
    except ValueError:
        return None
    return lambda: version_of_node(node_id), "tasks.view_node"


class Watchers:
    """Who looks at which page; each page is looked at by one task of the event loop, as long as somebody does."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[str]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def is_full(self) -> bool:
        return len(self._tasks) >= MOST_PAGES

    def join(self, page: str, look: Look) -> asyncio.Queue[str]:
        """Return a queue that gets the page's version every few seconds, whether it has changed or not."""
        versions: asyncio.Queue[str] = asyncio.Queue(1)
        self._queues.setdefault(page, set()).add(versions)
        if page not in self._tasks:
            self._tasks[page] = asyncio.create_task(self._watch(page, look), name=f"watch {page}")
        return versions

    def leave(self, page: str, versions: asyncio.Queue[str]) -> None:
        """Stop telling; the page is looked at no more once everybody has left."""
        remaining = self._queues.get(page, set())
        remaining.discard(versions)
        if not remaining:
            self._queues.pop(page, None)
            if task := self._tasks.pop(page, None):
                task.cancel()

    async def _watch(self, page: str, look: Look) -> None:
        ask = database_sync_to_async(look)
        while True:
            try:
                version = await ask()
            except Exception:
                # The page says by itself that it is stale; it is told again once the database is back.
                logger.exception("the page %s could not be looked at; it is tried again", page)
            else:
                for versions in self._queues.get(page, ()):
                    # Who has not read the last one yet gets the next.
                    if versions.empty():
                        versions.put_nowait(version)
            await asyncio.sleep(STEP_SECONDS)


watchers = Watchers()
_sockets: dict[int, int] = {}


class OperationsConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """``/ws/operations?page=overview``: sends {"version", "every"} every few seconds; listens to nothing."""

    _sender: asyncio.Task[None] | None = None
    _user_id: int | None = None

    async def connect(self) -> None:
        user = self.scope["user"]
        # Accepted first: a browser is told a close code only of an open socket.
        await self.accept()
        name = parse_qs(self.scope["query_string"].decode("latin-1")).get("page", [""])[0]
        page = find_page(name)
        if not user.is_authenticated or not user.is_active:
            await self.close(NOT_SIGNED_IN)
        elif page is None or not await _may_see(user, page[1]):
            await self.close(NOT_ALLOWED)
        elif _sockets.get(user.pk, 0) >= MOST_SOCKETS or watchers.is_full:
            await self.close(TOO_MANY)
        else:
            self._user_id = user.pk
            _sockets[user.pk] = _sockets.get(user.pk, 0) + 1
            self._sender = asyncio.create_task(self._send_versions(name, page[0]))

    async def disconnect(self, code: int) -> None:
        if self._sender is None or self._user_id is None:
            return
        _sockets[self._user_id] -= 1
        if not _sockets[self._user_id]:
            del _sockets[self._user_id]
        self._sender.cancel()
        with suppress(asyncio.CancelledError):
            await self._sender

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Nothing that a page says is listened to."""

    async def _send_versions(self, name: str, look: Look) -> None:
        versions = watchers.join(name, look)
        try:
            # Sessions end, and permissions are taken away: a page connects again this often, and is asked who it is.
            async with asyncio.timeout(LONGEST_SECONDS):
                while True:
                    await self.send_json({"version": await versions.get(), "every": STEP_SECONDS})
        except TimeoutError:
            await self.close(START_OVER)
        finally:
            watchers.leave(name, versions)


async def _may_see(user: Any, permission: str) -> bool:
    allowed: bool = await database_sync_to_async(
        lambda: user.is_staff and user.has_perm(permission) and not lacks_factor(user)
    )()
    return allowed


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
