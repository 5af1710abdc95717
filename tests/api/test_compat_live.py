"""Clients of systems A, C and D, written from the table of their routes, against a real server and a real node."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.models import User
from tests.cluster.conftest import RunningNode, environment, start_node
from tests.live_portal import LivePortal, live_portal
from tests.scripted_server import Answer, scripted_server

__all__ = ["environment", "start_node"]

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PATIENCE_SECONDS = 90


@pytest.fixture
def portal(
    start_node: Callable[..., RunningNode],
    environment: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[LivePortal]:
    """Without a chat server answers are quoted from the texts, which a test can tell beforehand."""
    kinds = getattr(request, "param", ("IMAGES",))
    with live_portal(start_node=start_node, environment=environment, folder=tmp_path, kinds=kinds) as running:
        yield running


@pytest.fixture
def http(portal: LivePortal, alice: User, token_of: Callable[..., str]) -> Iterator[httpx.Client]:
    """What each of those clients does besides: send a token."""
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    with httpx.Client(base_url=portal.url, headers=headers, timeout=30) as client:
        yield client


def ask(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def poll(read: Callable[[], Any], *, until: set[str]) -> Any:
    """Poll as those clients do: read until the status is one of the last."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = read()
        if found["status"] in until:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_client_of_system_a_works_unchanged(portal: LivePortal, http: httpx.Client) -> None:
    def submit(path: str, **body: str) -> str:
        accepted = ask(http.post(f"/api/async/{path}", json=body))
        assert accepted["status"] == "queued"
        return str(accepted["task_id"])

    def end_of(task_id: str) -> Any:
        return poll(lambda: ask(http.get(f"/api/async/task/{task_id}")), until={"finished", "failed"})

    photo = Answer(200, (SAMPLES / "photo.jpg").read_bytes(), {"Content-Type": "image/jpeg"})
    with scripted_server() as pictures:
        pictures.answers = [photo, photo]
        picture = f"{pictures.url}/photo.jpg"
        analysis = submit("analyze-image", query="When does the ferry depart?", image_url=picture)
        told = "Its mirror was polished by Clara Winter in Jena."
        answer = submit("complete-answer", query="Who polished the mirror?", context=told)
        chain = submit("query", query="When does the ferry depart?", image_url=picture)
        found = end_of(analysis)
        assert (found["status"], found["progress"], found["error"]) == ("finished", 100, None), found
        text = found["result"]["text"]
        assert "Clara Winter" in end_of(answer)["result"]["answer"]
        chained = end_of(chain)
    assert chained["status"] == "finished", chained
    assert chained["result"]["answer"]
    assert chained["result"]["answer"].split()[0] in text

    failed = end_of(submit("query", query="How much does a night tour cost?"))
    assert (failed["status"], failed["error"].split(".")[0]) == ("failed", "There are no files to look in")
    handbook_bytes = (SAMPLES / "handbook.pdf").read_bytes()
    handbook = http.post("/api/v1/files", files={"file": ("handbook.pdf", handbook_bytes)})
    assert handbook.status_code == 201
    assert "28 euros" in end_of(submit("query", query="How much does a night tour cost?"))["result"]["answer"]

    cancelled = submit("analyze-image", query="", image_url="http://127.0.0.1:9/nothing.jpg")
    assert ask(http.delete(f"/api/async/task/{cancelled}"))["task_id"] == cancelled
    assert end_of(cancelled)["status"] == "failed"

    stats = ask(http.get("/api/queue/stats"))
    # Of analyses and answers one each belongs to the chain.
    assert stats == {
        "image_analysis": {"queued": 0, "started": 0, "finished": 2, "failed": 1},
        "answer_generation": {"queued": 0, "started": 0, "finished": 2, "failed": 0},
        "full_query": {"queued": 0, "started": 0, "finished": 1, "failed": 1},
    }
    health = ask(httpx.get(f"{portal.url}/api/health"))
    assert (health["status"], health["redis_connected"], health["workers"]) == ("ok", True, 2)


def test_client_of_system_c_works_unchanged(portal: LivePortal, http: httpx.Client) -> None:
    def end_of(task_id: str) -> Any:
        return poll(lambda: ask(http.get("/api/v1/tasks", params={"task_id": task_id})), until={"DONE", "FAILED"})

    image = ask(http.post("/api/v1/image/async", json={"prompt": "a teal square", "size": "64x64"}))
    with (SAMPLES / "notice.ogg").open("rb") as recording:
        speech = ask(http.post("/api/v1/speech/async", files={"file": ("notice.ogg", recording)}))
    assert (image["status"], speech["status"]) == ("QUEUED", "QUEUED")

    drawn = end_of(image["task_id"])
    assert (drawn["status"], drawn["error"]) == ("DONE", None)
    # Whoever has the address gets the bytes, without a token.
    assert httpx.get(drawn["result_url"]).content.startswith(b"\x89PNG")
    heard = end_of(speech["task_id"])
    assert heard["status"] == "DONE", heard
    assert len(httpx.get(heard["result_url"]).text.split()) > 5

    portal.models.always = "400"
    failed = end_of(ask(http.post("/api/v1/image/async", json={"prompt": "a mistake"}))["task_id"])
    assert (failed["status"], failed["result_url"]) == ("FAILED", None)
    assert failed["error"]


@pytest.mark.parametrize("portal", [("CHAT",)], indirect=True)
def test_client_of_system_d_works_unchanged(portal: LivePortal, http: httpx.Client) -> None:
    portal.models.text = "Lighthouses wait."
    made = ask(http.post("/api/v1/tasks", json={"prompt": "Write about lighthouses.", "model": "gpt-of-yesterday"}))
    assert (made["status"], made["prompt"]) == ("PENDING", "Write about lighthouses.")
    assert made["created_at"]

    def read() -> Any:
        return ask(http.get(f"/api/v1/tasks/{made['id']}"))

    done = poll(read, until={"COMPLETED", "FAILED"})
    assert (done["status"], done["result"], done["error"]) == ("COMPLETED", "Lighthouses wait.", None)
    assert done["model"] == "test-model"
    assert done["engine"]["name"] == "test-model"

    portal.models.always = "400"
    failing = ask(http.post("/api/v1/tasks", json={"prompt": "Write about storms."}))
    failed = poll(lambda: ask(http.get(f"/api/v1/tasks/{failing['id']}")), until={"COMPLETED", "FAILED"})
    assert (failed["status"], failed["result"]) == ("FAILED", None)
    assert failed["error"]
