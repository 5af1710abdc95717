"""Every answer of 400 or more below /api is a problem, whoever refused."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import User
from tasks.api.objects.problem import Problem
from tasks.api.problems import all_kinds, status_of
from tasks.api.views import quota
from tests.api.conftest import ECHO, JSON, MakeClient
from tests.api.routes import PARAMETER, plain_paths, routes
from tests.api.shapes import assert_shape


@pytest.mark.parametrize("path", ["/api/", "/api/nope", "/api/v1/tasks/", "/api/v1/tasks/1", "/api/v2/tasks"])
@pytest.mark.django_db
def test_unknown_address_below_api_is_a_404_problem(path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response["Content-Type"] == "application/problem+json"
    assert_shape(response.json(), Problem)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize(
    ("path", "hint"), [("/api/v1/nope", ""), ("/api/v1/nope/", ""), ("/api/v1/tasks/", "there is: /api/v1/tasks")]
)
@pytest.mark.django_db
def test_unknown_address_is_404_by_every_method(method: str, path: str, hint: str) -> None:
    response = getattr(Client(enforce_csrf_checks=True), method)(path, content_type=JSON)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert path in response.json()["detail"]
    assert (hint in response.json()["detail"]) if hint else ("slash" not in response.json()["detail"])


ADDRESSES = sorted(({route.path for route in routes()} | plain_paths()) - {"api/(?P<path>.*)$"})


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.django_db
def test_method_that_no_view_has_is_405_everywhere(api: MakeClient, alice: User, path: str) -> None:
    address = "/" + PARAMETER.sub("01900000-0000-7000-8000-000000000000", path.replace("<int:table_number>", "1"))
    response = api(alice).generic("QUERY", address, b"{}", JSON)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in response["Allow"] or "POST" in response["Allow"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", sorted(plain_paths() - {"api/(?P<path>.*)$"}))
@pytest.mark.django_db
def test_plain_view_that_only_reads_says_so(method: str, path: str) -> None:
    address = "/" + PARAMETER.sub("01900000-0000-7000-8000-000000000000", path)
    response = getattr(Client(enforce_csrf_checks=True), method)(address, content_type=JSON)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in response["Allow"]


@pytest.mark.parametrize("path", ["/api/docs/problems/nope", "/api/docs/nope"])
@pytest.mark.django_db
def test_unknown_page_of_the_docs_is_a_404_problem(path: str) -> None:
    assert Client().get(path).json()["code"] == "not_found"


def test_bug_is_a_500_problem_and_is_logged(
    api: MakeClient, alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_data: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(quota, "Response", broken)
    client = api(alice)
    client.raise_request_exception = False
    response = client.get("/api/v1/quota", headers={"X-Request-Id": "given-by-the-client"})
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert_shape(response.json(), Problem)
    assert b"secret" not in response.content
    assert response.json()["request_id"] == response["X-Request-Id"] == "given-by-the-client"
    assert "ZeroDivisionError" in caplog.text


def test_bug_in_the_poll_is_a_500_problem(
    api: MakeClient, alice: User, submit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = submit(alice)
    client = api(alice)
    monkeypatch.setattr("tasks.api.views.task.read_row", None)
    client.raise_request_exception = False
    response = client.get(task["urls"]["self"])
    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/v1/quota", "/api/v1/tasks/01900000-0000-7000-8000-000000000000"])
def test_database_that_does_not_answer_is_a_503_problem(
    api: MakeClient, alice: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def down(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(quota, "Response", down)
    monkeypatch.setattr("tasks.api.views.task.read_row", down)
    response = api(alice).get(path)
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert response["Retry-After"] == "2"


@pytest.mark.django_db
def test_wrong_host_is_a_400_problem() -> None:
    response = Client().get("/api/v1/tasks", headers={"Host": "evil.example"})
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


def test_what_cannot_be_answered_in_the_wanted_type_is_a_406_problem(api: MakeClient, alice: User) -> None:
    response = api(alice).get("/api/v1/tasks", headers={"Accept": "text/csv"})
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_event_stream_is_refused_until_there_is_one(api: MakeClient, alice: User, submit: Any) -> None:
    task = submit(alice)
    response = api(alice).get(task["urls"]["events"], headers={"Accept": "text/event-stream"})
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_wrong_method_is_a_405_problem_with_allow(api: MakeClient, alice: User, method: str) -> None:
    response = getattr(api(alice), method)("/api/v1/tasks")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD, POST"


def test_large_body_is_refused_by_its_length(api: MakeClient, alice: User, settings: Any) -> None:
    settings.MAX_BODY_BYTES = 100
    response = api(alice).post("/api/v1/tasks", ECHO | {"tags": ["x" * 100]}, JSON)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert_shape(response.json(), Problem)


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/files", "/api/v1/batches"])
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_huge_body_is_refused_before_it_is_read(
    live_server: Any, alice: User, token_of: Any, path: str, settings: Any
) -> None:
    address = urlsplit(live_server.url)
    with socket.create_connection((address.hostname, address.port), timeout=120) as connection:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {token_of(alice)}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {200 * 1024 * 1024}\r\n\r\n"
        )
        # Not one byte of the body is sent: an answer can only come from the length.
        connection.sendall(head.encode())
        answer = ""
        while "request_id" not in answer and (part := connection.recv(65536)):
            answer += part.decode()
    assert answer.startswith("HTTP/1.1 413")
    assert "application/problem+json" in answer


@pytest.mark.django_db
def test_body_of_unknown_length_is_a_411_problem() -> None:
    response = Client().generic(
        "POST", "/api/v1/tasks", b"", JSON, headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH=""
    )
    assert (response.status_code, response.json()["code"]) == (411, "length_required")


@pytest.mark.django_db
def test_length_that_is_no_number_is_a_400_problem() -> None:
    response = Client().generic("POST", "/api/v1/tasks", b"", JSON, CONTENT_LENGTH="-5")
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("code", sorted(all_kinds()))
@pytest.mark.django_db
def test_every_kind_of_problem_has_a_page(code: str) -> None:
    page = Client().get(f"/api/docs/problems/{code}")
    assert page.status_code == 200
    assert code in page.content.decode()


def test_every_kind_of_problem_has_a_status_of_an_error() -> None:
    assert all(400 <= status_of(kind) < 600 for kind in all_kinds().values())
    assert len(all_kinds()) > 20


@pytest.mark.django_db
def test_pages_outside_of_api_keep_their_own_errors() -> None:
    response = Client().get("/no-such-page")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_answers_below_api_are_not_kept_by_caches(api: MakeClient, alice: User) -> None:
    response = api(alice).get("/api/v1/quota")
    assert response["Cache-Control"] == "private, no-cache"
    assert {part.strip() for part in response["Vary"].split(",")} >= {"Authorization", "Cookie"}
