"""Files: upload by form or as the body, and download without danger."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tasks.api.objects.file import FileInfo
from tasks.models import File as StoredFile
from tests.api.conftest import JSON, MakeClient
from tests.api.shapes import assert_shape

HTML = b"<!doctype html><script>alert(1)</script>"


def upload(client: Client, content: bytes, name: str = "a.txt") -> Any:
    return client.post("/api/v1/files", {"file": SimpleUploadedFile(name, content)})


def test_upload_by_form_tells_size_type_and_checksum(api: MakeClient, alice: User) -> None:
    response = upload(api(alice), b"%PDF-1.7 text", "report.pdf")
    file = response.json()
    assert response.status_code == 201
    assert_shape(file, FileInfo)
    assert response["Location"] == file["urls"]["self"]
    assert (file["name"], file["size"], file["content_type"]) == ("report.pdf", 13, "application/pdf")
    assert file["sha256"] == hashlib.sha256(b"%PDF-1.7 text").hexdigest()
    assert api(alice).get(file["urls"]["self"]).json() == file


@pytest.mark.parametrize("content_type", ["application/octet-stream", "image/png", "application/json", "text/plain"])
def test_upload_as_the_body_takes_its_name_from_the_query(api: MakeClient, alice: User, content_type: str) -> None:
    response = api(alice).generic("POST", "/api/v1/files?name=notes%20%C3%A9.txt", b"{not json", content_type)
    assert response.status_code == 201, response.content
    assert (response.json()["name"], response.json()["size"]) == ("notes é.txt", 9)
    # What the sender says about the content does not count.
    assert response.json()["content_type"] == "text/plain"


def test_download_is_an_attachment_without_rights(api: MakeClient, alice: User) -> None:
    file = upload(api(alice), HTML, 'evil".html').json()
    response: Any = api(alice).get(file["urls"]["content"])
    assert b"".join(response.streaming_content) == HTML
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Content-Length"] == str(len(HTML))


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("a\r\nX-Evil: 1", "aX-Evil: 1"), ("b\\c.txt", "c.txt"), ("日本.txt", "日本.txt")],
)
def test_name_cannot_escape_or_add_headers(api: MakeClient, alice: User, name: str, kept: str) -> None:
    client = api(alice)
    response = client.generic("POST", "/api/v1/files", b"x", "text/plain", QUERY_STRING=urlencode({"name": name}))
    assert response.json()["name"] == kept
    content = client.get(response.json()["urls"]["content"])
    assert content.status_code == 200
    assert "X-Evil" not in content.headers
    content.close()


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({}, "/file", "missing"),
        ({"other": SimpleUploadedFile("a", b"x")}, "/file", "missing"),
        ({"file": [SimpleUploadedFile("a", b"x"), SimpleUploadedFile("b", b"x")]}, "/file", "too_many"),
        ({"file": SimpleUploadedFile("a", b"x"), "nope": "1"}, "/nope", "unknown_field"),
        ({"file": "text"}, "/file", "missing"),
        ({"file": SimpleUploadedFile("a.png", b"")}, "/file", "empty_file"),
    ],
)
def test_faulty_form_is_refused_with_a_pointer(
    api: MakeClient, alice: User, fields: dict[str, Any], pointer: str, code: str
) -> None:
    response = api(alice).post("/api/v1/files", fields)
    assert response.status_code == 422
    assert response.json()["code"] == ("invalid_body" if code == "unknown_field" else "invalid_file")
    assert response.json()["errors"][0] | {"detail": ""} == {"pointer": pointer, "code": code, "detail": ""}
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status"),
    [
        ("/api/v1/files", b"x", "text/plain", 422),
        ("/api/v1/files?name=a", b"", "text/plain", 422),
        ("/api/v1/files?name=..", b"x", "text/plain", 422),
        ("/api/v1/files?nam=a", b"x", "text/plain", 400),
        ("/api/v1/files?name=a%00b", b"x", "text/plain", 400),
        ("/api/v1/files?name=a", b"x=1", "application/x-www-form-urlencoded", 415),
        ("/api/v1/files", b"no parts", "multipart/form-data; boundary=x", 422),
        ("/api/v1/files", b"no parts", "multipart/form-data", 400),
    ],
)
def test_faulty_body_is_refused(
    api: MakeClient, alice: User, path: str, body: bytes, content_type: str, status: int
) -> None:
    response = api(alice).generic("POST", path, body, content_type)
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize("size", [256, 1_100, 5_000])
def test_name_that_is_too_long_is_refused_as_that(api: MakeClient, alice: User, size: int) -> None:
    # By hand: Django's own form would cut the name.
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{"a" * size}"\r\n\r\n'
    body = f"{head}x\r\n--x--\r\n".encode()
    form = api(alice).generic("POST", "/api/v1/files", body, "multipart/form-data; boundary=x")
    assert (form.status_code, form.json()["code"]) == (422, "invalid_file")
    assert form.json()["errors"][0]["code"] == "name_too_long"
    raw = api(alice).generic("POST", f"/api/v1/files?name={'文' * size}", b"x", "text/plain")
    assert raw.status_code in {400, 422}
    assert raw.json()["code"] in {"invalid_parameter", "invalid_file"}
    assert not StoredFile.objects.exists()


def test_longest_name_of_a_file_system_is_kept_whole(api: MakeClient, alice: User) -> None:
    name = "文" * 84 + "txt"
    assert upload(api(alice), b"x", name=name).json()["name"] == name


def test_file_over_the_limit_is_413(api: MakeClient, alice: User, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    # Within what a form's boundaries may add, so only the count while reading can tell.
    response = upload(api(alice), b"x" * 1001)
    assert (response.status_code, response.json()["code"]) == (413, "input_too_large")
    settings.MAX_UPLOAD_BYTES = 0
    assert upload(api(alice), b"x" * 100_000).json()["code"] == "body_too_large"


def test_full_storage_is_a_429_that_names_it(api: MakeClient, make_user: Any) -> None:
    response = upload(api(make_user("carol", file_bytes=10)), b"x" * 11)
    assert (response.status_code, response.json()["policy"]) == (429, "files")


def test_lost_bytes_are_410(api: MakeClient, alice: User) -> None:
    file = upload(api(alice), b"x").json()
    stored = StoredFile.objects.get()
    stored.data.storage.delete(stored.data.name)
    response = api(alice).get(file["urls"]["content"])
    assert (response.status_code, response.json()["code"]) == (410, "content_purged")


def test_session_uploads_a_form_with_csrf(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert upload(client, b"x").json()["code"] == "csrf_failed"
    client.cookies["csrftoken"] = "a" * 32
    form = {"file": SimpleUploadedFile("a.txt", b"x"), "csrfmiddlewaretoken": "a" * 32}
    assert client.post("/api/v1/files", form).status_code == 201


def test_uploaded_file_is_used_in_a_task(api: MakeClient, alice: User) -> None:
    client = api(alice)
    file = upload(client, b"%PDF-1.7 text", "a.pdf").json()
    body = {"type": "pdf.extract", "input": {"file": file["id"]}}
    assert client.post("/api/v1/tasks", body, JSON).json()["input"]["file"] == file["id"]


def test_file_is_renamed_tagged_and_found_by_its_content(api: MakeClient, alice: User, bob: User) -> None:
    first, other = upload(api(alice), b"same", "a.txt").json(), upload(api(alice), b"other", "b.txt").json()
    twin = upload(api(alice), b"same", "c.txt").json()
    upload(api(bob), b"same", "d.txt")
    own = first["urls"]["self"]
    changed = api(alice).patch(own, {"name": "../潮.txt", "tags": ["tides", "tides"]}, content_type="application/json")
    assert_shape(changed.json(), FileInfo)
    assert changed.json() == first | {"name": "潮.txt", "tags": ["tides"]}
    assert api(alice).patch(own, {"tags": []}, content_type="application/json").json() == first | {"name": "潮.txt"}

    found = api(alice).get("/api/v1/files", {"sha256": first["sha256"]}).json()["data"]
    assert [file["id"] for file in found] == [twin["id"], first["id"]]
    assert other["tags"] == []
    assert api(alice).get("/api/v1/files", {"sha256": "x"}).status_code == 400
    assert api(bob).patch(own, {"name": "mine"}, content_type="application/json").status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"name": ""}, "/name"), ({"name": "字" * 100}, "/name"), ({"tags": ["a\nb"]}, "/tags"), ({"size": 1}, "/size")],
)
def test_faulty_change_of_a_file_is_told(api: MakeClient, alice: User, body: dict[str, Any], pointer: str) -> None:
    own = upload(api(alice), b"same").json()["urls"]["self"]
    response = api(alice).patch(own, body, content_type="application/json")
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"].startswith(pointer)
