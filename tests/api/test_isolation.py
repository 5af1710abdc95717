"""Two users and no user, over every route of the API: nobody sees or touches what is not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, reverse

from accounts.models import User
from tasks.api.urls import urlpatterns
from tests.api.conftest import ECHO, JSON, MakeClient

PUBLIC = {"schema", "docs", "problem", None}
METHODS = ("get", "head", "post", "put", "patch", "delete")


def routes() -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, method and parameters of everything that the API's views answer."""
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.name in PUBLIC:
            continue
        view = pattern.callback.cls  # type: ignore[attr-defined]
        for method in METHODS:
            if hasattr(view, method) or (method == "head" and hasattr(view, "get")):
                yield pattern.name or "", method, sorted(pattern.pattern.converters)


@pytest.fixture
def things(api: MakeClient, alice: User) -> dict[str, str]:
    """What alice has, by the name of the parameter that takes its id."""
    client = api(alice)
    batch = client.post("/api/v1/batches", {"tasks": [ECHO]}, JSON).json()
    file = client.post("/api/v1/files", {"file": SimpleUploadedFile("a.txt", b"alice's own")}).json()
    return {
        "task_id": batch["items"][0]["id"],
        "batch_id": batch["id"],
        "file_id": file["id"],
        "name": "diagnostic.echo",
    }


def ask(client: Client, name: str, method: str, parameters: list[str], things: dict[str, str]) -> Any:
    address = reverse(f"api:{name}", kwargs={parameter: things[parameter] for parameter in parameters})
    return getattr(client, method)(address)


def test_walk_covers_every_view() -> None:
    walked = list(routes())
    assert len(walked) > 25
    assert {name for name, _, _ in walked} == {pattern.name for pattern in urlpatterns} - PUBLIC


@pytest.mark.parametrize(("name", "method", "parameters"), list(routes()))
def test_every_method_has_a_scope(name: str, method: str, parameters: list[str]) -> None:
    [view] = [pattern.callback.cls for pattern in urlpatterns if pattern.name == name]  # type: ignore[union-attr, attr-defined]
    assert {"head": "GET"}.get(method, method.upper()) in view.scopes


@pytest.mark.parametrize(("name", "method", "parameters"), list(routes()))
def test_another_user_sees_nothing(
    api: MakeClient, bob: User, things: dict[str, str], name: str, method: str, parameters: list[str]
) -> None:
    response = ask(api(bob), name, method, parameters, things)
    owned = [parameter for parameter in parameters if parameter != "name"]
    if owned:
        assert response.status_code == 404
    body = b"".join(response) if response.streaming else response.content
    assert not any(things[parameter].encode() in body for parameter in things if parameter not in {*owned, "name"})
    if not owned:
        assert not any(things[parameter].encode() in body for parameter in ("task_id", "batch_id", "file_id"))


@pytest.mark.parametrize(("name", "method", "parameters"), list(routes()))
def test_nobody_gets_nothing(things: dict[str, str], name: str, method: str, parameters: list[str]) -> None:
    response = ask(Client(), name, method, parameters, things)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("name", "method", "parameters"), list(routes()))
def test_owner_is_let_in(
    api: MakeClient, alice: User, things: dict[str, str], name: str, method: str, parameters: list[str]
) -> None:
    response = ask(api(alice), name, method, parameters, things)
    # POST without a body is a fault of its own; a result is not there yet.
    assert response.status_code not in {401, 403, 404}
    response.close()


def test_operator_sees_only_their_own_through_the_users_api(
    api: MakeClient, olga: User, things: dict[str, str]
) -> None:
    for name, method, parameters in routes():
        if set(parameters) - {"name"}:
            assert ask(api(olga), name, method, parameters, things).status_code == 404
