"""Texts of Python: what gettext's functions are given; and English sentences, which are translated when they are shown.

The sentences of errors, stages and warnings are no arguments of gettext (`tasks.ui.sentences` says why). They are told
from other strings by how they look and by what they are given to. An f-string becomes a text with places: `{count}`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product

from portal.launch.languages.found import PROJECT, Texts, name_of

ONE, TWO = {"_", "gettext", "gettext_lazy", "gettext_noop"}, {"ngettext", "ngettext_lazy"}
# Where people read nothing: commands, the client, what is for those who start the portal.
NOT_READ = (
    "portal/launch", "portal/metrics", "portal/database", "portal/settings.py", "portal/env.py", "portal/web_server.py",
    "portal/doctor.py", "portal/replication.py", "portal/inspection", "portal/management", "tasks/management",
    "tasks/testing.py", "tasks/pooler.py", "tasks/direct.py",
    "tasks/half_migrated.py", "tasks/periodic.py", "tasks/client", "tasks/cluster", "tasks/sql", "tasks/live",
    "tasks/api/objects", "tasks/api/compat", "tasks/interop", "tasks/type_checks.py", "tasks/engines/asked_for",
)  # fmt: skip
# What is said in the plural there is stored, and found again when it is shown.
STORED = ("tasks/alarms/", "tasks/figures/")
# What is given to these is said to people, sentence or not.
SAYING = {
    "progress", "tell", "log", "Notice", "Readiness", "PydanticCustomError", "ValueError", "Fault", "at", "fault",
    "IfExp", "Snippet", "note",
}  # fmt: skip
# What is given to these is for the log, or for whoever starts or writes a part of the portal.
SILENT = {
    "debug", "info", "warning", "error", "exception", "critical", "compile", "Field", "ImproperlyConfigured",
    "TypeError", "RuntimeError", "KeyError", "Warning", "Error", "left_to_the_sweep", "after_commit", "TypeVar",
    "_log_failure", "format_html", "AssertionError", "UnusableIcon",
}  # fmt: skip
SENTENCE = re.compile(r"[A-Z“{`\[][^\n]* [^\n]*[.!?:…]")
TWO_WORDS = re.compile(r"[A-Za-z]{2,}[ ’'-][a-z]{2,}|[A-Z][a-z]+ ")
LETTERS = re.compile(r"[A-Za-z]")
PLACE = re.compile(r"\{\w+\}")
MOST_READINGS = 8


def collect(texts: Texts) -> None:
    for folder in ("portal", "tasks", "accounts"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            name = name_of(path)
            if "/migrations/" not in name and not name.startswith(NOT_READ):
                Reader(name, texts).visit(ast.parse(path.read_text()))


class Reader(ast.NodeVisitor):
    """Walks a module, knowing within what call it is."""

    def __init__(self, file: str, texts: Texts) -> None:
        self._file = file
        self._texts = texts
        self._calls: list[str] = []

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node.func)
        if name in ONE | TWO and node.args and isinstance(node.args[0], ast.Constant):
            plural = node.args[1].value if name in TWO and isinstance(node.args[1], ast.Constant) else ""
            self._texts.add(str(node.args[0].value), self._file, str(plural))
            if plural and self._file.startswith(STORED):
                # A compiled catalogue does not say what the plural was: found again by itself.
                self._texts.add(str(plural), self._file)
            return
        self.visit(node.func)
        self._calls.append(name)
        for argument in (*node.args, *node.keywords):
            self.visit(argument)
        self._calls.pop()

    def visit_keyword(self, node: ast.keyword) -> None:
        self._calls.append("note" if node.arg in {"note", "hint"} else self._calls[-1])
        self.visit(node.value)
        self._calls.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if self._file.startswith(("tasks/errors/", "tasks/api/refusals")) and (said := ast.get_docstring(node)):
            # Its first line is the message, what follows the advice.
            for part in (said.split("\n")[0], "\n".join(said.split("\n")[1:]).strip()):
                if part:
                    self._texts.add(part, self._file)
        self._visit_body(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        # Docstrings are for programmers.
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._take(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for text in _readings(node):
            self._take(text)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        # What stands to choice is a part of a sentence.
        self.visit(node.test)
        self._calls.append("IfExp")
        self.visit(node.body)
        self.visit(node.orelse)
        self._calls.pop()

    def _visit_body(self, node: ast.ClassDef) -> None:
        for child in (*node.decorator_list, *node.body):
            self.visit(child)

    def _take(self, text: str) -> None:
        within = self._calls[-1] if self._calls else ""
        if not SILENT & set(self._calls[-2:]) and _is_said(text, by=within):
            self._texts.add(text.strip(), self._file)


def _is_said(text: str, *, by: str) -> bool:
    outside = PLACE.sub("", text)
    if "<" in text or "\\" in text or not LETTERS.search(outside):
        return False
    if SENTENCE.fullmatch(text.strip()) and TWO_WORDS.search(outside):
        return True
    return by in SAYING and bool(TWO_WORDS.search(outside))


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _readings(node: ast.JoinedStr) -> Iterator[str]:
    """Yield what an f-string may say: a text for each of the constants that stand to choice in it."""
    names: dict[str, str] = {}
    parts = [_parts(part, names) for part in node.values]
    count = 1
    for part in parts:
        count *= len(part)
    if count > MOST_READINGS:
        parts = [part[:1] for part in parts]
    for chosen in product(*parts):
        yield "".join(chosen)


def _parts(part: ast.expr, names: dict[str, str]) -> list[str]:
    if isinstance(part, ast.Constant):
        return [str(part.value)]
    assert isinstance(part, ast.FormattedValue), "of an f-string there is nothing else"
    value = part.value
    if isinstance(value, ast.IfExp):
        choices = (value.body, value.orelse)
        if all(isinstance(choice, ast.Constant) for choice in choices):
            return [str(choice.value) for choice in choices if isinstance(choice, ast.Constant)]
    name = _place(value)
    source = ast.unparse(value)
    number = 2
    while names.setdefault(name, source) != source:
        name, number = f"{_place(value)}_{number}", number + 1
    return [f"{{{name}}}"]


def _place(value: ast.expr) -> str:
    """Return a name for what an expression fills in: that of what it is about."""
    for node in ast.walk(value):
        if isinstance(node, ast.Attribute) and node.attr not in {"join", "strip", "removesuffix", "format"}:
            return node.attr.lower()
        if isinstance(node, ast.Name) and node.id not in {"len", "size_text", "duration_text", "str", "sorted", "type"}:
            return node.id.lower().strip("_")
    return "value"
