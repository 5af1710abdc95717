"""The examples of the documentation, run as they are written against a real server and a real node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.models import User
from tests.cluster.conftest import RunningNode
from tests.docs.pages import FENCE, PROJECT, TESTED, examples
from tests.web.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

with_examples = pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/tutorial.md",
        "docs/api.md",
        "docs/schedules.md",
        "docs/client.md",
        "docs/compatibility.md",
        "docs/django-q2.md",
    ],
)
Run = Callable[[list[str], str], str]


@pytest.fixture
def run(server: LiveServer, alice: User, bob: User, token_of: Callable[..., str], tmp_path: Path) -> Iterator[Run]:
    """Run a program in a folder that looks like a checkout beside `make run`."""
    folder = tmp_path / "checkout"
    (folder / ".portal").mkdir(parents=True)
    users = {"alice": {"token": token_of(alice)}, "bob": {"token": token_of(bob)}}
    (folder / ".portal" / "demo.json").write_text(json.dumps({"url": server.url, "users": users}))
    (folder / "tests").symlink_to(PROJECT / "tests")
    environment = os.environ | {
        "PYTHONPATH": str(PROJECT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def start(command: list[str], program: str) -> str:
        done = subprocess.run(
            command,
            input=program,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    node = RunningNode(workers=2, environment=server.environment, log=tmp_path / "node.log")
    yield start
    node.stop()


@with_examples
def test_shell_examples_print_what_the_page_says(page: str, run: Run) -> None:
    program, printed = examples(PROJECT / page, "sh")
    _check_lines(run(["bash", "-euo", "pipefail", "-s"], _without_names(program)), printed)


@with_examples
def test_python_examples_print_what_the_page_says(page: str, run: Run) -> None:
    program, printed = examples(PROJECT / page, "python")
    _check_lines(run([sys.executable, "-"], _without_names(program)), printed)


def test_every_request_of_the_api_page_is_run() -> None:
    page = (PROJECT / "docs" / "api.md").read_text()
    shown = [code for language, code in FENCE.findall(page) if language == "sh" or "tasks.client" in code]
    tested = [code for _, code, _ in TESTED.findall(page)]
    assert [code for code in shown if code not in tested] == []


def _without_names(program: str) -> str:
    # Names cannot be looked up without a network; nothing is posted there.
    return program.replace("https://example.com/", "https://93.184.216.34/")


def _check_lines(output: str, expected: list[str]) -> None:
    lines = iter(output.splitlines())
    missing = [line for line in expected if line not in lines]
    assert not missing, f"not printed, or not in this order: {missing}\n{output}"
