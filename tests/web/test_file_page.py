"""The page of a file: a look into it, its name and tags, who reads it, and which files are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.web import file_facts
from tasks import errors
from tasks.files import change_file, store_file
from tasks.models import File
from tests.web.conftest import SignIn, Submit

pytestmark = pytest.mark.django_db


def stored(owner: User, name: str, data: bytes | None = None) -> File:
    return store_file(owner, name=name, chunks=[data or Path("tests/samples", name).read_bytes()])


def about(file: File) -> str:
    return reverse("web:about-file", args=[file.pk])


def test_page_of_a_file_tells_what_it_is_and_who_reads_it(page: Client, alice: User, bob: User, submit: Submit) -> None:
    file, twin = stored(alice, "report.pdf"), stored(alice, "report.pdf")
    foreign = stored(bob, "report.pdf")
    reads = submit(alice, "pdf.extract", {"file": str(file.pk)})
    many = submit(alice, "pdf.batch", {"files": [str(file.pk), str(twin.pk)]})
    other = submit(alice, "pdf.extract", {"file": str(twin.pk)})
    text = page.get(about(file)).text
    assert reverse("web:file-page", args=[file.pk, 1]) in text
    assert file.sha256 in text
    uses = text.partition('id="uses-title"')[2].partition("</table>")[0]
    assert [str(task.pk) in uses for task in (reads, many, other)] == [True, True, False]
    assert uses.count("<bdi>report.pdf") == 2
    assert about(twin) in text
    assert str(foreign.pk) not in text

    listed = page.get(reverse("web:files")).text
    assert listed.count("same content as another") == 2


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        ("notice.ogg", None, "<audio"),
        ("notes.txt", b"<b>some</b> notes", "&lt;b&gt;some&lt;/b&gt; notes</pre>"),
        ("blob.bin", b"\0\1\2\3", "Files of this kind are not shown here."),
    ],
)
def test_file_is_looked_into(page: Client, alice: User, name: str, data: bytes | None, shown: str) -> None:
    text = page.get(about(stored(alice, name, data))).text
    assert shown in text
    assert "None of your newest tasks." in text


def test_file_gets_another_name_and_tags(page: Client, alice: User) -> None:
    file = stored(alice, "notes.txt", b"notes")
    told = page.post(
        about(file), {"name": " 潮汐 \U0001f6a2.txt ", "tags": "harbour,  tides, ,harbour"}, follow=True
    ).text
    assert "Saved." in told
    file.refresh_from_db()
    assert (file.name, file.tags) == ("潮汐 \U0001f6a2.txt", ["harbour", "tides"])
    assert "潮汐" in page.get(reverse("web:files"), {"tag": "tides"}).text
    assert "潮汐" not in page.get(reverse("web:files"), {"tag": "other"}).text
    assert "潮汐" in page.get(reverse("web:files"), {"tag": "tides\0"}).text


def test_changes_at_the_same_time_leave_each_other(alice: User) -> None:
    file = stored(alice, "notes.txt", b"notes")
    same = File.objects.get(pk=file.pk)
    change_file(file, name="a.txt")
    change_file(same, tags=["tides"])
    file.refresh_from_db()
    assert (file.name, file.tags) == ("a.txt", ["tides"])
    File.objects.filter(pk=file.pk).delete()
    with pytest.raises(errors.NotFound):
        change_file(same, name="b.txt")


def test_page_is_there_while_the_folder_of_files_is_away(
    page: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_file: File) -> None:
        raise errors.StorageUnavailable

    file = stored(alice, "notes.txt", b"notes")
    monkeypatch.setattr(file_facts, "open_file", away)
    assert file.sha256 in page.get(about(file)).text


def test_results_of_readers_are_not_loaded(alice: User, submit: Submit) -> None:
    file = stored(alice, "report.pdf")
    submit(alice, "pdf.extract", {"file": str(file.pk)})
    [task] = file_facts.uses_of(file)
    assert "result" in task.content.get_deferred_fields()


@pytest.mark.parametrize(
    ("name", "tags", "fault"),
    [
        ("", "", "The file has no name."),
        ("字" * 100, "", "at most 255 bytes"),
        ("a.txt", "x" * 101, "At most 20 tags"),
        ("a.txt", ",".join(map(str, range(21))), "At most 20 tags"),
        ("a.txt", "a\u202eb", "At most 20 tags"),
    ],
)
def test_bad_name_or_tag_is_told_and_changes_nothing(
    page: Client, alice: User, name: str, tags: str, fault: str
) -> None:
    file = stored(alice, "notes.txt", b"notes")
    response = page.post(about(file), {"name": name, "tags": tags})
    assert response.status_code == 422
    assert fault in response.text
    file.refresh_from_db()
    assert (file.name, file.tags) == ("notes.txt", [])


def test_page_of_a_file_is_its_owners(sign_in: SignIn, alice: User, bob: User) -> None:
    file = stored(alice, "notes.txt", b"notes")
    assert sign_in(bob).get(about(file)).status_code == 404
    assert sign_in(bob).post(about(file), {"name": "mine.txt"}).status_code == 404
