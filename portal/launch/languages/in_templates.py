"""Texts of templates: what `translate`, `blocktranslate` and `_("…")` say; and those outside of them: faults."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from django.template.base import Lexer, TokenType
from django.utils.translation.template import templatize

from portal.launch.languages.found import PROJECT, Texts, name_of

STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"(?:\bn?gettext|_)\((?P<text>{STRING})(?:, (?P<plural>{STRING}))?")
# Of HTML: what is read aloud or shown of its attributes; what is code, and no words.
ATTRIBUTES = {"aria-label", "title", "placeholder", "alt", "data-confirm"}
CODE = {"code", "kbd", "pre", "script", "style"}
WORD = re.compile(r"[A-Za-z]{2,}")
# A block may stand for an attribute.
ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"|\bdata-[\w-]+')
NAMES = {"Portal", "API", "HTTP", "JSON", "Markdown", "ptl"}


def collect(texts: Texts) -> None:
    """Add the texts of all templates. Django's own `templatize` reads them, as for `makemessages`."""
    for path in sorted((PROJECT / "templates").rglob("*.html")):
        for found in CALL.finditer(templatize(path.read_text())):
            plural = ast.literal_eval(found["plural"]) if found["plural"] else ""
            texts.add(ast.literal_eval(found["text"]), name_of(path), plural)


def bare_words() -> Iterator[str]:
    """Yield words that stand in a template as they are: nobody can translate them."""
    for path in sorted((PROJECT / "templates").rglob("*.html")):
        if path.name != "docs.html":
            yield from (f"{name_of(path)}:{line}: {text!r}" for line, text in bare_words_of(path.read_text()))


def bare_words_of(source: str) -> list[tuple[int, str]]:
    """Return lines and words of one template."""
    reader = _Reader()
    reader.feed(_without_tags(source))
    return reader.bare


def _without_tags(source: str) -> str:
    """Return the HTML alone, each tag of the template as so many line ends: line numbers stay."""
    kept, translated = [], False
    for token in Lexer(source).tokenize():
        ends = token.contents.startswith(("endblocktrans", "endcomment"))
        if token.token_type == TokenType.BLOCK and token.contents.startswith(("blocktrans", "comment")):
            translated = True
        if token.token_type == TokenType.TEXT and not translated:
            kept.append(token.contents)
        else:
            kept.append("\n" * token.contents.count("\n"))
        translated = translated and not (token.token_type == TokenType.BLOCK and ends)
    return "".join(kept)


class _Reader(HTMLParser):
    """Notes words outside of code, and in attributes that people read."""

    def __init__(self) -> None:
        super().__init__()
        self.bare: list[tuple[int, str]] = []
        self._code: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ATTRIBUTES:
                self._note(value or "")
        if tag in CODE:
            self._code.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._code:
            self._code.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._code:
            self._note(data)

    def _note(self, text: str) -> None:
        if set(WORD.findall(ATTRIBUTE.sub("", text))) - NAMES:
            self.bare.append((self.getpos()[0], " ".join(text.split())))
