"""/batches/{id}/…: all results of a batch as one ZIP, all of their tables as one CSV or workbook."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from tasks import errors
from tasks.api.authentication import may_read_files
from tasks.api.batch_files import batch_archive, batch_csv, batch_workbook
from tasks.api.bodies import Query, read_query
from tasks.api.renderers import AnyFileRenderer
from tasks.api.schema import operation
from tasks.api.views.view import ApiView
from tasks.exports.attachment import attachment
from tasks.exports.csv_file import CSV
from tasks.exports.workbook import XLSX
from tasks.exports.zip_stream import ZIP
from tasks.models import Batch
from tasks.owned import get_owned

PROBLEMS: list[type[errors.TaskError]] = [errors.NotFound]
HEADERS = ["Content-Disposition"]


class BatchFileView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}
    renderer_classes = [AnyFileRenderer]

    def find(self, request: Request, batch_id: UUID) -> Batch:
        read_query(request.query_params, Query)
        return get_owned(Batch, batch_id, owner=self.caller)


class BatchArchiveView(BatchFileView):
    @operation(
        "download_batch", tag="batches", answers={}, streams={200: {ZIP: OpenApiTypes.BINARY}}, headers=HEADERS,
        problems=PROBLEMS,
    )  # fmt: skip
    def get(self, request: Request, batch_id: UUID) -> HttpResponseBase:
        """Download all results of a batch as one ZIP.

        The result of each task as JSON, and as Markdown where it has text or tables; the files that tasks made, where
        the token may read files; `list.csv` says what became of each item. Packed as it is sent, at any time.
        """
        batch = self.find(request, batch_id)
        return attachment(batch_archive(batch, with_files=may_read_files(request)), ZIP, f"{batch.id}.zip")


class BatchTablesView(BatchFileView):
    @operation(
        "download_batch_tables", tag="batches", answers={}, streams={200: {CSV.partition(";")[0]: OpenApiTypes.STR}},
        headers=HEADERS, problems=PROBLEMS,
    )  # fmt: skip
    def get(self, request: Request, batch_id: UUID) -> HttpResponseBase:
        """Download the tables of all results of a batch as one CSV.

        Beneath each other, in the order of the items: each row begins with the number and name of its item, and the
        number and page of its table. Cells are as in the CSV of one table.
        """
        batch = self.find(request, batch_id)
        return attachment(batch_csv(batch), CSV, f"{batch.id}-tables.csv")


class BatchWorkbookView(BatchFileView):
    @operation(
        "download_batch_workbook", tag="batches", answers={}, streams={200: {XLSX: OpenApiTypes.BINARY}},
        headers=HEADERS, problems=PROBLEMS,
    )  # fmt: skip
    def get(self, request: Request, batch_id: UUID) -> HttpResponseBase:
        """Download the tables of all results of a batch as a workbook (XLSX).

        A sheet for each, as long as there is room: 200,000 cells and 500 sheets. The last sheet tells what each is, and
        whether some were left out; the CSV has all of them.
        """
        batch = self.find(request, batch_id)
        return attachment(batch_workbook(batch), XLSX, f"{batch.id}-tables.xlsx")
