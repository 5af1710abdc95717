"""The language of the API's words for people: of problems and of task types, by `Accept-Language`; of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from accounts.languages import language_of
from tasks.ui.sentences import in_language

VARY = "Authorization, Cookie, Accept-Language"
WORDS = ("title", "description")


@contextmanager
def spoken(request: HttpRequest) -> Iterator[None]:
    """Speak the client's language. It is asked for here alone: what needs no words for people does not look it up."""
    with translation.override(language_of(request)):
        yield


def mark(response: HttpResponseBase) -> None:
    """Note on an answer in which language it is, within `spoken`, and that others get another one."""
    response.headers["Content-Language"] = translation.get_language() or ""
    response.headers["Vary"] = VARY


def schema_in_language(schema: Any) -> Any:
    """Return a JSON schema whose titles and descriptions are in the language that is spoken."""
    if isinstance(schema, list):
        return [schema_in_language(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        # A property may be called "title": then it has a schema, and no words.
        key: in_language(part) if key in WORDS and isinstance(part, str) else schema_in_language(part)
        for key, part in schema.items()
    }
