"""Files: up, down, and links for people without an account."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from .saving import save
from .sending import Sender, given
from .shapes import File, FileLink
from .written_once import method, series


class Files:
    _sender: Sender

    @method
    async def upload(
        self, source: str | Path | bytes, *, name: str | None = None, idempotency_key: str | None = None
    ) -> File:
        """Upload a file from this machine without reading it into memory, or some bytes.

        A request that got lost is repeated with the same key and the whole content, so that there is one file.
        """
        if isinstance(source, bytes):
            return await _upload(self._sender, BytesIO(source), len(source), name or "upload", idempotency_key)
        path = Path(source)
        file = await self._sender.wire.on_disk(lambda: path.open("rb"))
        with file:
            size = os.fstat(file.fileno()).st_size
            return await _upload(self._sender, file, size, name or path.name, idempotency_key)

    @method
    async def download(self, file_id: str, to: str | Path | None = None) -> bytes:
        """Return a file's bytes; or with `to` write them to that path, whole or not at all, and return none."""
        return await save(self._sender, f"/api/v1/files/{file_id}/content", to)

    @series
    async def files(self, *, sha256: str | None = None) -> AsyncGenerator[File]:
        """Yield one's files, newest first: uploaded, and made by tasks; or those with this content only."""
        async for file in self._sender.pages("/api/v1/files", **given(sha256=sha256)):
            yield file

    @method
    async def get_file(self, file_id: str) -> File:
        """Return what is known of a file, without its bytes."""
        file: File = await self._sender.send_json("GET", f"/api/v1/files/{file_id}")
        return file

    @method
    async def change_file(self, file_id: str, *, name: str | None = None, tags: list[str] | None = None) -> File:
        """Rename a file, or give it other tags; what is not given stays.

        Raises:
            InvalidBody: no usable name, or no usable tags.
        """
        body = given(name=name, tags=tags)
        file: File = await self._sender.send_json("PATCH", f"/api/v1/files/{file_id}", json=body)
        return file

    @method
    async def link(self, file_id: str, *, expires_in: int | str | None = None) -> FileLink:
        """Make an address of the file that works without a token for a while: seconds, or ``"2h"``; an hour."""
        body = given(expires_in=expires_in)
        link: FileLink = await self._sender.send_json("POST", f"/api/v1/files/{file_id}/link", json=body)
        return link

    @method
    async def delete_file(self, file_id: str) -> None:
        """Delete a file; what it took of the plan is free at once."""
        await self._sender.send("DELETE", f"/api/v1/files/{file_id}")


async def _upload(sender: Sender, content: BinaryIO, size: int, name: str, key: str | None) -> File:
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
    query = {"name": name}
    file: File = await sender.make("POST", "/api/v1/files", key=key, file=content, params=query, headers=headers)
    return file
