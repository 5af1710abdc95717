"""What cannot fit is said before it is stored, and the time of an attempt grows with the work."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from tasks import files
from tasks.api.objects.preview import preview_object
from tasks.errors import InvalidInput
from tasks.lifecycle import estimate
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.copy import copied_submission
from tasks.lifecycle.preview import preview_task
from tasks.lifecycle.retry import retry_with_input
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Estimate, Task

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _nothing_learned() -> Iterator[None]:
    estimate.forget_cache()
    yield
    estimate.forget_cache()


def recording(user: User, minutes: float, *, rate: int = 10) -> dict[str, Any]:
    """Store a recording that says to be so long, of so many bytes a second; return what takes it as its input."""
    data = bytes(round(minutes * 60 * rate) - 44)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", len(data) + 36, b"WAVE", b"fmt ", 16, 1, 1, rate, rate, 1, 8,
                       b"data", len(data))  # fmt: skip
    return {"file": str(files.store_file(user, name="speech.wav", chunks=[head + data]).pk)}


def submit(user: User, minutes: float, *, rate: int = 10, **options: Any) -> Task:
    return submit_task(user, Submission("speech.transcribe", recording(user, minutes, rate=rate), **options)).task


def learn(task: Task, seconds: float) -> None:
    Estimate.objects.create(
        type=task.type, size_bucket=task.size_bucket, recent=[seconds] * 5, seconds=seconds, p50_seconds=seconds,
        p90_seconds=seconds,
    )  # fmt: skip
    estimate.forget_cache()


def test_time_of_an_attempt_grows_with_the_recording_up_to_the_plans_longest(alice: User) -> None:
    assert [submit(alice, minutes).timeout_seconds for minutes in (1, 20, 55)] == [600, 1809, 3600]
    assert submit(alice, 20).est_seconds == pytest.approx(603)
    assert submit(alice, 20, timeout=700).timeout_seconds == 700


@pytest.mark.parametrize(
    ("type_name", "options", "timeout", "said"),
    [
        ("pdf.extract", {}, 1656, "A PDF of 500 pages (by OCR: 100)"),
        ("pdf.extract", {"pages": "1-20", "engine": "accurate"}, 624, "A PDF of 20 pages (by OCR: 20)"),
        ("pdf.extract", {"ocr": "never"}, 600, "A PDF of 500 pages (by OCR: 0)"),
        ("file.process", {"engine": "fast"}, 600, "A PDF of 200 pages (by OCR: 30)"),
    ],
)
def test_time_of_an_attempt_grows_with_the_pages_and_a_preview_says_so(
    alice: User, type_name: str, options: dict[str, Any], timeout: int, said: str
) -> None:
    # What the ends of a scan of 500 pages say of it; nobody reads the pages here.
    data = b"%PDF-1.4 <</Type/XObject/Subtype/Image>> <</Type/Pages/Kids[]/Count 500>>"
    file = files.store_file(alice, name="scan.pdf", chunks=[data], content_type="application/pdf")
    submission = Submission(type_name, {"file": str(file.pk), **options})
    found = preview_task(alice, submission)

    assert found.work is not None
    assert (found.work.amount, found.task.timeout_seconds) == (said, timeout)
    assert preview_object(found)["work"] == {"amount": said, "expected_seconds": found.work.seconds}
    assert submit_task(alice, submission).task.timeout_seconds == timeout


def test_what_others_of_its_size_took_here_counts_more_than_the_types_guess(alice: User) -> None:
    learn(submit(alice, 20), 310)
    assert submit(alice, 20).timeout_seconds == 930


def test_a_note_is_no_lecture_of_as_many_bytes(alice: User) -> None:
    """A compressed lecture has the bytes of a note that is not: its hours refused the note, or its seconds broke off
    the lecture."""
    lecture = submit(alice, 50)
    learn(lecture, 1500)
    note = submit(alice, 0.5, rate=1_000, timeout=60, max_attempts=1)
    assert (note.est_seconds, lecture.size_bucket) == (18, note.size_bucket + 6)
    learn(note, 6)
    assert submit(alice, 50).timeout_seconds == 3600


def test_other_work_under_a_retry_or_as_a_copy_has_the_time_that_it_needs(alice: User) -> None:
    task = submit(alice, 1, max_attempts=1)
    long = recording(alice, 20)
    copied = [copied_submission(task.pk, {"input": long} | more, owner=alice) for more in ({}, {"timeout": 700})]
    assert [submit_task(alice, copy).task.timeout_seconds for copy in copied] == [1809, 700]
    # As it was asked for, where the work is as it was.
    short = submit(alice, 20, timeout=700)
    assert submit_task(alice, copied_submission(short.pk, {}, owner=alice)).task.timeout_seconds == 700
    cancel_task(task.pk, by=alice)
    retried = retry_with_input(task.pk, long, by=alice)
    assert (retried.timeout_seconds, retried.est_seconds, retried.size_bucket) == (1809, 603, short.size_bucket)


def test_a_recording_that_cannot_be_read_just_now_is_taken(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(path: Path, *_: Any) -> Any:
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    given = recording(alice, 70)
    for asked in ("open", "exists"):
        with monkeypatch.context() as away:
            away.setattr(Path, asked, stale)
            assert submit_task(alice, Submission("speech.transcribe", given)).task.timeout_seconds == 600


@pytest.mark.parametrize(
    ("minutes", "options", "pointer", "said"),
    [
        (70, {}, "/input/file", "A recording of 70 minutes is too long: one task takes 60 minutes at most."),
        (20, {"timeout": 60}, "/timeout", "takes about 10 minutes here, and 3 attempts of 60 seconds are too short"),
        (20, {"timeout": 300, "max_attempts": 1}, "/timeout", "one attempt of 5 minutes is too short"),
    ],
)
def test_what_cannot_fit_is_refused_with_the_figure_and_not_stored(
    alice: User, minutes: float, options: dict[str, int], pointer: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        submit(alice, minutes, **options)
    [fault] = caught.value.errors
    assert fault.pointer == pointer
    assert said in fault.detail
    assert not Task.objects.exists()
