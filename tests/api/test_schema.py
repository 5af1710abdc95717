"""The OpenAPI document and its page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from tasks import registry
from tasks.api.problems import all_kinds
from tasks.api.urls import urlpatterns

pytestmark = pytest.mark.django_db


@pytest.fixture
def document() -> dict[str, Any]:
    answer: dict[str, Any] = Client().get("/api/schema").json()
    return answer


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, found) for path, methods in document["paths"].items() for method, found in methods.items()]


def test_document_is_openapi_31(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")


def test_every_route_and_method_is_described(document: dict[str, Any]) -> None:
    expected = set()
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        view = getattr(pattern.callback, "cls", None)
        if view is None or pattern.name in {"schema", "docs"}:
            continue
        path = "/api/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        expected |= {(path, method) for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
    # Plain views of the compatibility routes.
    expected |= {("/api/health", "get"), ("/api/v1/results/{task_id}", "get")}
    assert {(path, method) for path, method, _ in operations(document)} == expected


def test_every_operation_has_id_summary_and_problems(document: dict[str, Any]) -> None:
    ids = [found["operationId"] for _, _, found in operations(document)]
    assert len(ids) == len(set(ids))
    known = set(all_kinds())
    for path, method, found in operations(document):
        assert found["summary"], (path, method)
        is_public = found["security"] == []
        assert any(words in found["description"] for words in ("Needs the scope", "of any scope")) != is_public
        errors = {
            status: document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            for status, answer in found["responses"].items()
            if int(status) >= 400
        }
        assert {"400", "500"} | (set() if is_public else {"401", "403"}) <= set(errors), (path, method)
        for answer in errors.values():
            assert list(answer["content"]) == ["application/problem+json"]
            assert answer["content"]["application/problem+json"]["schema"]["$ref"].endswith("/Problem")
            assert set(answer["description"].removeprefix("Problem: ").split(", ")) <= known


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for member in value.values() for found in references(member)]
        return [found for member in value for found in references(member)] if isinstance(value, list) else []

    found = references(document)
    assert found
    for reference in found:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_task_types_are_components(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["DiagnosticEchoInput"]["properties"]["message"]["anyOf"][0]["type"] == "string"
    assert len([name for name in schemas if name.endswith("Result")]) >= len(registry.all_types())


def test_submit_describes_its_headers(document: dict[str, Any]) -> None:
    submit = document["paths"]["/api/v1/tasks"]["post"]
    assert set(submit["responses"]["202"]["headers"]) == {
        "Location", "Retry-After", "ETag", "Idempotency-Replayed", "RateLimit-Policy", "RateLimit",
        "Preference-Applied", "X-Request-Id",
    }  # fmt: skip
    assert "Idempotency-Key" in [parameter["name"] for parameter in submit["parameters"]]


def test_document_comes_as_yaml_where_it_is_asked_for() -> None:
    response = Client().get("/api/schema", headers={"Accept": "application/yaml"})
    assert response.content.startswith(b"openapi: 3.1")


def test_docs_page_has_no_inline_script_and_no_foreign_asset() -> None:
    page = Client().get("/api/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "<style" not in text
    assert all(address.startswith("/") for address in re.findall(r'(?:src|href)="([^"]+)"', text))
    script = Client().get("/api/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle" in script.content
