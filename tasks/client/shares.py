"""Links to results that anybody may read who has them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from .sending import Sender, given
from .shapes import Share
from .written_once import method, series


class Shares:
    _sender: Sender

    @method
    async def share(self, task_id: str, *, days: int | None = None, idempotency_key: str | None = None) -> Share:
        """Make a read-only link to a result, good for a week, or for `days`; `url` is in the answer, this once."""
        body = {"task": task_id, **given(days=days)}
        made: Share = await self._sender.make("POST", "/api/v1/shares", key=idempotency_key, json=body)
        return made

    @series
    async def shares(self) -> AsyncGenerator[Share]:
        """Yield one's links that are good now, newest first, without their addresses."""
        async for share in self._sender.pages("/api/v1/shares"):
            yield share

    @method
    async def get_share(self, share_id: str) -> Share:
        found: Share = await self._sender.send_json("GET", f"/api/v1/shares/{share_id}")
        return found

    @method
    async def revoke_share(self, share_id: str) -> None:
        """Take a link back, at once and for good."""
        await self._sender.send("DELETE", f"/api/v1/shares/{share_id}")
