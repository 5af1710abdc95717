"""CORS_ORIGINS: pages of other sites call the API with a token; what they may read, and that cookies are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.models import User
from portal import env
from tests.web.conftest import Submit
from tests.web.live import LiveServer, environment_of_test, session_cookie

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

APP, OTHER = "https://app.example.com", "https://app.example.com:8443"
TokenOf = Callable[..., str]


@pytest.fixture(scope="module")
def open_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("cors")
    environment = environment_of_test(media=folder / "media") | {"CORS_ORIGINS": f"{APP},http://localhost:5173"}
    live = LiveServer(log=folder / "web.log", environment=environment)
    yield live
    live.stop()


@pytest.fixture
def open_server(transactional_db: None, open_process: LiveServer) -> LiveServer:
    """A web process that lets pages of APP in."""
    return open_process


def cross(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def assert_readable(answer: httpx.Response) -> None:
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "retry-after" in answer.headers["Access-Control-Expose-Headers"]
    assert "origin" in answer.headers["Vary"].lower()


def preflight(server: LiveServer, path: str, origin: str = APP, **headers: str) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", **headers}
    return httpx.options(f"{server.url}{path}", headers=asked)


def test_preflight_is_answered_without_a_token(open_server: LiveServer) -> None:
    answer = preflight(open_server, "/api/v1/tasks")
    assert (answer.status_code, answer.content) == (200, b"")
    assert_readable(answer)
    allowed = answer.headers["Access-Control-Allow-Headers"]
    for name in ("authorization", "content-type", "idempotency-key", "prefer", "last-event-id", "range"):
        assert name in allowed
    assert {"POST", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))


def test_answers_and_problems_are_readable(
    open_server: LiveServer, alice: User, token_of: TokenOf, submit: Submit
) -> None:
    headers = {"Authorization": f"Bearer {token_of(alice)}", "Origin": APP}
    task = str(submit(alice).pk)
    with httpx.Client(base_url=f"{open_server.url}/api/v1", headers=headers) as client:
        answers = {
            202: client.post("/tasks", json={"type": "diagnostic.echo", "input": {"message": "x"}}),
            200: client.get(f"/tasks/{task}"),
            404: client.get("/tasks/01900000-0000-7000-8000-000000000000"),
            401: client.get("/tasks", headers={"Authorization": "Bearer nonsense"}),
            415: client.post("/tasks", content=b"x", headers={"Content-Type": "text/plain"}),
            413: client.post("/tasks", content=b" " * 3_000_000, headers={"Content-Type": "application/json"}),
            405: client.delete("/quota"),
            422: client.post("/tasks", json={"type": "nope"}),
        }
        answers[304] = client.get(f"/tasks/{task}", headers={"If-None-Match": answers[200].headers["ETag"]})
        waited = client.get(f"/tasks/{task}", headers={"Prefer": "wait=1"})
    for status, answer in answers.items():
        assert answer.status_code == status
        assert_readable(answer)
    assert waited.headers["Preference-Applied"] == "wait=1"
    assert_readable(waited)


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/tasks/{task}/events"])
def test_event_streams_are_readable(
    open_server: LiveServer, alice: User, token_of: TokenOf, submit: Submit, path: str
) -> None:
    headers = {"Authorization": f"Bearer {token_of(alice)}", "Origin": APP, "Accept": "text/event-stream"}
    address = open_server.url + path.format(task=submit(alice).pk)
    with httpx.stream("GET", address, headers=headers, timeout=120) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert_readable(answer)
    with httpx.stream("GET", address, headers=headers | {"Authorization": "Bearer nonsense"}) as refused:
        assert refused.status_code == 401
        assert_readable(refused)


@pytest.mark.parametrize("origin", [OTHER, "http://app.example.com", "https://evil.example", "null"])
def test_pages_of_other_origins_read_nothing(
    open_server: LiveServer, alice: User, token_of: TokenOf, origin: str
) -> None:
    assert cross(preflight(open_server, "/api/v1/tasks", origin)) == {}
    headers = {"Authorization": f"Bearer {token_of(alice)}", "Origin": origin}
    assert cross(httpx.get(f"{open_server.url}/api/v1/quota", headers=headers)) == {}


def test_session_is_no_way_in_from_another_site(open_server: LiveServer, alice: User) -> None:
    cookies = {"sessionid": session_cookie(alice)}
    answer = httpx.get(f"{open_server.url}/api/v1/quota", headers={"Origin": APP}, cookies=cookies)
    # A browser that sent cookies along gives the page nothing of this answer.
    assert "Access-Control-Allow-Credentials" not in answer.headers
    body: dict[str, Any] = {"type": "diagnostic.echo", "input": {"message": "x"}}
    sent = httpx.post(f"{open_server.url}/api/v1/tasks", json=body, headers={"Origin": APP}, cookies=cookies)
    assert (sent.status_code, sent.json()["code"]) == (403, "csrf_failed")


def test_pages_of_the_portal_itself_stay_closed(open_server: LiveServer) -> None:
    for path in ("/", "/metrics", "/health/live", "/accounts/login/"):
        assert cross(preflight(open_server, path)) == {}
        assert cross(httpx.get(f"{open_server.url}{path}", headers={"Origin": APP})) == {}


def test_without_the_setting_nobody_may(server: LiveServer, alice: User, token_of: TokenOf) -> None:
    assert preflight(server, "/api/v1/tasks").status_code in {401, 405}
    headers = {"Authorization": f"Bearer {token_of(alice)}", "Origin": APP}
    assert cross(httpx.get(f"{server.url}/api/v1/quota", headers=headers)) == {}


@pytest.mark.parametrize(
    "given", ["*", "app.example.com", "https://app.example.com/", "https://App.example.com", "ftp://a", "null"]
)
def test_setting_takes_origins_only(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CORS_ORIGINS", f"http://localhost:5173, {given}")
    with pytest.raises(ImproperlyConfigured, match="CORS_ORIGINS has"):
        env.origins("CORS_ORIGINS")
    monkeypatch.setenv("CORS_ORIGINS", "http://localhost:5173,https://[::1]:8000")
    assert env.origins("CORS_ORIGINS") == ["http://localhost:5173", "https://[::1]:8000"]
