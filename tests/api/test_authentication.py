"""Who may call: tokens, scopes, sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, User
from tasks import kept
from tasks.api import token_cache
from tests.api.conftest import ECHO, JSON, MakeClient


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/tasks/01900000-0000-7000-8000-000000000000"])
@pytest.mark.django_db
def test_nobody_is_asked_for_a_token(path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer ptl_0123456789abcdef_wrong",
        "Bearer ptl_" + "x" * 5000,
        "Bearer ptl_é_é",
        "Basic YTpi",
        "Token abc",
        "ptl_0123456789abcdef_wrong",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/tasks/01900000-0000-7000-8000-000000000000"])
@pytest.mark.django_db
def test_bad_credentials_are_401(header: str, path: str) -> None:
    response = Client().get(path, HTTP_AUTHORIZATION=header)
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in response["WWW-Authenticate"]


def test_bad_token_is_401_even_with_a_good_session(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    assert client.get("/api/v1/tasks", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_secret_of_another_token_is_401(alice: User, token_of: Any) -> None:
    one, other = token_of(alice), token_of(alice)
    mixed = "_".join([*one.split("_")[:2], other.split("_", 2)[2]])
    assert Client().get("/api/v1/tasks", headers={"Authorization": f"Bearer {mixed}"}).status_code == 401


def test_expired_token_is_401(alice: User) -> None:
    text = tokens.create_token(
        alice, name="old", scopes=["tasks:read"], expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert Client().get("/api/v1/tasks", headers={"Authorization": f"Bearer {text}"}).status_code == 401


def test_revoked_token_is_401_once_the_process_is_told(alice: User, token_of: Any) -> None:
    client = Client(headers={"Authorization": f"Bearer {token_of(alice)}"})
    assert client.get("/api/v1/tasks").status_code == 200
    token = ApiToken.objects.get()
    tokens.revoke_token(token)
    token_cache.forget_token(token.pk)
    assert client.get("/api/v1/tasks").status_code == 401


def test_revoked_token_is_401_after_seconds_in_a_process_that_was_not_told(
    alice: User, token_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(headers={"Authorization": f"Bearer {token_of(alice)}"})
    assert client.get("/api/v1/tasks").status_code == 200
    tokens.revoke_token(ApiToken.objects.get())
    now = kept.now()
    monkeypatch.setattr(kept, "now", lambda: now + token_cache.KEEP_SECONDS + 1)
    assert client.get("/api/v1/tasks").status_code == 401


def test_disabled_user_is_401(api: MakeClient, alice: User) -> None:
    client = api(alice)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    assert client.get("/api/v1/tasks").status_code == 401


def test_wrong_token_is_looked_up_each_time(alice: User, token_of: Any) -> None:
    text = token_of(alice)
    assert token_cache.usable_token(text + "x") is None
    assert token_cache.usable_token(text) is not None


def test_scheme_is_written_in_any_case(alice: User, token_of: Any) -> None:
    response = Client().get("/api/v1/quota", headers={"Authorization": f"bearer {token_of(alice)}"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "/api/v1/tasks", "tasks:read"),
        ("get", "/api/v1/tasks/01900000-0000-7000-8000-000000000000", "tasks:read"),
        ("post", "/api/v1/tasks", "tasks:write"),
        ("post", "/api/v1/batches", "tasks:write"),
        ("get", "/api/v1/files", "files"),
        ("post", "/api/v1/files", "files"),
        ("get", "/api/v1/tokens", "account"),
    ],
)
def test_scope_is_needed_and_named(api: MakeClient, alice: User, method: str, path: str, scope: str) -> None:
    others = [other for other in tokens.ALL_SCOPES if other not in {scope, "operate"}]
    response = getattr(api(alice, *others), method)(path)
    assert (response.status_code, response.json()["code"]) == (403, "missing_scope")
    assert scope in response.json()["detail"]
    assert f'scope="{scope}"' in response["WWW-Authenticate"]
    assert getattr(api(alice, scope), method)(path).status_code not in {401, 403}


@pytest.mark.parametrize("scope", [scope for scope in tokens.ALL_SCOPES if scope != "operate"])
def test_token_of_any_scope_reads_the_quota(api: MakeClient, alice: User, scope: str) -> None:
    assert api(alice, scope).get("/api/v1/quota").json()["plan"] == "Pro"


@pytest.mark.parametrize(
    ("path", "scopes"),
    [
        ("/api/v1/usage", {"tasks:read", "account"}),
        ("/api/v1/task-types", {"tasks:read", "tasks:write"}),
        ("/api/v1/task-types/diagnostic.echo", {"tasks:read", "tasks:write"}),
        ("/api/v1/queues", {"tasks:read", "tasks:write"}),
        ("/api/v1/queues/text", {"tasks:read", "tasks:write"}),
    ],
)
def test_one_of_several_scopes_is_enough(api: MakeClient, alice: User, path: str, scopes: set[str]) -> None:
    for scope in set(tokens.ALL_SCOPES) - {"operate"}:
        response = api(alice, scope).get(path)
        assert response.status_code == (200 if scope in scopes else 403), scope
        if scope not in scopes:
            assert all(named in response.json()["detail"] for named in scopes)


def test_csrf_is_no_matter_with_a_token(alice: User, token_of: Any) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token_of(alice)}"})
    assert client.post("/api/v1/tasks", ECHO, JSON).status_code == 202


def test_session_reads_without_csrf(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.get("/api/v1/quota").json()["plan"] == "Pro"
