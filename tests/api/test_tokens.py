"""/tokens: made with no more rights than their maker has, shown once, revoked at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import delegation, tokens
from accounts.models import ApiToken, User
from tasks.api import token_cache
from tasks.api.objects.token import NewToken, Token
from tests.api.conftest import JSON, MakeClient
from tests.api.shapes import assert_shape

PATH = "/api/v1/tokens"
READ = {"name": "reader", "scopes": ["tasks:read"]}


def with_token(text: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {text}"})


def test_token_is_shown_once_and_works(api: MakeClient, alice: User) -> None:
    client = api(alice)
    response = client.post(PATH, READ, JSON)
    made = response.json()
    assert response.status_code == 201
    assert_shape(made, NewToken)
    assert (response["Location"], response["Cache-Control"]) == (made["urls"]["self"], "no-store")
    assert with_token(made["token"]).get("/api/v1/tasks").status_code == 200
    assert with_token(made["token"]).get(PATH).status_code == 403
    secret = made.pop("token").split("_", 2)[2]
    read = client.get(made["urls"]["self"])
    assert_shape(read.json(), Token)
    assert read.json() | {"last_used_at": None} == made
    assert secret not in client.get(PATH).content.decode()


def test_list_marks_the_token_that_asks(api: MakeClient, alice: User, bob: User) -> None:
    client = api(alice)
    api(bob)
    client.post(PATH, READ, JSON)
    listed = client.get(PATH).json()["data"]
    assert [(token["name"], token["current"]) for token in listed] == [("test", True), ("reader", False)]


def test_revoked_token_is_401_at_once_and_revoking_may_be_repeated(api: MakeClient, alice: User) -> None:
    client = api(alice)
    made = client.post(PATH, READ, JSON).json()
    other = with_token(made["token"])
    assert other.get("/api/v1/tasks").status_code == 200
    for _ in range(2):
        assert client.delete(made["urls"]["self"]).status_code == 204
        assert other.get("/api/v1/tasks").status_code == 401
    assert made["id"] not in [token["id"] for token in client.get(PATH).json()["data"]]
    assert client.get(made["urls"]["self"]).status_code == 404


@pytest.mark.parametrize("scopes", [["tasks:write"], ["account", "files"], ["operate"]])
def test_token_cannot_give_scopes_that_it_lacks(api: MakeClient, olga: User, scopes: list[str]) -> None:
    client = api(olga, "account", "tasks:read")
    response = client.post(PATH, READ | {"scopes": scopes}, JSON)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert scopes[-1] in response.json()["detail"]
    assert ApiToken.objects.count() == 1


def test_token_cannot_outlive_its_maker(alice: User) -> None:
    end = datetime.now(UTC) + timedelta(days=2)
    client = with_token(tokens.create_token(alice, name="short", scopes=["account", "tasks:read"], expires_at=end))
    assert client.post(PATH, READ, JSON).json()["expires_at"] == end.isoformat().replace("+00:00", "Z")
    sooner = (end - timedelta(days=1)).isoformat()
    assert client.post(PATH, READ | {"expires_at": sooner}, JSON).status_code == 201
    later = client.post(PATH, READ | {"expires_at": (end + timedelta(seconds=1)).isoformat()}, JSON)
    assert (later.status_code, later.json()["code"]) == (403, "forbidden")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_token_that_was_just_revoked_leaves_none_behind(alice: User) -> None:
    text = tokens.create_token(alice, name="stolen", scopes=["account"])
    client = with_token(text)
    assert client.get(PATH).status_code == 200
    # Revoked in another process: this one still has it in memory for seconds.
    tokens.revoke_token(ApiToken.objects.get())
    assert token_cache.usable_token(text) is not None
    response = client.post(PATH, {"name": "heir", "scopes": ["account"]}, JSON)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert ApiToken.objects.count() == 1


def test_session_may_give_all_but_operate(alice: User, olga: User) -> None:
    for user, status in ((alice, 403), (olga, 201)):
        client = Client()
        client.force_login(user)
        assert client.post(PATH, READ | {"scopes": ["operate"]}, JSON).status_code == status
        assert client.post(PATH, READ | {"scopes": ["tasks:write", "account"]}, JSON).status_code == 201


def test_number_of_tokens_is_limited(api: MakeClient, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "MOST_TOKENS", 2)
    client = api(alice)
    made = client.post(PATH, READ, JSON).json()
    response = client.post(PATH, READ, JSON)
    assert (response.status_code, response.json()["code"]) == (409, "too_many_tokens")
    client.delete(made["urls"]["self"])
    assert client.post(PATH, READ, JSON).status_code == 201


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "  "}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["root"]}, "/scopes"),
        ({"scopes": "tasks:read"}, "/scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "soon"}, "/expires_at"),
        ({"secret": "x"}, "/secret"),
    ],
)
def test_faulty_token_is_refused_with_a_pointer(
    api: MakeClient, alice: User, changes: dict[str, Any], pointer: str
) -> None:
    response = api(alice).post(PATH, READ | changes, JSON)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("token_id", ["0123456789abcdef", "nope", "%00", "x" * 500])
def test_unknown_token_is_404(api: MakeClient, alice: User, token_id: str) -> None:
    for method in ("get", "delete"):
        assert getattr(api(alice), method)(f"{PATH}/{token_id}").status_code == 404
