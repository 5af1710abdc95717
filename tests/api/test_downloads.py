"""Files' bytes: ranges, validators, signed addresses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from accounts import tokens
from accounts.models import ApiToken, User
from tasks.api.objects.file import FileLink
from tasks.models import File
from tests.api.conftest import JSON, MakeClient
from tests.api.shapes import assert_shape

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def client(api: MakeClient, alice: User) -> Client:
    return api(alice)


@pytest.fixture
def file(client: Client) -> dict[str, Any]:
    made: dict[str, Any] = client.post("/api/v1/files", {"file": SimpleUploadedFile("a.bin", CONTENT)}).json()
    return made


def signed(client: Client, file: dict[str, Any], **body: Any) -> str:
    address = urlsplit(client.post(file["urls"]["link"], body, JSON).json()["url"])
    return f"{address.path}?{address.query}"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=70000-199999", 70_000, 199_999),
        ("bytes=255990-", 255_990, 255_999),
        ("bytes=-10", 255_990, 255_999),
        ("bytes=-999999999", 0, 255_999),
        ("bytes=255999-99999999999", 255_999, 255_999),
    ],
)
def test_range_is_a_part(client: Client, file: dict[str, Any], asked: str, first: int, last: int) -> None:
    response = client.get(file["urls"]["content"], headers={"Range": asked})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert b"".join(response) == CONTENT[first : last + 1]
    assert response["Content-Length"] == str(last - first + 1)
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "asked", ["bytes=5-4", "bytes=-", "bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes", "bytes=" + "9" * 40 + "-"]
)
def test_what_is_no_range_is_the_whole(client: Client, file: dict[str, Any], asked: str) -> None:
    response = client.get(file["urls"]["content"], headers={"Range": asked})
    assert (response.status_code, b"".join(response)) == (200, CONTENT)
    assert response["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=256000-", "bytes=256000-256001", "bytes=-0"])
def test_range_behind_the_end_is_416(client: Client, file: dict[str, Any], asked: str) -> None:
    response = client.get(file["urls"]["content"], headers={"Range": asked})
    assert (response.status_code, response.json()["code"]) == (416, "range_not_satisfiable")
    assert response["Content-Range"] == "bytes */256000"


def test_range_of_another_version_is_the_whole(client: Client, file: dict[str, Any]) -> None:
    etag = f'"{file["sha256"]}"'
    for known, status in ((etag, 206), ('"other"', 200)):
        response = client.get(file["urls"]["content"], headers={"Range": "bytes=0-1", "If-Range": known})
        assert response.status_code == status
        assert len(b"".join(response)) == (2 if status == 206 else len(CONTENT))


def test_known_content_is_304(client: Client, file: dict[str, Any]) -> None:
    etag = client.head(file["urls"]["content"])["ETag"]
    response = client.get(file["urls"]["content"], headers={"If-None-Match": f'"x", W/{etag}'})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)


def test_head_tells_the_length_without_opening_the_file(client: Client, file: dict[str, Any]) -> None:
    stored = File.objects.get()
    stored.data.storage.delete(str(stored.data.name))
    response = client.head(file["urls"]["content"])
    assert (response.status_code, response["Content-Length"], response.content) == (200, "256000", b"")
    part = client.head(file["urls"]["content"], headers={"Range": "bytes=0-9"})
    assert (part.status_code, part["Content-Length"]) == (206, "10")


def test_signed_address_needs_nobody_and_hides_the_file_from_scripts(client: Client, file: dict[str, Any]) -> None:
    made = client.post(file["urls"]["link"], {"expires_in": 60}, JSON)
    assert made.status_code == 201
    assert_shape(made.json(), FileLink)
    assert made.json()["url"].startswith("http://testserver/api/v1/files/")
    response = Client().get(made["Location"])
    assert (response.status_code, b"".join(response)) == (200, CONTENT)
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    # A bad token does not spoil it: whoever has the address needs none.
    again = Client(headers={"Authorization": "Bearer nonsense"}).get(made["Location"])
    assert (again.status_code, b"".join(again)) == (200, CONTENT)


def test_signed_address_expires(client: Client, file: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    address = signed(client, file, expires_in=60)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    response = Client().get(address)
    assert (response.status_code, response.json()["code"]) == (410, "link_expired")


@pytest.mark.parametrize("changed", ["expires", "signature", "empty", "no_expiry", "huge", "text", "maker", "no_maker"])
def test_forged_address_is_403(client: Client, file: dict[str, Any], alice: User, changed: str) -> None:
    tokens.create_token(alice, name="other", scopes=["files"])
    other = ApiToken.objects.get(name="other")
    path, _, query = signed(client, file).partition("?")
    given = dict(part.split("=") for part in query.split("&"))
    forgeries: dict[str, dict[str, Any]] = {
        "expires": given | {"expires": int(given["expires"]) + 1},
        "signature": given | {"signature": given["signature"][:-1] + "x"},
        "empty": given | {"signature": ""},
        "no_expiry": {name: value for name, value in given.items() if name != "expires"},
        "huge": given | {"expires": "9" * 19},
        "text": given | {"expires": "never"},
        "maker": given | {"maker": f"t{other.pk}"},
        "no_maker": {name: value for name, value in given.items() if name != "maker"},
    }
    response = Client().get(path, forgeries[changed])
    assert (response.status_code, response.json()["code"]) == (403, "invalid_signature")


def test_signed_address_ends_with_the_file_and_with_its_owner(
    client: Client, file: dict[str, Any], alice: User
) -> None:
    address = signed(client, file)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    assert Client().get(address).status_code == 404
    alice.is_active = True
    alice.save(update_fields=["is_active"])
    assert client.delete(file["urls"]["self"]).status_code == 204
    assert Client().get(address).status_code == 404
    assert client.delete(file["urls"]["self"]).status_code == 404


def revoke(token: ApiToken) -> None:
    tokens.revoke_token(token)


def expire(token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(expires_at=Now())


def narrow(token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(scopes=["tasks:read"])


@pytest.mark.parametrize("end", [revoke, expire, narrow])
def test_signed_address_ends_with_the_token_that_made_it(
    client: Client, file: dict[str, Any], end: Callable[[ApiToken], None]
) -> None:
    address = signed(client, file)
    assert b"".join(Client().get(address)) == CONTENT
    end(ApiToken.objects.get())
    response = Client().get(address)
    assert (response.status_code, response.json()["code"]) == (410, "link_expired")


def sign_out(session: Client, _user: User) -> None:
    session.logout()


def change_password(_session: Client, user: User) -> None:
    user.set_password("another-password-by-far")
    user.save(update_fields=["password"])


def let_session_end(_session: Client, _user: User) -> None:
    Session.objects.update(expire_date=Now())


@pytest.mark.parametrize("end", [sign_out, change_password, let_session_end])
def test_signed_address_ends_with_the_session_that_made_it(
    file: dict[str, Any], alice: User, end: Callable[[Client, User], None]
) -> None:
    session = Client()
    session.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    address = signed(session, file)
    assert b"".join(Client().get(address)) == CONTENT
    end(session, alice)
    response = Client().get(address)
    assert (response.status_code, response.json()["code"]) == (410, "link_expired")


def test_session_that_is_on_no_list_signs_addresses_as_well(file: dict[str, Any], alice: User) -> None:
    session = Client()
    session.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    UserSession.objects.all().delete()
    assert b"".join(Client().get(signed(session, file))) == CONTENT


def test_address_signed_with_a_former_key_still_works(client: Client, file: dict[str, Any], settings: Any) -> None:
    address = signed(client, file)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key " * 5
    response = Client().get(address)
    assert (response.status_code, b"".join(response)) == (200, CONTENT)


@pytest.mark.parametrize("seconds", [0, -1, 604_801, "60", 1.5])
def test_impossible_time_of_an_address_is_refused(client: Client, file: dict[str, Any], seconds: Any) -> None:
    response = client.post(file["urls"]["link"], {"expires_in": seconds}, JSON)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/expires_in")


def test_deleted_file_frees_the_storage(client: Client, file: dict[str, Any]) -> None:
    assert client.get("/api/v1/quota").json()["files"]["bytes"] == len(CONTENT)
    client.delete(file["urls"]["self"])
    assert client.get("/api/v1/quota").json()["files"]["bytes"] == 0
