"""Chains on a real node: one task's result is the next one's input; and evil files that the worker survives."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from accounts.models import User
from tasks import files
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Task
from tasks.testing import SAMPLES
from tests.cluster.conftest import RunningNode, environment, start_node, wait_for_end
from tests.engines import evil_files

__all__ = ["environment", "start_node"]

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

StartNode = Callable[..., RunningNode]
SECONDS = 120.0


def store(user: User, name: str, data: bytes | None = None) -> str:
    content = (SAMPLES / name).read_bytes() if data is None else data
    return str(files.store_file(user, name=name, chunks=[content]).pk)


def submit(user: User, type_: str, *, needs: tuple[UUID, ...] = (), **data: object) -> Task:
    return submit_task(user, Submission(type_, data, needs=needs)).task


def result_of(task: Task, path: str = "") -> dict[str, str]:
    return {"$from": str(task.pk)} | ({"path": path} if path else {})


def test_results_flow_from_task_to_task(alice: User, start_node: StartNode) -> None:
    start_node()
    photo = submit(alice, "image.analyze", file=store(alice, "photo.jpg"))
    ferry = submit(alice, "answer.complete", question="When does the ferry depart?", context=result_of(photo, "text"))
    notice = submit(alice, "speech.transcribe", file=store(alice, "notice.ogg"))
    hours = submit(
        alice, "answer.complete", question="When does the ferry office open?", context=result_of(notice, "text")
    )
    readings = [submit(alice, "pdf.extract", file=store(alice, name)) for name in ("report.pdf", "handbook.pdf")]
    again = submit(alice, "pdf.extract", file=store(alice, "report.pdf"))
    check = submit(alice, "document.crosscheck", results=[result_of(readings[0]), result_of(again)])
    texts = submit(alice, "document.crosscheck", texts=[result_of(one, "text") for one in readings])

    tasks = [photo, ferry, notice, hours, *readings, again, check, texts]
    wait_for_end(*tasks, seconds=SECONDS)
    assert [(task.type, task.status, task.error) for task in tasks if task.status != "succeeded"] == []
    assert ferry.content.result["answer"] == "Departs daily 08:45"
    assert "opens at" in hours.content.result["answer"]
    assert check.content.result["differences"] == []
    assert len(check.content.result["matches"]) > 20
    assert [one["name"] for one in texts.content.result["documents"]] == ["text 1", "text 2"]


def test_a_batch_reads_every_file_as_a_task_and_sums_up(alice: User, start_node: StartNode) -> None:
    start_node()
    good, scan = store(alice, "report.pdf"), store(alice, "scan.pdf")
    bad = store(alice, "bad.pdf", b"%PDF-1.7\nbroken")
    batch = submit(alice, "pdf.batch", materials={"reports": [good, bad], "receipts": [scan]})

    wait_for_end(batch, seconds=SECONDS)
    assert (batch.status, batch.error) == ("succeeded", None)
    result = batch.content.result
    assert [(one["name"], one["status"]) for one in result["files"]] == [
        ("report.pdf", "succeeded"),
        ("bad.pdf", "failed"),
        ("scan.pdf", "succeeded"),
    ]
    assert [(one["name"], one["succeeded"], one["failed"]) for one in result["materials"]] == [
        ("reports", 1, 1),
        ("receipts", 1, 0),
    ]
    assert Task.objects.filter(owner=alice, type="pdf.extract").count() == 3


def test_evil_files_fail_their_task_and_leave_the_worker_alive(alice: User, start_node: StartNode) -> None:
    start_node(workers=1)
    whole = (SAMPLES / "notice.ogg").read_bytes()
    evil = {
        ("pdf.extract", "pages.pdf"): (evil_files.pdf_of_pages(10_000), "input_too_large"),
        ("image.analyze", "giant.png"): (evil_files.png(30_000, 30_000), "input_too_large"),
        ("file.process", "laughs.docx"): (evil_files.docx(evil_files.LAUGHS), "unreadable_file"),
        ("file.process", "bomb.docx"): (evil_files.docx(b"<d><p><t>" + b" " * 250_000_000), "input_too_large"),
        ("speech.transcribe", "cut.ogg"): (whole[:200], "unreadable_file"),
        ("image.analyze", "cut.jpg"): ((SAMPLES / "photo.jpg").read_bytes()[:30_000], "unreadable_file"),
    }
    tasks = [submit(alice, type_, file=store(alice, name, data)) for (type_, name), (data, _) in evil.items()]
    wait_for_end(*tasks, seconds=SECONDS)
    after = submit(alice, "pdf.extract", file=store(alice, "report.pdf"))
    wait_for_end(after, seconds=SECONDS)

    assert [(task.status, task.error["code"]) for task in tasks] == [("failed", code) for _, code in evil.values()]
    # A worker that died would have left "died".
    assert [attempt.outcome for task in tasks for attempt in task.attempts.all()] == ["failed"] * len(tasks)
    assert after.status == "succeeded"
