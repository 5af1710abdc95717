"""Files are served so that they cannot act; tokens are shown once."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, User
from accounts.tokens import find_token
from portal.web import shown_once
from portal.web.views import tokens
from tasks.files import store_file
from tasks.models import File
from tests.web.conftest import SignIn

pytestmark = pytest.mark.django_db


def test_upload_and_delete_a_file(page: Client, alice: User) -> None:
    upload = SimpleUploadedFile("notes.txt", b"some notes")
    assert "notes.txt is here" in page.post(reverse("web:upload"), {"file": upload}, follow=True).text
    file = File.objects.get(owner=alice)
    page.post(reverse("web:delete-file", args=[file.pk]))
    assert not File.objects.exists()


def test_file_is_served_as_an_attachment_in_a_sandbox(page: Client, alice: User) -> None:
    file = store_file(alice, name="page.html", chunks=[b"<script>alert(1)</script>"])
    response = page.get(reverse("web:file", args=[file.pk]))
    assert b"".join(response) == b"<script>alert(1)</script>"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")


def test_only_pictures_are_shown_in_a_page(page: Client, alice: User) -> None:
    with open("tests/samples/photo.jpg", "rb") as photo:
        picture = store_file(alice, name="photo.jpg", chunks=[photo.read()])
    drawing = store_file(alice, name="a.svg", chunks=[b'<svg xmlns="http://www.w3.org/2000/svg"/>'])
    shown = page.get(reverse("web:picture", args=[picture.pk]))
    assert shown["Content-Type"] == "image/jpeg"
    assert b"".join(shown).startswith(b"\xff\xd8")
    assert page.get(reverse("web:picture", args=[drawing.pk])).status_code == 404


def test_token_is_shown_for_a_minute_and_works(page: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"name": "laptop", "days": "30", "scopes": ["tasks:read"]}
    assert page.post(reverse("web:tokens"), body).status_code == 302
    response = page.get(reverse("web:tokens"))
    assert "no-store" in response["Cache-Control"]
    secret = re.search(r"ptl_[0-9a-f]{16}_[A-Za-z0-9-]+", response.text)
    assert secret is not None
    token = find_token(secret[0])
    assert token is not None
    assert (token.user, token.scopes, token.name) == (alice, ["tasks:read"], "laptop")
    assert secret[0] in page.get(reverse("web:tokens")).text, "the first answer may have got lost"
    assert secret[0] not in str(dict(page.session)), "in the table of sessions it is sealed"
    assert ApiToken.objects.count() == 1
    monkeypatch.setattr(shown_once, "SHOWN_SECONDS", 0.0)
    page.post(reverse("web:tokens"), body)
    assert 'id="secret"' not in page.get(reverse("web:tokens")).text
    assert tokens.SESSION_KEY not in page.session


@pytest.mark.parametrize(
    ("chosen", "scopes"),
    [("", ["tasks:read", "tasks:write", "files"]), ("reading", ["tasks:read"]), ("submitting", ["tasks:write"]),
     ("nonsense", ["tasks:read", "tasks:write", "files"])],
)  # fmt: skip
def test_form_of_a_token_begins_with_what_it_is_for(page: Client, chosen: str, scopes: list[str]) -> None:
    assert page.get(reverse("web:tokens"), {"for": chosen}).context["form"]["scopes"].value() == scopes


def test_revoked_token_works_no_more(page: Client, sign_in: SignIn, alice: User, bob: User) -> None:
    page.post(reverse("web:tokens"), {"name": "laptop", "days": "", "scopes": ["tasks:read"]})
    token = ApiToken.objects.get()
    assert sign_in(bob).post(reverse("web:revoke", args=[token.pk])).status_code == 404
    page.post(reverse("web:revoke", args=[token.pk]))
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_user_cannot_make_a_token_for_operators(page: Client) -> None:
    response = page.post(reverse("web:tokens"), {"name": "x", "days": "", "scopes": ["operate"]})
    assert response.status_code == 422
    assert not ApiToken.objects.exists()
