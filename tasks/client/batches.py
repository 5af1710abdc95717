"""Batches: up to 1,000 tasks in one request."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .saving import save
from .sending import Sender
from .shapes import Batch, ItemResult
from .written_once import method, series


class Batches:
    _sender: Sender

    @method
    async def batch(
        self,
        tasks: Sequence[Mapping[str, Any]],
        *,
        name: str = "",
        atomic: bool = False,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Submit up to 1,000 tasks (bodies as of POST /tasks) as one batch; `atomic`: all of them, or none."""
        body = {"tasks": [dict(task) for task in tasks], "name": name, "atomic": atomic}
        batch: Batch = await self._sender.make("POST", "/api/v1/batches", key=idempotency_key, json=body)
        return batch

    @method
    async def get_batch(self, batch_id: str) -> Batch:
        batch: Batch = await self._sender.send_json("GET", f"/api/v1/batches/{batch_id}")
        return batch

    @series
    async def batches(self) -> AsyncGenerator[Batch]:
        """Yield one's batches, newest first, without their items."""
        async for batch in self._sender.pages("/api/v1/batches"):
            yield batch

    @method
    async def cancel_batch(self, batch_id: str) -> Batch:
        """Cancel what has not ended of a batch; repeating it changes nothing."""
        batch: Batch = await self._sender.send_json("POST", f"/api/v1/batches/{batch_id}/cancel")
        return batch

    @method
    async def retry_batch(self, batch_id: str) -> Batch:
        """Retry what has failed of a batch, counted like submissions.

        Raises:
            WrongStatus: nothing of it has failed.
        """
        batch: Batch = await self._sender.send_json("POST", f"/api/v1/batches/{batch_id}/retry")
        return batch

    @method
    async def download_batch(self, batch_id: str, to: str | Path | None = None) -> bytes:
        """Return all results of a batch as one ZIP; or with `to` write it to that path, and return nothing."""
        return await save(self._sender, f"/api/v1/batches/{batch_id}/results.zip", to)

    @method
    async def download_batch_tables(self, batch_id: str, to: str | Path | None = None) -> bytes:
        """Return the tables of all results as one CSV; or with `to` write it to that path, and return nothing."""
        return await save(self._sender, f"/api/v1/batches/{batch_id}/tables.csv", to)

    @method
    async def download_batch_workbook(self, batch_id: str, to: str | Path | None = None) -> bytes:
        """Return the tables of all results as a workbook (XLSX); or with `to` write it to that path."""
        return await save(self._sender, f"/api/v1/batches/{batch_id}/tables.xlsx", to)

    @series
    async def batch_results(self, batch_id: str) -> AsyncGenerator[ItemResult]:
        """Yield what came of each item, in their order, as the portal sends it; at any time."""
        lines = {"Accept": "application/jsonl"}
        async with self._sender.open("GET", f"/api/v1/batches/{batch_id}/results", headers=lines) as answer:
            rest = b""
            async for chunk in self._sender.wire.chunks(answer):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield json.loads(line)
            if rest:
                yield json.loads(rest)
