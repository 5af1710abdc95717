"""Results beside what they were made of: pages of the user's own file as pictures, recordings in parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.web import page_pictures
from portal.web.page_pictures import MOST_OF_ONE
from tasks import errors
from tasks.files import store_file
from tasks.models import File
from tasks.shares.links import share_task
from tests.web.conftest import Finish, SignIn

pytestmark = pytest.mark.django_db

SAMPLES = Path("tests/samples")
BLOCKS = [
    {"page": 1, "kind": "heading", "text": "Tides", "level": 1, "box": [72, 72, 300, 90]},
    {"page": 1, "kind": "paragraph", "text": "High at <noon>", "level": None, "box": None},
    {"page": 2, "kind": "heading", "text": "Winds", "level": 2, "box": [72, 72, 300, 90]},
    {"page": 12, "kind": "heading", "text": "Fogs", "level": 1, "box": [1, "x", 2, 3]},
]
PAGES = [{"number": number, "text": "all", "width": 612, "height": 792} for number in range(1, 13)]


def stored(owner: User, name: str, data: bytes | None = None) -> File:
    return store_file(owner, name=name, chunks=[data or (SAMPLES / name).read_bytes()])


def page_of(file: File, number: int = 1) -> str:
    return reverse("web:file-page", args=[file.pk, number])


@pytest.mark.parametrize("name", ["report.pdf", "photo.jpg"])
def test_page_is_drawn_once(page: Client, alice: User, name: str) -> None:
    address = page_of(stored(alice, name))
    first = page.get(address)
    assert first["Content-Type"] == "image/webp"
    assert first.content[8:12] == b"WEBP"
    assert first["Content-Security-Policy"].startswith("sandbox")
    again = page.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("name", "data", "number"),
    [("report.pdf", None, 99), ("photo.jpg", None, 2), ("a.pdf", b"%PDF-1.4 nothing", 1), ("a.txt", b"text", 1)],
)
def test_page_that_cannot_be_drawn_is_not_found(
    page: Client, alice: User, name: str, data: bytes | None, number: int
) -> None:
    assert page.get(page_of(stored(alice, name, data), number)).status_code == 404


def test_files_of_others_are_not_found(sign_in: SignIn, alice: User, bob: User) -> None:
    assert sign_in(bob).get(page_of(stored(alice, "report.pdf"))).status_code == 404


def test_who_draws_already_is_told_to_come_again(page: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_pictures, "LONGEST_WAIT_SECONDS", 0.0)
    address = page_of(stored(alice, "report.pdf"))
    monkeypatch.setattr(page_pictures._turns, "_drawing", [alice.pk] * MOST_OF_ONE)
    response = page.get(address)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    monkeypatch.setattr(page_pictures._turns, "_drawing", [])
    assert page.get(address).status_code == 200


def test_no_more_wait_than_leave_threads_for_others(page: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    address = page_of(stored(alice, "report.pdf"))
    monkeypatch.setattr(page_pictures._turns, "_drawing", [alice.pk] * MOST_OF_ONE)
    monkeypatch.setattr(page_pictures._turns, "_waiting", page_pictures.MOST_WAITING)
    monkeypatch.setattr(page_pictures._turns._changed, "wait_for", lambda *_args, **_options: pytest.fail("waits"))
    assert page.get(address).status_code == 503


@pytest.mark.parametrize("fault", [errors.StorageFull(), errors.StorageUnavailable(), errors.EngineError("killed")])
def test_page_that_the_machine_cannot_draw_now_may_be_asked_for_again(
    page: Client, alice: User, monkeypatch: pytest.MonkeyPatch, fault: errors.TaskError
) -> None:
    def fail(*_args: object) -> bytes:
        raise fault

    address = page_of(stored(alice, "report.pdf"))
    monkeypatch.setattr(page_pictures, "draw_page", fail)
    assert page.get(address).status_code == 503


@pytest.mark.parametrize("number", [-1, True])
def test_number_that_no_page_has_breaks_no_page(page: Client, alice: User, finished: Finish, number: int) -> None:
    pages = [{"number": number, "text": "all", "width": 612, "height": 792}]
    task = finished(alice, {"pages": pages}, as_type="pdf.extract", file=str(stored(alice, "report.pdf").pk))
    assert page.get(reverse("web:task", args=[task.pk])).status_code == 200


def test_document_stands_beside_its_passages(page: Client, alice: User, finished: Finish) -> None:
    file = stored(alice, "report.pdf")
    result = {"text": "all", "pages": PAGES, "blocks": BLOCKS, "page_count": 12, "metadata": {}}
    task = finished(alice, result, as_type="pdf.extract", file=str(file.pk))
    address = reverse("web:task", args=[task.pk])

    text = page.get(address).text
    assert f'<img src="{page_of(file)}" width="612" height="792" loading="lazy"' in text
    assert '<rect class="box" id="box-1-1" x="72.0" y="72.0" width="228.0" height="18.0"/>' in text
    assert 'data-box="box-1-1">Tides</li>' in text
    assert "High at &lt;noon&gt;</li>" in text
    assert '<li class="level-1"><a href="?page=2#passage-12-1">Fogs</a></li>' in text
    assert page_of(file, 11) not in text

    text = page.get(address, {"page": 2}).text
    assert page_of(file, 12) in text
    assert '<li class="passage kind-heading" id="passage-12-1" >Fogs</li>' in text

    _, secret = share_task(task.pk, by=alice, days=1)
    shared = page.get(reverse("web:shared", args=[secret])).text
    assert "High at &lt;noon&gt;" in shared
    assert "data-box" not in shared
    assert str(file.pk) not in shared


def test_transcript_leads_its_recording(page: Client, alice: User, finished: Finish) -> None:
    file = stored(alice, "notice.ogg")
    segments = [{"start": 0.0, "end": 2.5, "text": "Ahoy"}, {"start": 3725.5, "end": 3726, "text": "<b>"}]
    task = finished(alice, {"text": "Ahoy", "segments": segments}, as_type="speech.transcribe", file=str(file.pk))
    text = page.get(reverse("web:task", args=[task.pk])).text
    sound = reverse("api:file-content", args=[file.pk])
    assert f'controls preload="metadata" src="{sound}"' in text
    assert f'<a class="mono" href="{sound}#t=3725.5" data-seek="3725.5">1:02:05</a> <span>&lt;b&gt;</span>' in text
