"""What bodies the API takes: strict JSON, and for uploads a multipart form or the bytes themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from tasks.api.refusals import InvalidEncoding
from tasks.api.strict_json import load_json


class StrictJSONParser(BaseParser):
    """`application/json` in UTF-8."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request = (parser_context or {})["request"]
        charset = request.content_params.get("charset", "utf-8")
        if charset.lower() not in {"utf-8", "utf8"}:
            raise InvalidEncoding(f"JSON is sent as UTF-8, not {charset[:40]}.")
        return self.load(stream.read())

    def load(self, body: bytes) -> Any:
        """Return what a body holds."""
        return load_json(body)


class RawBodyParser(BaseParser):
    """Any media type: hands on the stream unread, so that a file goes from the socket to the disk."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return stream
