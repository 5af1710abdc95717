"""What failures of one cause have in common: the message without what differs each time."""

from __future__ import annotations

import re

MOST_CHARACTERS = 160
# Of a message, so much is looked at: expressions must not be kept busy by what users send.
MOST_READ = 400

# In this order: what is left of an address may look like a path, and of a path like a number.
_DIFFERS = (
    (re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)]+", re.IGNORECASE), "<address>"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "<address>"),
    (re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"(?<![\w/])(?:[A-Za-z]:\\|~?/)[^\s\"'<>:;,)]*[^\s\"'<>:;,.)]"), "<path>"),
    (re.compile(r"\b(?=[a-z]*\d)(?:0x)?[0-9a-f]{8,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "<n>"),
)


def fingerprint_of(message: str) -> str:
    """Return the beginning of a message on one line, with places for what differs from failure to failure.

    >>> fingerprint_of("The task 0198f0a2-7c1e-7d3a-9b52-3a8de4b1c002 failed.")
    'The task <id> failed.'
    >>> fingerprint_of("Page 7 of /srv/media/a b.pdf: 1,024 bytes from https://example.com/x?y=1 (10.0.0.7:80)")
    'Page <n> of <path> b.pdf: <n> bytes from <address> (<address>)'
    """
    text = " ".join(message[:MOST_READ].split())
    for differs, place in _DIFFERS:
        text = differs.sub(place, text)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
