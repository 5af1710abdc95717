"""The app that docs/task-types.md walks through works outside this tree, in real processes; a broken one is told of."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from accounts.models import User
from tests.cluster.conftest import PROJECT, RunningNode, environment, start_node, wait_until
from tests.web.live import LiveServer, session_cookie

EXAMPLE = PROJECT / "docs" / "examples" / "csvprofile"
SHAPE = "M12 3v18"

__all__ = ["environment", "start_node"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Copy the app out of this tree, and return its package."""
    shutil.copytree(EXAMPLE, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "elsewhere" / "csvprofile"


@pytest.fixture
def extra(app: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(app.parent), "EXTRA_APPS": "csvprofile"}


def manage(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=240
    )


def test_example_passes_the_checks_and_its_own_tests(environment: dict[str, str], extra: dict[str, str]) -> None:
    checked = manage(environment | extra, "check", "--database", "default", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
    tested = manage(environment | extra, "test", "csvprofile")
    assert tested.returncode == 0, tested.stderr
    assert "Ran 3 tests" in tested.stderr


def test_example_is_listed_filled_in_run_and_shown(
    environment: dict[str, str],
    extra: dict[str, str],
    start_node: Callable[..., RunningNode],
    tmp_path: Path,
    alice: User,
    token_of: Callable[..., str],
) -> None:
    server = LiveServer(log=tmp_path / "web.log", environment=environment | extra)
    try:
        start_node(workers=1, **extra)
        token = {"Authorization": f"Bearer {token_of(alice)}"}
        with httpx.Client(base_url=server.url, headers=token, timeout=60) as api:
            described = api.get("/api/v1/task-types/csv.profile").json()
            assert (described["ready"], described["queue"]) == (True, "documents")
            document = api.get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
            assert "CsvProfileResult" in document["components"]["schemas"]
            with (EXAMPLE / "csvprofile" / "samples" / "ferries.csv").open("rb") as sample:
                file = api.post("/api/v1/files", files={"file": ("ferries.csv", sample)}).json()
            sent = api.post("/api/v1/tasks", json={"type": "csv.profile", "input": {"file": file["id"]}})
            assert sent.status_code == 202, sent.text
            task = f"/api/v1/tasks/{sent.json()['id']}"
            wait_until(lambda: api.get(task).json()["done"], what="the end of the task")
            ended = api.get(task).json()
            assert ended["status"] == "succeeded", json.dumps(ended["error"])
            assert [column["name"] for column in ended["result"]["columns"]][:2] == ["ferry", "harbour"]
        with httpx.Client(base_url=server.url, cookies={"sessionid": session_cookie(alice)}, timeout=60) as browser:
            cards = browser.get("/new").text
            assert "Profile a CSV file" in cards
            assert SHAPE in cards
            assert "With names in its first row." in browser.get("/new/csv.profile").text
            page = browser.get(f"/tasks/{ended['id']}").text
            assert "8 rows, 6 columns, delimiter: semicolon." in page
            assert 'max="8" value="7"' in page
    finally:
        server.stop()


def test_broken_app_stops_every_start_with_a_sentence(
    environment: dict[str, str], extra: dict[str, str], app: Path, tmp_path: Path
) -> None:
    (app / "task_types.py").write_text("import no_such_engine\n")
    said = "The app csvprofile cannot be used: csvprofile.task_types fails in "
    cause = "line 1, with ModuleNotFoundError: No module named 'no_such_engine'."

    for words in (["check"], ["qcluster"]):
        answer = manage(environment | extra, *words)
        assert answer.returncode == 1
        assert said in answer.stderr
        assert cause in answer.stderr
    with pytest.raises(AssertionError, match="cannot be used"):
        LiveServer(log=tmp_path / "web.log", environment=environment | extra)
    assert cause in (tmp_path / "web.log").read_text()


def test_app_that_is_not_there_is_one_sentence(environment: dict[str, str]) -> None:
    answer = manage(environment | {"EXTRA_APPS": "csvprofil"}, "check")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("EXTRA_APPS names csvprofil, but Python finds no package csvprofil:")
    assert len(answer.stderr.splitlines()) == 1
