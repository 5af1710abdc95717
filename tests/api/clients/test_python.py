"""A Python client that openapi-python-client generates from the document: it is imported, and used against a portal."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from accounts.models import User
from tasks.management.commands.openapi import STORED
from tests.api.conftest import Work
from tests.web.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

NAME = "generated_portal_client"
# It knows no lines of JSON, workbooks and archives: these answers are left to `response.content`, such bodies to httpx.
UNKNOWN_TO_IT = (
    "application/jsonl",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModuleType, str]]:
    """Generate the client and import all of it; with what the generator said."""
    folder = tmp_path_factory.mktemp("python-client")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(STORED), "--meta", "none"]
    # Its hooks tidy up with the ruff beside this Python.
    made = subprocess.run(
        [*command, "--output-path", str(folder / NAME)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(Path(sys.executable).parent)},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    package = importlib.import_module(NAME)
    for module in pkgutil.walk_packages(package.__path__, f"{NAME}."):
        importlib.import_module(module.name)
    yield package, made.stdout + made.stderr
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == NAME]:
        del sys.modules[name]


def module(name: str) -> Any:
    return importlib.import_module(f"{NAME}.{name}")


def test_generator_leaves_nothing_out_but_lines_of_json(generated: tuple[ModuleType, str]) -> None:
    _, said = generated
    assert "Unable to" not in said
    complaints = re.findall(r"^(?:Cannot parse|Unsupported) .*", said, re.MULTILINE)
    assert len(complaints) == said.count("WARNING")
    assert [line for line in complaints if not any(kind in line for kind in UNKNOWN_TO_IT)] == []


def test_generated_client_is_used(
    generated: tuple[ModuleType, str],
    server: LiveServer,
    alice: User,
    token_of: Callable[..., str],
    work: Work,
) -> None:
    package, _ = generated
    models, tasks, files = package.models, module("api.tasks"), module("api.files")
    with package.AuthenticatedClient(server.url, token_of(alice)) as client:
        body = models.SubmitDiagnosticEcho(type_="diagnostic.echo", input_=models.DiagnosticEchoInput(message="hello"))
        submitted = tasks.submit_task.sync(client=client, body=body, idempotency_key="once")
        assert isinstance(submitted, models.DiagnosticEchoTask)
        assert submitted.input_ == body.input_
        assert tasks.submit_task.sync(client=client, body=body, idempotency_key="once").id == submitted.id
        work()
        done = tasks.get_task.sync(submitted.id, client=client)
        assert (done.done, done.result.text, done.result.engine.name) == (True, "hello", done.engine.name)
        assert [task.id for task in tasks.list_tasks.sync(client=client, type_="diagnostic.echo").data] == [done.id]
        preview = tasks.submit_task.sync(client=client, body=body, validate_only=True)
        assert (type(preview), preview.cost.day) == (models.Preview, 1)

        stored = files.upload_file.sync(
            client=client, name="a.txt", body=module("types").File(payload=BytesIO(b"some words"))
        )
        assert (stored.name, stored.size) == ("a.txt", 10)
        assert files.download_file.sync(stored.id, client=client).payload.read() == b"some words"


def test_generated_client_tells_problems(
    generated: tuple[ModuleType, str], server: LiveServer, alice: User, token_of: Callable[..., str]
) -> None:
    package, _ = generated
    models, tasks = package.models, module("api.tasks")
    with package.AuthenticatedClient(server.url, token_of(alice)) as client:
        given = models.DiagnosticEchoInput(message="hello")
        body = models.SubmitDiagnosticEcho(type_="diagnostic.echo", input_=given, priority=11)
        refused = tasks.submit_task.sync_detailed(client=client, body=body)
        assert (refused.status_code, type(refused.parsed)) == (422, models.Problem)
        assert [fault.pointer for fault in refused.parsed.errors] == ["/priority"]
