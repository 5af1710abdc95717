"""Tasks, batches and files of both clients against the live server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from tasks.api.compat.marks import new_marked_id
from tasks.client import Client, errors
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Dependency, Task, TaskContent, TaskWebhook, WebhookEndpoint
from tests.api.conftest import Undisturbed, claim, node, work  # noqa: F401 - fixtures
from tests.client.both import Connect

live = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@live
def test_client_submits_waits_and_returns_the_result(portal: Client, work: Callable[[], Any]) -> None:  # noqa: F811
    task = portal.submit("diagnostic.echo", {"message": "hello"}, tags=["a"], metadata={"customer": "42"})

    def run() -> None:
        work()
        connection.close()

    worker = Thread(target=run)
    worker.start()
    done = portal.wait(task["id"], timeout=60)
    worker.join()
    assert (done["status"], done["result"]["text"]) == ("succeeded", "hello")


@live
def test_wait_ends_with_its_timeout(portal: Client) -> None:
    task = portal.submit("diagnostic.echo", {"message": "hello"})
    with pytest.raises(TimeoutError):
        portal.wait(task["id"], timeout=0.3)


@live
def test_client_raises_the_exception_of_the_problem(portal: Client) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        portal.submit("diagnostic.echo", {"message": 5})
    assert caught.value.errors[0]["pointer"] == "/input/message"
    assert caught.value.status == 422
    assert caught.value.request_id
    with pytest.raises(errors.UnknownTaskType):
        portal.submit("nope", {})
    with pytest.raises(errors.NotFound):
        portal.get("01900000-0000-7000-8000-000000000000")


@live
def test_client_cancels_and_retries(portal: Client) -> None:
    task = portal.submit("diagnostic.echo", {"message": "hello"})
    assert portal.cancel(task["id"])["status"] == "cancelled"
    assert portal.retry(task["id"])["status"] == "queued"


@live
def test_client_renames_a_file_and_finds_it_by_its_content(portal: Client) -> None:
    file = portal.upload(b"ahoy", name="a.txt")
    assert portal.change_file(file["id"], name="b.txt", tags=["x"])["tags"] == ["x"]
    assert [found["name"] for found in portal.files(sha256=file["sha256"])] == ["b.txt"]


def test_client_names_and_renames(portal: Client) -> None:
    task = portal.submit("diagnostic.echo", {"message": "hello"}, name="Rent")
    assert task["name"] == "Rent"
    assert portal.rename(task["id"], "Rent, May")["name"] == "Rent, May"
    assert portal.rename(task["id"], None)["name"] is None
    with pytest.raises(errors.InvalidBody):
        portal.rename(task["id"], "two\nlines")


@live
def test_client_uploads_and_downloads(portal: Client, tmp_path: Path) -> None:
    path = tmp_path / "notes é.txt"
    path.write_bytes(b"some notes")
    file = portal.upload(path)
    assert (file["name"], file["size"]) == ("notes é.txt", 10)
    assert portal.download(file["id"]) == b"some notes"


@live
def test_client_reads_a_result_as_files(portal: Client, work: Callable[[], Any]) -> None:  # noqa: F811
    task = portal.submit("diagnostic.echo", {"message": "hello"})
    with pytest.raises(errors.NoResult):
        portal.result_workbook(task["id"])
    work()
    with pytest.raises(errors.NotFound):
        portal.result_table(task["id"])
    rows = [["Item", "Price"], ["Lamp", "7"]]
    TaskContent.objects.filter(task_id=task["id"]).update(
        result={"text": "Prices", "tables": [{"page": 1, "rows": rows}]}
    )
    assert portal.result_workbook(task["id"]).startswith(b"PK")
    assert portal.result_table(task["id"], 1).splitlines() == ["Item,Price", "Lamp,7"]
    assert portal.result_markdown(task["id"]).startswith("Prices")


@live
def test_client_pages_through_all_tasks(portal: Client) -> None:
    batch = portal.batch([{"type": "diagnostic.echo", "input": {"message": str(number)}} for number in range(5)])
    assert batch["counts"]["queued"] == 5
    found = [task["id"] for task in portal.iter(limit=2, status=["queued", "running"])]
    assert found == [item["id"] for item in batch["items"]][::-1]
    assert portal.quota()["held"] == 5


@live
def test_client_copies_and_deletes(portal: Client) -> None:
    task = portal.submit("diagnostic.echo", {"message": "hello"}, tags=["a"])
    copy = portal.copy(task["id"], input={"message": "other"}, priority=3)
    assert (copy["copy_of"], copy["input"], copy["tags"]) == (task["id"], {"message": "other"}, ["a"])
    assert portal.copy(task["id"], idempotency_key="k")["id"] == portal.copy(task["id"], idempotency_key="k")["id"]
    with pytest.raises(errors.WrongStatus):
        portal.delete(task["id"])
    portal.cancel(task["id"])
    portal.delete(task["id"])
    assert portal.get(task["id"])["input"] is None


@live
def test_client_waits_for_tasks_that_need_others(portal: Client) -> None:
    first = portal.submit("diagnostic.echo", {"message": "hello"})
    text = {"$from": first["id"], "path": "text"}
    second = portal.submit("diagnostic.echo", {"message": text}, needs=[first["id"]])
    assert (second["status"], second["input"]) == ("waiting", {"message": text})
    third = portal.submit("diagnostic.echo", {"message": "x"}, after=[second["id"]])
    assert (third["status"], third["needs"]) == ("waiting", [second["id"]])
    assert [task["id"] for task in portal.iter(status="waiting")] == [third["id"], second["id"]]
    assert Dependency.objects.get(task_id=third["id"]).any_end


@live
def test_client_names_a_webhook_for_one_task(portal: Client, alice: User) -> None:
    endpoint = WebhookEndpoint.objects.create(
        owner=alice, url="https://93.184.216.34/", events=["task.succeeded"], secret="x"
    )
    task = portal.submit("diagnostic.echo", {"message": "x"}, webhook=str(endpoint.pk))
    assert TaskWebhook.objects.get(task_id=task["id"]).endpoint_id == endpoint.pk


@live
def test_refusal_tells_the_limit_that_is_reached(
    make_user: Any, live_server: Any, token_of: Any, connect: Connect
) -> None:
    dora = make_user("dora", per_day=1)
    with connect(live_server.url, token_of(dora)) as portal:
        portal.submit("diagnostic.echo", {"message": "x"})
        with pytest.raises(errors.QuotaExceeded) as caught:
            portal.submit("diagnostic.echo", {"message": "x"})
    assert (caught.value.policy, caught.value.limit) == ("day", 1)


@live
def test_task_in_the_shape_of_another_system_is_refused_with_a_sentence(portal: Client, alice: User) -> None:
    theirs = submit_task(alice, Submission("diagnostic.echo", {"message": "x"}, id=new_marked_id("D"))).task
    for read in (portal.get, portal.wait, lambda task_id: list(portal.changes(task_id))):
        with pytest.raises(errors.PortalError, match="by a prompt without a type"):
            read(str(theirs.pk))


@live
def test_client_reads_and_cancels_batches(
    portal: Client,
    work: Callable[[], Any],  # noqa: F811
    tmp_path: Path,
) -> None:
    items: list[dict[str, Any]] = [{"type": "diagnostic.echo", "input": {"message": "one\u2028line"}}, {"type": "nope"}]
    batch = portal.batch([*items, items[0]], name="two", idempotency_key="b")
    assert portal.batch([*items, items[0]], name="two", idempotency_key="b")["id"] == batch["id"]
    work()
    assert portal.cancel_batch(batch["id"])["counts"]["cancelled"] == 1
    assert portal.get_batch(batch["id"])["done"]
    assert portal.download_batch(batch["id"]).startswith(b"PK")
    assert portal.download_batch_tables(batch["id"]).startswith(b"\xef\xbb\xbfNumber")
    portal.download_batch_workbook(batch["id"], tmp_path / "tables.xlsx")
    assert (tmp_path / "tables.xlsx").read_bytes().startswith(b"PK")
    with pytest.raises(errors.WrongStatus):
        portal.retry_batch(batch["id"])
    found = list(portal.batch_results(batch["id"]))
    assert [item["status"] for item in found] == ["succeeded", "refused", "cancelled"]
    assert found[0]["result"]["text"] == "one\u2028line"


@live
def test_client_filters_by_metadata(portal: Client) -> None:
    mine = portal.submit("diagnostic.echo", {"message": "x"}, metadata={"customer": "42"})
    portal.submit("diagnostic.echo", {"message": "y"}, metadata={"customer": "43"})
    assert [task["id"] for task in portal.iter(metadata={"customer": "42"})] == [mine["id"]]


@live
def test_client_knows_the_types(portal: Client) -> None:
    names = [found["name"] for found in portal.task_types()]
    assert "pdf.extract" in names
    assert portal.task_type("pdf.extract")["name"] == "pdf.extract"
    with pytest.raises(errors.NoResult):
        portal.result(portal.submit("diagnostic.echo", {"message": "x"})["id"])


@live
def test_repeated_key_submits_once(portal: Client) -> None:
    first = portal.submit("diagnostic.echo", {"message": "x"}, idempotency_key="abc")
    again = portal.submit("diagnostic.echo", {"message": "x"}, idempotency_key="abc")
    assert first["id"] == again["id"]
    assert Task.objects.count() == 1
