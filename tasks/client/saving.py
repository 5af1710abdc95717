"""Downloads: into memory, or to a path, where the file is whole or not at all."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path

from .sending import Sender

ANY = {"Accept": "*/*"}


async def save(sender: Sender, address: str, to: str | Path | None) -> bytes:
    """Return what is at this address; or with `to` write it to that path and return nothing."""
    content = sender.open("GET", address, headers=ANY)
    if to is None:
        async with content as answer:
            return await sender.wire.read(answer)
    part = Path(to).with_name(f".{Path(to).name}.{uuid.uuid4().hex[:8]}.part")
    on_disk = sender.wire.on_disk
    try:
        async with content as answer:
            with await on_disk(lambda: part.open("xb")) as target:
                async for chunk in sender.wire.chunks(answer):
                    await on_disk(partial(target.write, chunk))
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return b""
