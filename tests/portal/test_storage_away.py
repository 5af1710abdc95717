"""A folder of files that is no folder any more: retryable, said as such, and no word of where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tasks import errors, files
from tasks.admin.overview import overview
from tasks.api.compat.submitting import kept_if
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import File

pytestmark = pytest.mark.django_db


@pytest.fixture
def away(settings: Any, tmp_path: Path) -> Path:
    """Not even root can write below a file."""
    place = tmp_path / "mount"
    place.write_text("")
    settings.MEDIA_ROOT = str(place / "media")
    return place


def upload(alice: User, token_of: Callable[..., str]) -> Callable[[], object]:
    given = SimpleUploadedFile("a.txt", b"hello")
    return lambda: Client(headers={"Authorization": f"Bearer {token_of(alice)}"}).post("/api/v1/files", {"file": given})


def test_upload_is_refused_for_now(away: Path, alice: User, token_of: Callable[..., str]) -> None:
    answer = upload(alice, token_of)()
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")  # type: ignore[attr-defined]
    assert answer["Retry-After"] == "60"  # type: ignore[index]
    assert str(away) not in answer.content.decode()  # type: ignore[attr-defined]
    assert not File.objects.exists()


def test_file_of_a_folder_that_is_away_may_come_back(
    alice: User, settings: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file = files.store_file(alice, name="a.txt", chunks=[b"hello"])
    request.getfixturevalue("away")
    for read in (lambda: files.open_file(file), lambda: files.local_path(file, tmp_path)):
        with pytest.raises(errors.StorageUnavailable) as caught:
            read()
        assert caught.value.retryable


def test_file_that_is_gone_from_its_folder_is_gone(alice: User, tmp_path: Path) -> None:
    file = files.store_file(alice, name="a.txt", chunks=[b"hello"])
    Path(file.data.path).unlink()
    for read in (lambda: files.open_file(file), lambda: files.local_path(file, tmp_path)):
        with pytest.raises(errors.UnreadableFile):
            read()


def test_deletion_waits_until_the_folder_is_back(
    alice: User, token_of: Callable[..., str], request: pytest.FixtureRequest
) -> None:
    file = files.store_file(alice, name="a.txt", chunks=[b"hello"])
    request.getfixturevalue("away")
    client = Client(headers={"Authorization": f"Bearer {token_of(alice)}"})
    answer = client.delete(f"/api/v1/files/{file.pk}")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert File.objects.filter(pk=file.pk).exists()


def test_replay_is_answered_though_the_second_file_cannot_be_deleted(
    alice: User, request: pytest.FixtureRequest
) -> None:
    echo = Submission("diagnostic.echo", {"message": "hello"})
    first = submit_task(alice, echo, idempotency_key="once", body_sha256="same")
    file = files.store_file(alice, name="a.txt", chunks=[b"hello"])
    request.getfixturevalue("away")
    again = kept_if(file, lambda: submit_task(alice, echo, idempotency_key="once", body_sha256="same"))
    assert (again.task, again.replayed) == (first.task, True)
    assert File.objects.filter(pk=file.pk).exists()


def test_refusal_is_told_though_the_file_cannot_be_deleted(alice: User, request: pytest.FixtureRequest) -> None:
    file = files.store_file(alice, name="a.txt", chunks=[b"hello"])
    request.getfixturevalue("away")
    with pytest.raises(errors.UnknownTaskType):
        kept_if(file, lambda: submit_task(alice, Submission("nope", {})))
    assert File.objects.filter(pk=file.pk).exists()


def test_operators_see_that_the_folder_is_away(away: Path) -> None:
    assert [alarm.text for alarm in overview().alarms if alarm.text.startswith("The folder of files may not be")]
