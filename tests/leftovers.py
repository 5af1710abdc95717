"""Finds English that is left on a page in another language: texts of the catalogue as they stand, and runs of words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.utils.translation.trans_real import translation

# Three words in a row: names of products and codes have fewer.
WORDS = re.compile(r"\b[A-Za-z]{2,}(?:[ ,;:]+[a-z]{2,}){2,}")
COMMAND = re.compile(r"`[^`]*`")
# What people and programs wrote, and codes.
APART = {"code", "pre", "kbd", "script", "style", "textarea"}
CODES = {"mono", "id", "snippet", "action-checkbox"}
VOID = {"input", "img", "br", "hr", "meta", "link", "rect", "path", "line", "image", "circle", "polyline", "col", "wbr"}
READ_ALOUD = {"aria-label", "title", "placeholder", "alt"}


def leftovers(html: str, language: str, *, names: set[str]) -> list[str]:
    """Return the English texts of a page. `names` are words of the test's own: of people, tasks, files."""
    reader = _Reader()
    reader.feed(html)
    catalogue = translation(language)._catalog  # type: ignore[attr-defined]
    return [text for text in reader.texts if text not in names and _is_english(text, catalogue, names)]


def _is_english(text: str, catalogue: dict[str, str], names: set[str]) -> bool:
    if text in catalogue and catalogue[text] not in ("", text):
        return True
    for name in names:
        text = text.replace(name, "")
    return bool(WORDS.search(COMMAND.sub("", text)))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_code = tag in APART or bool(CODES & set((given.get("class") or "").split())) or given.get("lang") == "en"
        if not self._is_apart() and not is_code:
            self.texts += [" ".join((given[name] or "").split()) for name in READ_ALOUD if name in given]
        if tag not in VOID:
            self._open.append((tag, is_code))

    def handle_endtag(self, tag: str) -> None:
        while any(opened == tag for opened, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._is_apart():
            self.texts.append(" ".join(data.split()))

    def _is_apart(self) -> bool:
        return any(is_code for _, is_code in self._open)
