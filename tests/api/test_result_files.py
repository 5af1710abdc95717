"""A result's tables and Markdown are downloaded by the API, as attachments that run nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from accounts.models import User
from tasks.exports.workbook import XLSX
from tasks.models import TaskContent
from tests.api.conftest import MakeClient, Work

Submit = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.django_db(transaction=True)

RESULT = {"text": "Lamp =1+1", "tables": [{"page": 1, "rows": [["Item", "Price"], ["Lamp", "=1+1"]], "head": 1}]}


def test_tables_and_the_whole_are_downloaded(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice)
    work()
    address = task["urls"]["result"]
    for part in ("tables.xlsx", "tables/1.csv"):
        response = api(alice).get(f"{address}/{part}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), part
    TaskContent.objects.filter(pk=task["id"]).update(result=RESULT)

    book, table, markdown = (
        api(alice).get(f"{address}/{part}", headers={"Accept": "application/json"})
        for part in ("tables.xlsx", "tables/1.csv", "document.md")
    )
    for response in (book, table, markdown):
        assert response.headers["Content-Disposition"].startswith(f'attachment; filename="{task["id"]}')
        assert "sandbox" in response.headers["Content-Security-Policy"]
    assert book.headers["Content-Type"] == XLSX
    with zipfile.ZipFile(BytesIO(book.content)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
    assert table.content.decode("utf-8-sig").splitlines() == ["Item,Price", "Lamp,'=1+1"]
    assert markdown.text == "Lamp =1+1\n\n| Item | Price |\n| --- | --- |\n| Lamp | =1+1 |"
    assert api(alice).get(f"{address}/tables/2.csv").status_code == 404


def test_what_has_no_result_yet_has_no_files(api: MakeClient, alice: User, submit: Submit) -> None:
    response = api(alice).get(f"{submit(alice)['urls']['result']}/tables.xlsx")

    assert (response.status_code, response.json()["code"]) == (409, "no_result")
