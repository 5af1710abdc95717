"""Inputs that take a stored file or a URL, exactly one: the fields, and how the bytes come to this machine."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self
from urllib.parse import unquote, urlsplit
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator, model_validator

from tasks.context import Context
from tasks.engines.content_types import content_type_of, is_taken
from tasks.errors import UnreadableFile
from tasks.one_of import WEB_ADDRESS_OR_BLANK, exactly_one_of
from tasks.registry import Input

MAX_FETCHED_BYTES = 100 * 1024 * 1024
FETCH_SECONDS = 120.0
MAX_URL_LENGTH, MAX_NAME_LENGTH = 2000, 200


class FileOrUrl(Input):
    """Add ``file`` with `file_field` in the subclass; ``url`` stands after it in forms."""

    model_config = ConfigDict(json_schema_extra=exactly_one_of("file", "url"))

    file: UUID | None = None
    url: str | None = Field(
        default=None,
        title="URL",
        description="Where the file is fetched from, instead of an uploaded one.",
        max_length=MAX_URL_LENGTH,
        examples=["https://example.com/report.pdf"],
        json_schema_extra={"pattern": WEB_ADDRESS_OR_BLANK},
    )

    @field_validator("url")
    @classmethod
    def _url_is_a_web_address(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        parts = urlsplit(value.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a URL begins with https:// and names a host")
        if parts.username or parts.password:
            raise ValueError("a URL must not hold a password: it would be stored and shown")
        return value.strip()

    @model_validator(mode="after")
    def _one_of_file_and_url(self) -> Self:
        if (self.file is None) == (self.url is None):
            raise ValueError("give either file or url")
        return self


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine, not to be written to. `sha256` is in hex, `size` in bytes."""

    path: Path
    name: str
    content_type: str
    size: int
    sha256: str


@contextmanager
def open_input(ctx: Context, data: FileOrUrl, *, accept: tuple[str, ...] = ()) -> Iterator[LocalFile]:
    """Bring the input's file to this machine for as long as the block lasts.

    What is behind a URL is not stored: only what the task makes of it. `accept` are the content types
    taken; a stored file was checked at its submission.

    Raises:
        UnreadableFile: the stored file is gone, or what was fetched is of another kind.
        UrlRefused, FetchFailed, InputTooLarge: see `tasks.outbound.fetch.get`.
    """
    if data.file is not None:
        info = ctx.file_info(data.file)
        yield LocalFile(ctx.local_path(data.file), info.name, info.content_type, info.size, info.sha256)
        return
    assert data.url is not None
    with tempfile.TemporaryDirectory(prefix="portal-fetched-") as folder:
        fetched = _fetch(ctx, data.url, Path(folder) / "file")
        if accept and not is_taken(fetched.content_type, accept):
            raise UnreadableFile(f"The URL leads to {fetched.content_type}; taken here: {', '.join(accept)}.")
        yield fetched


def _fetch(ctx: Context, url: str, path: Path) -> LocalFile:
    from tasks.outbound import fetch

    ctx.progress(0.0, "fetching the file")
    answer = fetch.get(url, max_bytes=MAX_FETCHED_BYTES, timeout_seconds=FETCH_SECONDS)
    ctx.check()
    if not answer.body:
        raise UnreadableFile("The URL leads to an empty file.")
    path.write_bytes(answer.body)
    name = _name_of(answer.url)
    kind = content_type_of(path, name)
    return LocalFile(path, name, kind, len(answer.body), hashlib.sha256(answer.body).hexdigest())


def _name_of(url: str) -> str:
    last = unquote(PurePosixPath(urlsplit(url).path).name)
    printable = "".join(character for character in last if character.isprintable())
    return printable[:MAX_NAME_LENGTH] or "fetched"
