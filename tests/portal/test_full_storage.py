"""A folder of files that is full or away: uploads, pages and tasks say so, and keep nothing of what they began."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connection

from accounts.models import User
from tasks.admin.overview import overview
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import File, Task
from tests.cluster.conftest import environment, start_node, wait_until
from tests.small_disk import SmallDisk, small_disk
from tests.web.live import PROJECT, LiveServer, environment_of_test, session_cookie

__all__ = ["environment", "start_node"]

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.slow]

MEGABYTE = 1024 * 1024
LARGE = b"%PDF-1.4\n" + bytes(6 * MEGABYTE)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    """The disk of both the files and the temporary files, as on most machines."""
    with small_disk(tmp_path_factory.mktemp("disk"), megabytes=32) as mounted:
        (mounted.folder / "tmp").mkdir()
        yield mounted


@pytest.fixture(scope="module")
def small_web(django_db_setup: None, disk: SmallDisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    environment = environment_of_test(media=disk.folder / "media") | {"TMPDIR": str(disk.folder / "tmp")}
    running = LiveServer(log=tmp_path_factory.mktemp("log") / "web.log", environment=environment)
    yield running
    running.stop()


@pytest.fixture
def full(transactional_db: None, disk: SmallDisk) -> Iterator[SmallDisk]:
    disk.fill(but_bytes=MEGABYTE)
    yield disk
    disk.empty()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def left_behind(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "ballast"]


@pytest.mark.parametrize("form", [True, False], ids=["form", "bytes"])
def test_upload_to_a_full_disk_is_507_and_keeps_nothing(
    small_web: LiveServer, full: SmallDisk, alice: User, token_of: Callable[..., str], form: bool
) -> None:
    before = left_behind(full.folder)
    given = {"files": {"file": ("a.pdf", LARGE)}} if form else {"content": LARGE, "params": {"name": "a.pdf"}}
    address = f"{small_web.url}/api/v1/files"
    answer = httpx.post(address, headers=bearer(token_of(alice)), timeout=30, **given)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full"), answer.text
    assert answer.headers["Retry-After"] == "60"
    assert str(full.folder) not in answer.text
    wait_until(lambda: left_behind(full.folder) == before, what="the end of temporary files")
    assert not File.objects.exists()
    full.empty()
    answer = httpx.post(address, headers=bearer(token_of(alice)), timeout=30, **given)
    assert answer.status_code == 201


def test_body_that_there_is_no_room_for_is_507(
    small_web: LiveServer, full: SmallDisk, alice: User, token_of: Callable[..., str]
) -> None:
    full.fill()
    body = {"type": "diagnostic.echo", "input": {"message": "x" * 500_000}}
    answer = httpx.post(f"{small_web.url}/api/v1/tasks", headers=bearer(token_of(alice)), json=body, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full"), answer.text
    # What fits in memory needs no disk.
    body = {"type": "diagnostic.echo", "input": {"message": "x"}}
    answer = httpx.post(f"{small_web.url}/api/v1/tasks", headers=bearer(token_of(alice)), json=body, timeout=30)
    assert answer.status_code == 202


def test_page_that_uploads_says_that_there_is_no_room(small_web: LiveServer, full: SmallDisk, alice: User) -> None:
    with httpx.Client(base_url=small_web.url, cookies={"sessionid": session_cookie(alice)}, timeout=30) as browser:
        browser.get("/files")
        form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        page = browser.post("/files/upload", data=form, files={"file": ("a.pdf", LARGE)})
        script = browser.post(
            "/files/upload", data=form, files={"file": ("a.pdf", LARGE)}, headers={"Accept": "application/json"}
        )
    assert (page.status_code, "no room left for files" in page.text) == (507, True)
    assert (script.status_code, "no room left for files" in script.json()["error"]) == (507, True)


def test_task_that_finds_the_disk_full_is_tried_again_and_says_why(
    full: SmallDisk, alice: User, start_node: Callable[..., object]
) -> None:
    file = File.objects.create(
        id=uuid4(), owner=alice, name="photo.jpg", size=1, content_type="image/jpeg", sha256="0" * 64, data="photo.jpg"
    )
    media = full.folder / "media"
    full.empty()
    media.mkdir(exist_ok=True)
    (media / "photo.jpg").write_bytes((PROJECT / "tests/samples/photo.jpg").read_bytes())
    full.fill()
    start_node(MEDIA_ROOT=str(media), TMPDIR=str(full.folder / "tmp"))
    task = submit_task(alice, Submission("file.process", {"file": str(file.pk), "thumbnail": True})).task
    wait_until(lambda: task.attempts.exclude(outcome="").exclude(outcome=None).exists(), what="the first attempt")
    task.refresh_from_db()
    attempt = task.attempts.first()
    assert attempt is not None
    assert attempt.error["code"] == "storage_full", attempt.error
    assert "no room left" in attempt.error["message"]
    full.empty()
    wait_until(lambda: Task.objects.get(pk=task.pk).status == "succeeded", what="the second attempt")


def test_operators_see_that_the_disk_is_full(full: SmallDisk, settings: Any) -> None:
    settings.MEDIA_ROOT = str(full.folder / "media")
    connection.close()
    assert [alarm.text for alarm in overview().alarms if "The folder of files has 1." in alarm.text]
