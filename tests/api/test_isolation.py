"""Two users and no user, over every route of the API: nobody sees or touches what is not theirs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ApiToken, User
from tasks.models import File, Task
from tests.api.conftest import JSON, MakeClient
from tests.api.known_things import SHARED
from tests.api.made_once import _connection_outlives_answers, _files_in_a_folder_of_the_test, alice, made, things
from tests.api.routes import Route, plain_paths, routes

__all__ = ["_connection_outlives_answers", "_files_in_a_folder_of_the_test", "alice", "made", "things"]

# The OpenAPI document and its page say what the installation can do, not what anybody did.
PUBLIC = {"api/schema", "api/docs", "api/health"}
# Pages about problems, results at signed addresses (system C's), and the 404 for everything else.
PLAIN = {"api/docs/problems/<slug:code>", "api/v1/results/<uuid:task_id>", "api/(?P<path>.*)$"}
ALL = [route for route in routes() if route.path not in PUBLIC]
every_route = pytest.mark.parametrize("route", ALL, ids=str)


def ask(client: Client, route: Route, things: dict[str, str]) -> Any:
    body: Any = {"data": {}, "content_type": JSON} if route.method in {"post", "put", "patch"} else {}
    return getattr(client, route.method)(route.address(things), **body)


def test_walk_covers_every_view() -> None:
    assert len(ALL) > 45
    assert {path for path in plain_paths() if path not in PUBLIC} == PLAIN
    assert {route.path for route in routes()} >= PUBLIC & {"api/schema", "api/docs"}


@every_route
def test_every_method_has_a_scope(route: Route) -> None:
    assert {"head": "GET"}.get(route.method, route.method.upper()) in route.view.scopes


@every_route
def test_another_user_sees_nothing(api: MakeClient, bob: User, things: dict[str, str], route: Route) -> None:
    before = snapshot(things)
    response = ask(api(bob), route, things)
    owned = set(route.parameters) - set(SHARED)
    if owned:
        assert response.status_code == 404
    body = b"".join(response) if response.streaming else response.content
    # A 404 repeats the id that was asked for; nothing else of hers may come.
    hidden = [value for parameter, value in things.items() if parameter not in owned | set(SHARED)]
    assert not any(value.encode() in body for value in hidden)
    assert snapshot(things) == before


@every_route
def test_nobody_gets_nothing(things: dict[str, str], route: Route) -> None:
    response = ask(Client(), route, things)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


@every_route
def test_token_without_any_scope_that_fits_gets_nothing(
    api: MakeClient, alice: User, things: dict[str, str], route: Route
) -> None:
    needed = route.view.scopes[{"head": "GET"}.get(route.method, route.method.upper())]
    enough = (needed,) if isinstance(needed, str) else needed
    others = {"tasks:read", "tasks:write", "files", "webhooks", "account"} - set(enough)
    response = ask(api(alice, *others), route, things)
    if enough:
        assert (response.status_code, enough[0] in response["WWW-Authenticate"]) == (403, True)
    else:
        assert response.status_code == 200


@every_route
def test_owner_is_let_in(api: MakeClient, alice: User, things: dict[str, str], route: Route) -> None:
    response = ask(api(alice), route, things)
    # POST without a body is a fault of its own; a result is not there yet.
    assert response.status_code not in {401, 403, 404}
    assert response.status_code < 500
    response.close()


def test_operator_sees_only_their_own_through_the_users_api(
    api: MakeClient, olga: User, things: dict[str, str]
) -> None:
    for route in ALL:
        if set(route.parameters) - set(SHARED):
            assert ask(api(olga), route, things).status_code == 404, route


def test_signed_address_is_good_for_its_file_only(api: MakeClient, alice: User, things: dict[str, str]) -> None:
    client = api(alice)
    other = client.post("/api/v1/files", {"file": SimpleUploadedFile("b.txt", b"another")}).json()
    link = urlsplit(client.post(f"/api/v1/files/{things['file_id']}/link", {}, JSON).json()["url"])
    assert b"".join(Client().get(f"{link.path}?{link.query}")) == b"alice's own"
    response = Client().get(f"{other['urls']['content']}?{link.query}")
    assert (response.status_code, response.json()["code"]) == (403, "invalid_signature")


def snapshot(things: dict[str, str]) -> list[Any]:
    """What another user must not be able to change."""
    return [
        list(Task.objects.filter(pk=things["task_id"]).values_list("status", "cancel_requested_at", "content__input")),
        File.objects.filter(pk=things["file_id"]).exists(),
        ApiToken.objects.filter(pk=things["token_id"], revoked_at=None).exists(),
    ]
