"""The results of a batch as files: all of them as one ZIP, all of their tables as one CSV or workbook.

Sent as they are read: never is more than one large result in memory, but for the workbook, whose size has a limit.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from tasks import errors
from tasks.api.batch_results import PAGE, ItemResult, read_results
from tasks.exports.csv_file import BYTE_ORDER_MARK, csv_lines
from tasks.exports.markdown import markdown_in
from tasks.exports.tables import ResultTable, tables_in
from tasks.exports.workbook import write_workbook
from tasks.exports.zip_stream import stream_zip
from tasks.files import open_file
from tasks.models import Batch, File, Task
from tasks.names import file_name
from tasks.ui.input_files import name_files
from tasks.ui.subject import subject

CHUNK_BYTES = 64 * 1024
HEAD = ["Number", "Name", "Table", "Page"]


class Item(NamedTuple):
    """What came of an item, what it was about, and the files that its task made."""

    found: ItemResult
    name: str
    files: list[File]

    @property
    def number(self) -> int:
        return self.found.index + 1


def batch_archive(batch: Batch, *, with_files: bool = True) -> Iterator[bytes]:
    """Yield a ZIP: the result of each task as JSON and Markdown, the files that it made, and a list of all.

    Args:
        with_files: whether the files are in it, too.
    """
    return stream_zip(_members(batch, with_files=with_files))


def batch_csv(batch: Batch) -> Iterator[bytes]:
    """Yield the tables of all results beneath each other; each row begins with where it is from."""
    yield (BYTE_ORDER_MARK + csv_lines([HEAD])).encode()
    for item in _items(batch):
        for table in tables_in(item.found.result):
            start = [item.number, item.name, table.number, table.page]
            yield csv_lines([*start, *row] for row in table.rows).encode("utf-8", "replace")


def batch_workbook(batch: Batch) -> bytes:
    """Return a workbook with a sheet for each table of all results, as long as it has room; its last tells which."""
    return write_workbook(_tables(batch))


def _tables(batch: Batch) -> Iterator[ResultTable]:
    number = 0
    for item in _items(batch):
        for table in tables_in(item.found.result):
            number += 1
            yield replace(table, number=number, title=f"{item.name or item.number}: {table.title}")


def _members(batch: Batch, *, with_files: bool) -> Iterator[tuple[str, Iterable[bytes]]]:
    listed = [["Number", "Name", "Status", "Task", "Error"]]
    for item in _items(batch):
        found = item.found
        told = str((found.error or {}).get("message") or (found.error or {}).get("detail") or "")
        listed.append([str(item.number), item.name, found.status or "", str(found.id or ""), told])
        stem = _stem(item)
        if found.result is not None:
            yield f"{stem}.json", [json.dumps(found.result, ensure_ascii=False, indent=2).encode("utf-8", "replace")]
            if markdown := markdown_in(found.result):
                yield f"{stem}.md", [markdown.encode("utf-8", "replace")]
        for file in item.files if with_files else ():
            yield file_member(f"{stem}/{file_name(file.name) or file.id}", file)
    yield "list.csv", [(BYTE_ORDER_MARK + csv_lines(listed)).encode("utf-8", "replace")]


def _items(batch: Batch) -> Iterator[Item]:
    names: dict[UUID, str] = {}
    files: dict[UUID, list[File]] = {}
    for found in read_results(batch):
        if found.index % PAGE == 0:
            ids = [UUID(item["id"]) for item in batch.items[found.index : found.index + PAGE] if "id" in item]
            names, files = _names(ids), _files(ids)
        yield Item(found, names.get(found.id, "") if found.id else "", files.get(found.id, []) if found.id else [])


def _names(ids: list[UUID]) -> dict[UUID, str]:
    rows = Task.objects.filter(pk__in=ids).with_content()
    return {task.pk: subject(task) for task in name_files(rows)}


def _files(ids: list[UUID]) -> dict[UUID, list[File]]:
    made: defaultdict[UUID, list[File]] = defaultdict(list)
    for file in File.objects.filter(task__in=ids).order_by("pk"):
        made[file.task_id].append(file)  # type: ignore[index]  # of a task, by the filter
    return made


def file_member(path: str, file: File) -> tuple[str, Iterable[bytes]]:
    """Return a file as a member; one that is gone is told in its place, and stops no other."""
    try:
        content = open_file(file)
    except errors.TaskError as error:
        return f"{path}.missing.txt", [error.message.encode("utf-8", "replace")]
    return path, _pieces(content)


def _pieces(content: Any) -> Iterator[bytes]:
    with content:
        while piece := content.read(CHUNK_BYTES):
            yield piece


def _stem(item: Item) -> str:
    return f"{item.number:04} {file_name(item.name)}".strip()
