"""A parameter of the query that does nothing is refused, over every route: it was meant to do something."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.api.conftest import JSON, MakeClient
from tests.api.made_once import _connection_outlives_answers, _files_in_a_folder_of_the_test, alice, made, things
from tests.api.routes import Route, routes

__all__ = ["_connection_outlives_answers", "_files_in_a_folder_of_the_test", "alice", "made", "things"]

# Documents for browsers and generators, whose views are a library's.
OTHERS = {"api/schema", "api/docs"}


@pytest.mark.parametrize("route", [route for route in routes() if route.path not in OTHERS], ids=str)
def test_parameter_that_does_nothing_is_refused(
    api: MakeClient, alice: User, things: dict[str, str], route: Route
) -> None:
    address = route.address(things) + "?nonsense=1"
    response = getattr(api(alice), route.method)(address, content_type=JSON)
    assert response.status_code == 400, response.content
    if route.method != "head":
        assert response.json()["code"] == "invalid_parameter"
        assert "nonsense" in response.json()["detail"]
