"""The page of a batch: a row a task, what failed tried again, the rest cancelled; nobody else sees it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks import errors
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import Batch, Task
from tests.web.conftest import SignIn

pytestmark = pytest.mark.django_db

Claim = Callable[[], Claimed]


def make_batch(user: User, count: int = 3, **options: Any) -> Batch:
    echoes = [Submission("diagnostic.echo", {"message": f"message {number}"}) for number in range(count)]
    return submit_batch(user, [*echoes, errors.InvalidInput("This one is wrong.")], **options).batch


def address(batch: Batch, name: str = "batch") -> str:
    return reverse(f"web:{name}", args=[batch.pk])


def test_row_tells_name_status_and_result_of_each(page: Client, alice: User, claim: Claim) -> None:
    batch = make_batch(alice, name="Scans")
    result = {"text": "Invoice 77 <b>of</b>", "pages": [{"text": ""}] * 2, "tables": [[["a"]]]}
    finish.finish_attempt(claim(), ending.succeeded(result))
    second = claim()
    finish.finish_attempt(second, ending.failed(second, errors.GiveUp("No page can be read.")))
    shown = page.get(address(batch)).text
    assert "<bdi>Scans</bdi>" in shown
    assert "2 pages · 1 table · Invoice 77 &lt;b&gt;of&lt;/b&gt;" in shown
    assert "2 of 3 ended" in shown
    assert "No page can be read." in shown
    assert "This one is wrong." in shown


def test_what_failed_is_tried_again_and_the_rest_is_cancelled(page: Client, alice: User, claim: Claim) -> None:
    batch = make_batch(alice)
    claimed = claim()
    finish.finish_attempt(claimed, ending.failed(claimed, errors.GiveUp("No.")))
    assert "Retry the one that failed" in page.get(address(batch)).text
    assert "Tried again: 1." in page.post(address(batch, "retry-batch"), follow=True).text
    assert not Task.objects.filter(status="failed").exists()
    page.post(address(batch, "cancel-batch"))
    assert set(Task.objects.values_list("status", flat=True)) == {"cancelled"}
    again = page.post(address(batch, "retry-batch"), follow=True)
    assert again.status_code == 200
    assert "Tried again" not in again.text


def test_tab_shows_only_what_is_in_its_statuses(page: Client, alice: User, claim: Claim) -> None:
    batch = make_batch(alice)
    finish.finish_attempt(claim(), ending.succeeded({}))
    succeeded = page.get(address(batch), {"status": "succeeded"}).text
    assert "message 0" in succeeded
    assert "message 1" not in succeeded
    assert page.get(address(batch), {"status": "nonsense", "page": "x9"}).status_code == 200


def test_results_and_tables_are_downloaded(page: Client, alice: User, claim: Claim) -> None:
    batch = make_batch(alice)
    finish.finish_attempt(claim(), ending.succeeded({"text": "Words", "tables": [{"rows": [["Lamp"]]}]}))
    starts = {
        "results.zip": b"PK",
        "results.jsonl": b'{"index": 0',
        "tables.csv": b"\xef\xbb\xbf",
        "tables.xlsx": b"PK",
    }
    shown = page.get(address(batch)).text
    for kind, start in starts.items():
        assert address(batch, f"batch-{kind}") in shown
        response = page.get(address(batch, f"batch-{kind}"))
        assert response["Content-Disposition"].startswith("attachment")
        assert (b"".join(response) if response.streaming else response.content).startswith(start), kind


@pytest.mark.parametrize(
    ("method", "name"),
    [("get", "batch"), ("get", "batch-results.zip"), ("post", "cancel-batch"), ("post", "retry-batch")],
)
def test_batch_of_another_is_not_there(sign_in: SignIn, alice: User, bob: User, method: str, name: str) -> None:
    batch = make_batch(alice)
    assert getattr(sign_in(bob), method)(address(batch, name)).status_code == 404
    assert not Task.objects.exclude(status__in=["ready", "held"]).exists()


def test_large_results_are_not_read_for_the_rows(page: Client, alice: User, claim: Claim) -> None:
    batch = make_batch(alice, 1)
    noise = random.Random(1).randbytes(400_000).hex()
    finish.finish_attempt(claim(), ending.succeeded({"text": noise}))
    assert noise[:20] not in page.get(address(batch)).text
