"""/tasks/{id}/result/…: a result as files for other programs: its tables as CSV and XLSX, all of it as Markdown."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from tasks import errors
from tasks.api.bodies import Query, read_query
from tasks.api.refusals import NoResult
from tasks.api.renderers import AnyFileRenderer
from tasks.api.schema import operation
from tasks.api.views.task_parts import find_result
from tasks.api.views.view import ApiView
from tasks.exports.attachment import attachment
from tasks.exports.csv_file import CSV, write_csv
from tasks.exports.markdown import MARKDOWN, markdown_in
from tasks.exports.tables import tables_in
from tasks.exports.workbook import XLSX, write_workbook

PROBLEMS: list[type[errors.TaskError]] = [errors.NotFound, NoResult, errors.ContentPurged]
HEADERS = ["Content-Disposition"]


def _media_type(content_type: str) -> dict[str, Any]:
    return {content_type.partition(";")[0]: OpenApiTypes.BINARY if content_type == XLSX else OpenApiTypes.STR}


class WorkbookView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}
    renderer_classes = [AnyFileRenderer]

    @operation(
        "download_tables", tag="tasks", answers={}, streams={200: _media_type(XLSX)}, headers=HEADERS, problems=PROBLEMS
    )
    def get(self, request: Request, task_id: UUID) -> HttpResponseBase:
        """Download all tables of a result as a workbook (XLSX).

        A sheet for each; rows that name columns and cells that cover others are kept. All cells are texts as they
        were read, so nothing is run as a formula. The last sheet has each table's page and box. 404 where there are
        no tables.
        """
        read_query(request.query_params, Query)
        tables = tables_in(find_result(self, task_id))
        if not tables:
            raise errors.NotFound("The result has no tables.")
        return attachment(write_workbook(tables), XLSX, f"{task_id}.xlsx")


class TableView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}
    renderer_classes = [AnyFileRenderer]

    @operation(
        "download_table", tag="tasks", answers={}, streams={200: _media_type(CSV)}, headers=HEADERS, problems=PROBLEMS
    )
    def get(self, request: Request, task_id: UUID, table_number: int) -> HttpResponseBase:
        """Download one table of a result as CSV (RFC 4180, UTF-8 with a byte order mark).

        Tables are counted from 1 in the order of the result. What a spreadsheet would run as a formula has an
        apostrophe in front. 404 where there is no such table.
        """
        read_query(request.query_params, Query)
        tables = tables_in(find_result(self, task_id))
        table = next((table for table in tables if table.number == table_number), None)
        if table is None:
            raise errors.NotFound(f"The result has {len(tables)} tables and no number {table_number}.")
        return attachment(write_csv(table.rows), CSV, f"{task_id}-table-{table_number}.csv")


class MarkdownView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}
    renderer_classes = [AnyFileRenderer]

    @operation(
        "download_markdown",
        tag="tasks",
        answers={},
        streams={200: _media_type(MARKDOWN)},
        headers=HEADERS,
        problems=PROBLEMS,
    )
    def get(self, request: Request, task_id: UUID) -> HttpResponseBase:
        """Download a whole result as Markdown, its tables in their places.

        Headings and lists are marked where the task was submitted with `include: ["markdown"]`. 404 where the result
        has neither text nor tables.
        """
        read_query(request.query_params, Query)
        markdown = markdown_in(find_result(self, task_id))
        if markdown is None:
            raise errors.NotFound("The result has neither text nor tables.")
        return attachment(markdown, MARKDOWN, f"{task_id}.md")
