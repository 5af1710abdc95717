"""Media types besides JSON that views answer with; DRF looks here for what `Accept` may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer


class _Sent(BaseRenderer):
    """Only names a media type: the view answers with a response of Django's that is complete."""

    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        raise NotImplementedError("The view sends its answer itself.")


class JsonLinesRenderer(_Sent):
    """One JSON object a line (jsonlines.org)."""

    media_type = "application/jsonl"
    format = "jsonl"


class AnyFileRenderer(_Sent):
    """A file's own type, whatever the client asks for: it names no other representation of it."""

    media_type = "*/*"
    format = "file"
