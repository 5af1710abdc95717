"""Bad input: each fault is a 4xx problem that names it, and nothing is queued."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from tasks.api.objects.problem import Problem
from tasks.models import File, Task
from tests.api.conftest import ECHO, JSON, MakeClient
from tests.api.shapes import assert_shape

DEEP = b'{"type": "diagnostic.echo", "input": {"message": ' + b"[" * 80 + b"]" * 80 + b"}}"


def echo(**changes: Any) -> dict[str, Any]:
    return ECHO | changes


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        # What cannot be read.
        (b" ", 400, "invalid_json", None),
        (b"{", 400, "invalid_json", None),
        (b'{"type": "diagnostic.echo", "input": {"message": NaN}}', 400, "invalid_json", None),
        (b'{"type": "diagnostic.echo", "type": "diagnostic.echo"}', 400, "invalid_json", None),
        (b'{"type": "diagnostic.echo", "input": {"message": "a\\u0000"}}', 400, "invalid_json", "/input/message"),
        (b'{"type": "diagnostic.echo", "input": {"message": "\\ud800"}}', 400, "invalid_json", "/input/message"),
        (DEEP, 400, "invalid_json", None),
        (b'{"type": "diagnostic.echo\xff"}', 400, "invalid_encoding", None),
        # What is JSON but no submission.
        (b"[]", 422, "invalid_body", ""),
        (b'"text"', 422, "invalid_body", ""),
        (b"null", 422, "invalid_body", ""),
        ({}, 422, "invalid_body", "/type"),
        ({"type": 5}, 422, "invalid_body", "/type"),
        (echo(nope=1), 422, "invalid_body", "/nope"),
        (echo(needs="all"), 422, "invalid_body", "/needs"),
        (echo(needs=["nope"]), 422, "invalid_body", "/needs/0"),
        (echo(needs=[str(uuid4())]), 422, "invalid_dependency", "/needs/0"),
        (echo(needs=[str(uuid4())] * 101), 422, "invalid_body", "/needs"),
        (echo(webhook="https://example.com"), 422, "webhook_refused", "/webhook"),
        (echo(input=[]), 422, "invalid_body", "/input"),
        (echo(input="text"), 422, "invalid_body", "/input"),
        (echo(priority="5"), 422, "invalid_body", "/priority"),
        (echo(priority=5.5), 422, "invalid_body", "/priority"),
        (echo(priority=True), 422, "invalid_body", "/priority"),
        (echo(priority=0), 422, "invalid_body", "/priority"),
        (echo(priority=11), 422, "invalid_body", "/priority"),
        (echo(run_after="tomorrow"), 422, "invalid_body", "/run_after"),
        (echo(run_after="2030-01-01T00:00:00"), 422, "invalid_body", "/run_after"),
        (echo(run_after="0001-01-01T00:00:00+23:00"), 422, "invalid_body", "/run_after"),
        (echo(run_after="2030-13-01T00:00:00Z"), 422, "invalid_body", "/run_after"),
        (echo(run_after=1893456000), 422, "invalid_body", "/run_after"),
        (echo(timeout=0), 422, "invalid_body", "/timeout"),
        (echo(timeout=10**12), 422, "invalid_body", "/timeout"),
        (echo(max_attempts=0), 422, "invalid_body", "/max_attempts"),
        (echo(max_attempts=10**6), 422, "invalid_body", "/max_attempts"),
        (echo(metadata=[]), 422, "invalid_body", "/metadata"),
        (echo(metadata={f"k{number}": 1 for number in range(51)}), 422, "invalid_body", "/metadata"),
        (echo(tags="a"), 422, "invalid_body", "/tags"),
        (echo(tags=[1]), 422, "invalid_body", "/tags/0"),
        (echo(tags=["x" * 101]), 422, "invalid_body", "/tags/0"),
        (echo(on_quota="maybe"), 422, "invalid_body", "/on_quota"),
        # What the task type refuses.
        ({"type": "nope"}, 422, "unknown_task_type", "/type"),
        ({"type": "diagnostic.echo"}, 422, "invalid_input", "/input/message"),
        (echo(input={"message": 5}), 422, "invalid_input", "/input/message"),
        (echo(input={"message": "x", "extra": 1}), 422, "invalid_input", "/input/extra"),
        (echo(input={f"k{number}": 1 for number in range(10_000)}), 422, "invalid_input", "/input/message"),
        ({"type": "pdf.extract", "input": {"file": "nope"}}, 422, "invalid_input", "/input/file"),
        ({"type": "pdf.extract", "input": {"file": str(uuid4())}}, 422, "invalid_file", "/input/file"),
    ],
)
def test_bad_submission_is_refused_with_a_pointer(
    api: MakeClient, alice: User, body: Any, status: int, code: str, pointer: str | None
) -> None:
    response = api(alice).post("/api/v1/tasks", body, JSON)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response["Content-Type"] == "application/problem+json"
    assert_shape(problem, Problem)
    assert problem["request_id"] == response["X-Request-Id"]
    assert problem["type"] == f"/api/docs/problems/{code}"
    if pointer is not None:
        assert pointer in [fault["pointer"] for fault in problem["errors"]]
        assert all(fault["code"] and fault["detail"] for fault in problem["errors"])
    assert not Task.objects.exists()
    # The first fault is what the sentence says, in plain words.
    assert "Value error" not in response.content.decode()
    if problem["errors"]:
        assert problem["errors"][0]["detail"].rstrip(".") in problem["detail"]


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("text/plain", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ("multipart/form-data; boundary=x", 415, "unsupported_media_type"),
        ("", 415, "unsupported_media_type"),
        ("nonsense", 415, "unsupported_media_type"),
        ("application/json; charset=latin-1", 400, "invalid_encoding"),
        ("application/json; charset=utf-16", 400, "invalid_encoding"),
    ],
)
def test_other_media_types_are_refused(api: MakeClient, alice: User, content_type: str, status: int, code: str) -> None:
    response = api(alice).generic("POST", "/api/v1/tasks", b'{"type": "diagnostic.echo"}', content_type)
    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["tasks", "batches", "schedules", "tokens"])
def test_missing_body_is_called_that(api: MakeClient, alice: User, path: str) -> None:
    response = api(alice).generic("POST", f"/api/v1/{path}", CONTENT_TYPE=JSON)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_json")
    assert response.json()["detail"] == "The body is empty; JSON was expected."


@pytest.mark.parametrize(
    ("changes", "limit"), [({"priority": 9}, {"max_priority": 6}), ({"timeout": 61}, {"longest_timeout": 60})]
)
def test_more_than_the_plan_allows_has_its_own_code(
    api: MakeClient, make_user: Callable[..., User], changes: dict[str, int], limit: dict[str, int]
) -> None:
    response = api(make_user("cora", **limit)).post("/api/v1/tasks", echo(**changes), JSON)
    assert (response.status_code, response.json()["code"]) == (422, "above_plan")
    assert response.json()["errors"][0]["pointer"] == f"/{next(iter(changes))}"


def test_atomic_batch_is_refused_by_its_first_fault(api: MakeClient, alice: User) -> None:
    response = api(alice).post("/api/v1/batches", {"tasks": [ECHO, {"type": "nope"}], "atomic": True}, JSON)
    assert (response.status_code, response.json()["code"]) == (422, "batch_refused")
    assert "/tasks/1/type" in response.json()["detail"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1/tasks", JSON),
        ("/api/v1/batches", JSON),
        ("/api/v1/files?name=a.txt", "text/plain"),
        ("/api/v1/files", "multipart/form-data; boundary=x"),
        ("/api/v1/speech/async", "multipart/form-data; boundary=x"),
        ("/api/async/query", JSON),
    ],
)
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "gzip, identity"])
def test_compressed_body_is_refused_wherever_it_is_sent(
    api: MakeClient, alice: User, path: str, kind: str, coding: str
) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    response = api(alice).post(path, bomb, kind, headers={"Content-Encoding": coding})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    assert response["Accept-Encoding"] == "identity"
    assert not File.objects.exists()


def test_body_that_says_that_it_is_not_compressed_is_taken(api: MakeClient, alice: User) -> None:
    response = api(alice).post("/api/v1/tasks", ECHO, JSON, headers={"Content-Encoding": "identity"})
    assert response.status_code == 202


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("status=done", "status"),
        ("statuss=queued", "statuss"),
        ("priority=11", "priority"),
        ("batch=1", "batch"),
        ("created_after=yesterday", "created_after"),
        ("created_before=2030-01-01", "created_before"),
        ("metadata=1", "metadata"),
    ],
)
def test_bad_filter_is_refused_by_name(api: MakeClient, alice: User, query: str, name: str) -> None:
    response = api(alice).get(f"/api/v1/tasks?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
    assert response.json()["errors"][0]["pointer"].startswith(f"/{name}")


@pytest.mark.parametrize("query", ["tag=%00", "type=a%00b", "metadata[a]=%00", "metadata[%00]=1", "queue=%00"])
def test_nul_in_a_filter_is_refused(api: MakeClient, alice: User, query: str) -> None:
    response = api(alice).get(f"/api/v1/tasks?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("cursor", ["8000000000000000", "-1", "f" * 20, "x", "1"])
def test_impossible_cursor_of_numbers_is_refused(api: MakeClient, alice: User, submit: Any, cursor: str) -> None:
    task = submit(alice)
    response = api(alice).get(task["urls"]["events"], {"cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")


def test_validate_only_is_true_or_false(api: MakeClient, alice: User) -> None:
    response = api(alice).post("/api/v1/tasks?validate_only=perhaps", ECHO, JSON)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/validate_only")
    assert not Task.objects.exists()


def test_somebody_elses_file_is_a_fault_of_the_input(api: MakeClient, alice: User, bob: User) -> None:
    pdf = SimpleUploadedFile("a.pdf", b"%PDF-1.7\n%bobs")
    file = api(bob).post("/api/v1/files", {"file": pdf}).json()
    response = api(alice).post("/api/v1/tasks", {"type": "pdf.extract", "input": {"file": file["id"]}}, JSON)
    assert response.status_code == 422
    [fault] = response.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/input/file", "unknown_file")


def test_wrong_kind_of_file_is_a_fault_of_the_input(api: MakeClient, alice: User) -> None:
    client = api(alice)
    file = client.post("/api/v1/files", {"file": SimpleUploadedFile("a.pdf", b"only text")}).json()
    response = client.post("/api/v1/tasks", {"type": "pdf.extract", "input": {"file": file["id"]}}, JSON)
    assert response.status_code == 422
    [fault] = response.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/input/file", "wrong_file_kind")
