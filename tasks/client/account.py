"""The account: what there is to use, what its plan allows, and its tokens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from .sending import Sender, given
from .shapes import Token
from .written_once import method, series

# As many as a page may have: what is read whole takes few requests.
PAGE = 100


class Account:
    _sender: Sender

    @method
    async def task_types(self) -> list[dict[str, Any]]:
        """Return the task types, with schemas, an example, and whether each is ready here."""
        return [found async for found in self._sender.pages("/api/v1/task-types", limit=PAGE)]

    @method
    async def task_type(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._sender.send_json("GET", f"/api/v1/task-types/{name}")
        return found

    @method
    async def queues(self) -> list[dict[str, Any]]:
        """Return the queues: how many of one's own wait and run there, and whether to submit more now."""
        return [found async for found in self._sender.pages("/api/v1/queues", limit=PAGE)]

    @method
    async def queue(self, queue_name: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._sender.send_json("GET", f"/api/v1/queues/{queue_name}")
        return found

    @method
    async def quota(self) -> dict[str, Any]:
        """Return what the plan allows and what is used of it."""
        quota: dict[str, Any] = await self._sender.send_json("GET", "/api/v1/quota")
        return quota

    @method
    async def usage(self, days: int | None = None) -> dict[str, Any]:
        """Return what was used, by UTC day and task type, of the last `days` (90 at most)."""
        usage: dict[str, Any] = await self._sender.send_json("GET", "/api/v1/usage", params=given(days=days))
        return usage

    @method
    async def make_token(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        expires_at: str | None = None,
        idempotency_key: str | None = None,
    ) -> Token:
        """Make a token, with no more scopes than this one's; its text is in the answer, this once.

        Where the first answer got lost, `token` is None: revoke it, and make another.
        """
        body = {"name": name, "scopes": list(scopes), **given(expires_at=expires_at)}
        made: Token = await self._sender.make("POST", "/api/v1/tokens", key=idempotency_key, json=body)
        return made

    @series
    async def tokens(self) -> AsyncGenerator[Token]:
        """Yield one's tokens, newest first, without their texts."""
        async for token in self._sender.pages("/api/v1/tokens"):
            yield token

    @method
    async def get_token(self, token_id: str) -> Token:
        found: Token = await self._sender.send_json("GET", f"/api/v1/tokens/{token_id}")
        return found

    @method
    async def revoke_token(self, token_id: str) -> None:
        """Revoke a token; it stops at once, and so does what it has open."""
        await self._sender.send("DELETE", f"/api/v1/tokens/{token_id}")
