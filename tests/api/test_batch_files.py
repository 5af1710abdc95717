"""All results of a batch are one file: a ZIP, a CSV or a workbook of all tables; and what failed is tried again."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from tasks.api.batch_files import batch_archive
from tasks.exports import workbook
from tasks.files import store_file
from tasks.models import Batch, File, Task, TaskContent
from tests.api.conftest import MakeClient, Work

pytestmark = pytest.mark.django_db(transaction=True)

JSON = "application/json"
TABLES = [{"page": 2, "rows": [["Item", "Price"], ["Lamp", "=1+1"]], "head": 1}]


def make_batch(client: Any, *inputs: Any) -> UUID:
    tasks = [{"type": "diagnostic.echo", "input": given} for given in inputs]
    return UUID(client.post("/api/v1/batches", {"tasks": tasks}, JSON).json()["id"])


def get(client: Any, batch: UUID, part: str) -> bytes:
    response = client.get(f"/api/v1/batches/{batch}/{part}", headers={"Accept": JSON})
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].startswith(f'attachment; filename="{batch}')
    assert "sandbox" in response.headers["Content-Security-Policy"]
    return b"".join(response) if response.streaming else response.content


@pytest.fixture
def batch(api: MakeClient, alice: User, work: Work) -> UUID:
    """Three items: one with text, tables and a file, one that waits, one that was refused."""
    made = make_batch(api(alice), {"message": "../first: of all"}, {"message": "the second one"}, {"nonsense": 1})
    work()
    done = Task.objects.filter(batch=made).order_by("pk")[0]
    Task.objects.filter(batch=made).exclude(pk=done.pk).update(status="held", finished_at=None)
    TaskContent.objects.filter(pk=done.pk).update(result={"text": "Good lamps", "tables": TABLES})
    TaskContent.objects.exclude(pk=done.pk).update(result=None)
    store_file(alice, name="lamp \N{RIGHT-TO-LEFT OVERRIDE}.png", chunks=[b"picture"], task_id=done.pk)
    return made


def test_archive_has_results_files_and_what_became_of_each(api: MakeClient, alice: User, batch: UUID) -> None:
    with zipfile.ZipFile(io.BytesIO(get(api(alice), batch, "results.zip"))) as archive:
        assert archive.testzip() is None
        stem = "0001 first of all"
        assert archive.namelist() == [f"{stem}.json", f"{stem}.md", f"{stem}/lamp .png", "list.csv"]
        assert json.loads(archive.read(f"{stem}.json"))["text"] == "Good lamps"
        assert archive.read(f"{stem}/lamp .png") == b"picture"
        listed = list(csv.DictReader(io.StringIO(archive.read("list.csv").decode("utf-8-sig"))))
    assert [row["Status"] for row in listed] == ["succeeded", "queued", "refused"]
    assert "Field required" in listed[2]["Error"]


def test_token_that_may_not_read_files_gets_none(api: MakeClient, alice: User, batch: UUID) -> None:
    archive = get(api(alice, "tasks:read"), batch, "results.zip")
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        assert not [name for name in found.namelist() if name.endswith(".png")]


def test_file_that_is_gone_is_told_in_its_place(alice: User, batch: UUID) -> None:
    File.objects.get().data.storage.delete(File.objects.get().data.name)
    archive = b"".join(batch_archive(Batch.objects.get(pk=batch)))
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        [told] = [name for name in found.namelist() if name.endswith(".missing.txt")]
        assert b"cannot be read" in found.read(told)


def test_archive_is_made_piece_by_piece(alice: User, batch: UUID) -> None:
    store_file(alice, name="large.bin", chunks=[b"\1" * 1_000_000], task_id=Task.objects.filter(batch=batch)[0].pk)
    pieces = list(batch_archive(Batch.objects.get(pk=batch)))
    assert max(map(len, pieces)) < 200_000


def test_tables_of_all_results_are_one_csv_and_one_workbook(
    api: MakeClient, alice: User, batch: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list(csv.reader(io.StringIO(get(api(alice), batch, "tables.csv").decode("utf-8-sig"))))
    assert rows == [
        ["Number", "Name", "Table", "Page"],
        ["1", "../first: of all", "1", "2", "Item", "Price"],
        ["1", "../first: of all", "1", "2", "Lamp", "'=1+1"],
    ]
    TaskContent.objects.update(result={"tables": TABLES})
    monkeypatch.setattr(workbook, "MOST_SHEETS", 1)
    with zipfile.ZipFile(io.BytesIO(get(api(alice), batch, "tables.xlsx"))) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        texts = book.read("xl/sharedStrings.xml").decode()
    assert len(sheets) == 2
    assert "../first: of all: Table 1" in texts
    assert "no room here" in texts


def test_what_failed_of_a_batch_is_tried_again_once(api: MakeClient, alice: User, bob: User) -> None:
    made = make_batch(api(alice), {"message": "x"}, {"message": "y"})
    address = f"/api/v1/batches/{made}/retry"
    assert api(alice).post(address).json()["code"] == "wrong_status"
    api(alice).post(f"/api/v1/batches/{made}/cancel")
    failed = Task.objects.filter(batch=made)[0]
    Task.objects.filter(pk=failed.pk).update(status="failed")
    assert api(bob).post(address).status_code == 404
    answer = api(alice).post(address)
    assert (answer.status_code, answer.json()["counts"]["queued"], answer.json()["counts"]["cancelled"]) == (202, 1, 1)
