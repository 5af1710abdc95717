"""A page as a browser has it: its words, its links, its forms with what they would post."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"input", "br", "hr", "img", "link", "meta", "wbr", "path", "circle", "rect", "line", "polyline"}
# What is no sentence: codes that are meant to be seen as such, and values of fields.
QUIET = {"script", "style", "code", "pre", "textarea", "option", "title"}


@dataclass
class Field:
    name: str
    value: str
    kind: str


@dataclass
class Form:
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    @property
    def data(self) -> dict[str, list[str]]:
        """Return what is posted when nothing is changed."""
        data: dict[str, list[str]] = {}
        for one in self.fields:
            if one.kind not in {"checkbox", "submit"}:
                data.setdefault(one.name, []).append(one.value)
        return data


class Page(HTMLParser):
    """Reads a page; `address` is its own, where a form without an action is posted to."""

    def __init__(self, text: str, address: str = "") -> None:
        super().__init__()
        self.address = address
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._form: Form | None = None
        self._select: Field | None = None
        self._area: Field | None = None
        self.feed(text)

    def updatepos(self, i: int, j: int) -> int:
        """Leave lines and columns uncounted."""
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action") or self.address, given.get("method", "get").lower())
            self.forms.append(self._form)
        elif "disabled" in given:
            return
        elif tag in {"input", "button"}:
            self._add_input(tag, given)
        elif tag in {"select", "textarea"}:
            found = Field(given.get("name", ""), "", tag)
            self._add(found)
            if tag == "select":
                self._select = found
            else:
                self._area = found
        elif tag == "option" and self._select is not None and "selected" in given:
            self._select.value = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data
        if data.strip() and not QUIET & set(self._open):
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    def _add_input(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "submit" if tag == "button" else "text")
        if kind == "submit" and given.get("formaction"):
            self.forms.append(Form(given["formaction"], "post"))
        if kind == "checkbox" and "checked" in given:
            kind = "checked"
        classes = given.get("class", "")
        kind = next((word for word in ("vDateField", "vTimeField") if word in classes), kind)
        self._add(Field(given.get("name", ""), given.get("value", "on" if kind == "checked" else ""), kind))

    def _add(self, found: Field) -> None:
        if self._form is not None and found.name:
            self._form.fields.append(found)
