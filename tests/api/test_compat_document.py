"""What the OpenAPI document says of shapes that other systems' clients meet at the portal's own addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from django.test import Client

from accounts.models import User
from tasks.api.compat.document import EXTENSION
from tasks.api.compat.system_c import TaskC
from tasks.api.compat.system_d import TaskD
from tasks.backends import directory
from tasks.backends.servers import NewServer, add_server
from tests.api.conftest import ECHO, JSON, MakeClient, Work
from tests.api.shapes import assert_shape

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Submit = Callable[..., dict[str, Any]]


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = Client().get("/api/schema").json()
    return found


def check(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    jsonschema.Draft202012Validator(schema | {"components": document["components"]}).validate(value)


def check_answer(document: dict[str, Any], path: str, method: str, answer: Any, *, system: str = "") -> None:
    """Fail when an answer is not among those described: its status, its headers of ours, its body."""
    operation = document["paths"][path][method]
    described = (operation[EXTENSION][system] if system else operation)["responses"][str(answer.status_code)]
    assert {name for name in ("Retry-After", "Location", "RateLimit") if name in answer} <= set(described["headers"])
    check(document, described["content"]["application/json"]["schema"], answer.json())


def test_prompts_of_system_d_are_described(document: dict[str, Any], api: MakeClient, alice: User) -> None:
    directory.forget()
    add_server(NewServer(kind="chat", address="http://127.0.0.1:9/v1", models=["test-model"]))
    client, body = api(alice), {"prompt": "Write a line.", "model": None}
    submission = document["paths"]["/api/v1/tasks"]["post"]
    [own, theirs] = [
        described["requestBody"]["content"]["application/json"]["schema"]
        for described in (submission, submission[EXTENSION]["D"])
    ]
    made = client.post("/api/v1/tasks", body, JSON)
    read = client.get(f"/api/v1/tasks/{made.json()['id']}")
    directory.forget()

    check(document, theirs, body)
    check(document, own, ECHO)
    check_answer(document, "/api/v1/tasks", "post", made, system="D")
    check_answer(document, "/api/v1/tasks/{task_id}", "get", read, system="D")
    assert_shape(read.json(), TaskD)


def test_question_of_system_c_is_described(
    document: dict[str, Any], api: MakeClient, alice: User, submit: Submit
) -> None:
    client, task = api(alice), submit(alice)
    one = client.get("/api/v1/tasks", {"task_id": task["id"]})
    listing = document["paths"]["/api/v1/tasks"]["get"]

    check_answer(document, "/api/v1/tasks", "get", one, system="C")
    check_answer(document, "/api/v1/tasks", "get", client.get("/api/v1/tasks"))
    assert_shape(one.json(), TaskC)
    [told] = listing[EXTENSION]["C"]["parameters"]
    assert (told["name"], told["schema"]["format"]) == ("task_id", "uuid")
    assert "404" in listing[EXTENSION]["C"]["responses"]


def test_portals_own_addresses_have_its_own_shapes_alone(document: dict[str, Any]) -> None:
    tasks, task = document["paths"]["/api/v1/tasks"], document["paths"]["/api/v1/tasks/{task_id}"]
    for operation in (tasks["post"], tasks["get"], task["get"]):
        own = str({name: part for name, part in operation.items() if name not in {EXTENSION, "description"}})
        assert not any(component in own for component in ("RunPrompt", "TaskD", "TaskC", "task_id', 'in': 'query"))


def test_own_answers_fit_what_is_described_still(
    document: dict[str, Any], api: MakeClient, alice: User, submit: Submit
) -> None:
    client, task = api(alice), submit(alice)
    check_answer(document, "/api/v1/tasks/{task_id}", "get", client.get(task["urls"]["self"]))
    check_answer(document, "/api/v1/tasks", "post", client.post("/api/v1/tasks?validate_only=true", ECHO, JSON))


def test_plain_addresses_are_described(
    document: dict[str, Any], api: MakeClient, alice: User, submit: Submit, work: Work
) -> None:
    check_answer(document, "/api/health", "get", Client().get("/api/health"))
    task = submit(alice)
    work()
    link = urlsplit(api(alice).get("/api/v1/tasks", {"task_id": task["id"]}).json()["result_url"])
    described = document["paths"]["/api/v1/results/{task_id}"]["get"]
    result = Client().get(f"{link.path}?{link.query}")
    assert result.headers["Content-Type"].partition(";")[0] in described["responses"]["200"]["content"]
    assert [found["name"] for found in described["parameters"] if found["name"] in link.query] == ["maker", "signature"]
    forged = Client().get(f"{link.path}?signature=forged")
    assert str(forged.status_code) in described["responses"]
    assert (document["paths"]["/api/health"]["get"]["security"], described["security"]) == ([], [])


def test_systems_that_are_switched_off_are_not_described(settings: Any) -> None:
    settings.COMPAT_ROUTES = []
    components = Client().get("/api/schema").json()["components"]["schemas"]
    assert {"TaskC", "TaskD", "HealthA", "RunPrompt"} & set(components) == set()
