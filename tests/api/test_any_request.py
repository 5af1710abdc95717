"""Whatever is sent, the answer is below 500, and from 400 on a problem."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from tests.api.conftest import JSON, MakeClient

TEXT = st.text(max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("input", "priority", "run_after", "start_before", "timeout", "max_attempts", "metadata", "tags", "on_quota")
BODIES = st.fixed_dictionaries(
    {"type": st.sampled_from(["diagnostic.echo", "pdf.extract", "nope"]) | VALUES},
    optional={name: VALUES | st.just({"message": "x"}) for name in FIELDS} | {"other": VALUES},
)
PARAMETERS = ("limit", "cursor", "status", "type", "queue", "priority", "tag", "batch", "created_after", "metadata[a]")
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_answered(response: Any) -> None:
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["detail"]


@pytest.fixture
def client(api: MakeClient, alice: User) -> Any:
    return api(alice)


@FEW
@given(BODIES)
def test_any_submission_is_answered(client: Any, body: dict[str, Any]) -> None:
    assert_answered(client.post("/api/v1/tasks", body, JSON))


@FEW
@given(st.lists(BODIES | VALUES, max_size=3), st.booleans() | VALUES)
def test_any_batch_is_answered(client: Any, tasks: list[Any], atomic: Any) -> None:
    assert_answered(client.post("/api/v1/batches", {"tasks": tasks, "atomic": atomic}, JSON))


@FEW
@given(st.dictionaries(st.sampled_from(PARAMETERS) | TEXT, TEXT | st.integers().map(str), max_size=3))
def test_any_filter_is_answered(client: Any, filters: dict[str, str]) -> None:
    query = "&".join(
        f"{quote(name, errors='ignore')}={quote(value, errors='ignore')}" for name, value in filters.items()
    )
    assert_answered(client.get(f"/api/v1/tasks?{query}"))


@FEW
@given(st.text(st.characters(codec="ascii"), max_size=30), st.text(st.characters(codec="latin-1"), max_size=30))
def test_any_header_is_answered(client: Any, key: str, etag: str) -> None:
    body = {"type": "diagnostic.echo", "input": {"message": "x"}}
    assert_answered(client.post("/api/v1/tasks", body, JSON, HTTP_IDEMPOTENCY_KEY=key))
    address = "/api/v1/tasks/01900000-0000-7000-8000-000000000000"
    assert_answered(client.get(address, HTTP_IF_NONE_MATCH=etag))
    assert_answered(client.get(address, HTTP_AUTHORIZATION=etag))


@FEW
@given(st.text(max_size=40))
# No route matches a line's end, so that Django answers, and not a view.
@example("a\nb")
def test_any_address_is_answered(client: Any, path: str) -> None:
    assert_answered(client.get("/api/v1/" + quote(path, errors="ignore")))
    assert_answered(client.get("/api/v1/task-types/" + quote(path, errors="ignore", safe="")))


@FEW
@given(st.binary(max_size=60), st.text(st.characters(codec="latin-1"), max_size=20))
def test_any_upload_is_answered(client: Any, content: bytes, name: str) -> None:
    assert_answered(client.generic("POST", f"/api/v1/files?name={quote(name)}", content, "application/octet-stream"))
    assert_answered(client.generic("POST", "/api/v1/files", content, "multipart/form-data; boundary=x"))
