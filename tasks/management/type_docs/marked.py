"""Parts of a document that a program writes: between ``<!-- name -->`` and ``<!-- /name -->``."""

from __future__ import annotations


class NoMarkers(ValueError):
    """A document lacks the markers of a part."""


def section(text: str, name: str) -> str:
    """Return what stands between a part's markers.

    >>> section("<!-- a -->x<!-- /a -->", "a")
    'x'

    Raises:
        NoMarkers: one of them is missing.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in text or end not in text:
        raise NoMarkers(f"{begin} or {end} is missing.")
    return text.split(begin, 1)[1].split(end, 1)[0].removeprefix("\n")


def put(text: str, name: str, content: str) -> str:
    """Return the text with other content between a part's markers; what ends a line begins on one of its own.

    >>> put("see <!-- a -->x<!-- /a -->.", "a", "y"), put("<!-- a -->\\n<!-- /a -->", "a", "y\\n")
    ('see <!-- a -->y<!-- /a -->.', '<!-- a -->\\ny\\n<!-- /a -->')

    Raises:
        NoMarkers: one of them is missing.
    """
    section(text, name)
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = text.partition(begin)
    line = "\n" if content.endswith("\n") else ""
    return f"{before}{begin}{line}{content}{end}{rest.partition(end)[2]}"
