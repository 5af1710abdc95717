"""The result of a task as files: JSON, text, Markdown, its tables one by one and as a workbook."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponseBase

from tasks.exports.attachment import attachment
from tasks.exports.csv_file import CSV, write_csv
from tasks.exports.markdown import MARKDOWN, markdown_in
from tasks.exports.tables import tables_in
from tasks.exports.workbook import XLSX, write_workbook
from tasks.models import Task
from tasks.names import file_stem, is_slug
from tasks.ui.subject import subject


def as_json(task: Task, result: dict[str, Any]) -> HttpResponseBase:
    body = json.dumps(result, ensure_ascii=False, indent=2)
    return attachment(body, "application/json", f"{_stem(task)}.json")


def as_text(task: Task, result: dict[str, Any]) -> HttpResponseBase:
    text = result.get("text") or result.get("answer")
    if not isinstance(text, str):
        raise Http404("The result has no text.")
    return attachment(text, "text/plain; charset=utf-8", f"{_stem(task)}.txt")


def as_markdown(task: Task, result: dict[str, Any]) -> HttpResponseBase:
    markdown = markdown_in(result)
    if markdown is None:
        raise Http404("The result has neither text nor tables.")
    return attachment(markdown, MARKDOWN, f"{_stem(task)}.md")


def as_table(task: Task, result: dict[str, Any], number: int) -> HttpResponseBase:
    table = next((table for table in tables_in(result) if table.number == number), None)
    if table is None:
        raise Http404("The result has no such table.")
    return attachment(write_csv(table.rows), CSV, f"{_stem(task)}-table-{number}.csv")


def as_workbook(task: Task, result: dict[str, Any]) -> HttpResponseBase:
    tables = tables_in(result)
    if not tables:
        raise Http404("The result has no tables.")
    return attachment(write_workbook(tables), XLSX, f"{_stem(task)}.xlsx")


# By the end of the address; whoever may see the result may have it as each of these.
KINDS: dict[str, Callable[[Task, dict[str, Any]], HttpResponseBase]] = {
    "result.json": as_json,
    "text.txt": as_text,
    "document.md": as_markdown,
    "tables.xlsx": as_workbook,
}


def _stem(task: Task) -> str:
    if named := file_stem(subject(task)):
        return named
    # A type of an older installation may be called as no file can be.
    return f"{task.type}-{task.id}" if is_slug(task.type) else str(task.id)
