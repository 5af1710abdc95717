"""System A's routes: its words over the portal's own tasks. The whole way with real nodes: test_compat_live.py."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tasks.api.compat.marks import new_marked_id, system_of
from tasks.models import File, Task
from tests.api.conftest import JSON, MakeClient, Work

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

PICTURE = "https://example.com/ferry.png"
PHOTO = (Path(__file__).resolve().parents[1] / "samples" / "photo.jpg").read_bytes()


def post(client: Client, path: str, body: dict[str, Any], **headers: str) -> Any:
    return client.post(f"/api/async/{path}", body, JSON, headers=headers)


def test_analyze_image_is_our_task(api: MakeClient, alice: User) -> None:
    answer = post(api(alice), "analyze-image", {"query": "When?", "image_url": PICTURE, "session": "unknown fields"})
    assert (answer.status_code, answer.json().get("status")) == (200, "queued"), answer.content
    assert answer["RateLimit"]
    task = Task.objects.get(pk=answer.json()["task_id"])
    assert (task.type, task.priority, task.owner) == ("image.analyze", 6, alice)
    assert task.content.input == {"url": PICTURE, "question": "When?"}


def test_answer_is_read_to_its_end(api: MakeClient, alice: User, work: Work) -> None:
    client = api(alice)
    body = {"query": "Who polished the mirror?", "context": "Its mirror was polished by Clara Winter in Jena."}
    task_id = post(client, "complete-answer", body).json()["task_id"]
    waiting = client.get(f"/api/async/task/{task_id}")
    assert waiting["Retry-After"] == "1"
    assert waiting.json() == {
        "task_id": task_id, "status": "queued", "progress": 0, "stage": None, "result": None, "error": None,
        "elapsed_time": None,
    }  # fmt: skip
    work()
    done = client.get(f"/api/async/task/{task_id}").json()
    assert (done["status"], done["progress"], done["error"]) == ("finished", 100, None)
    assert done["elapsed_time"] >= 0
    assert "Clara Winter" in done["result"]["answer"]


def test_answer_to_a_submission_is_system_a_s(api: MakeClient, alice: User) -> None:
    answer = post(api(alice), "analyze-image", {"query": "When?", "image_url": PICTURE}).json()
    assert set(answer) == {"task_id", "status", "message", "estimated_time"}
    assert answer["estimated_time"] >= 1


def upload(client: Client, name: str) -> str:
    made = client.post("/api/v1/files", {"file": SimpleUploadedFile(name, PHOTO)})
    return str(made.json()["id"])


@pytest.mark.parametrize(("path", "given"), [("analyze-image", "test.jpg"), ("query", "uploads/test.jpg")])
def test_picture_is_found_by_its_name(api: MakeClient, alice: User, bob: User, path: str, given: str) -> None:
    body = {"query": "When?", "image_url": given}
    upload(api(bob), "test.jpg")
    refused = post(api(alice), path, body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_file")
    assert refused.json()["errors"][0]["pointer"] == "/image_url"
    assert "upload it first" in refused.json()["detail"]
    upload(api(alice), "test.jpg")
    newest = upload(api(alice), "test.jpg")
    assert post(api(alice), path, body).status_code == 200
    assert Task.objects.get(type="image.analyze").content.input == {"file": newest, "question": "When?"}


@pytest.mark.parametrize("path", ["analyze-image", "query"])
@pytest.mark.parametrize("before", ["", "data:image/jpeg;base64,"])
def test_picture_comes_as_base64(api: MakeClient, alice: User, path: str, before: str) -> None:
    body = {"query": "When?", "image_base64": before + base64.b64encode(PHOTO).decode()}
    assert post(api(alice), path, body).status_code == 200
    file = File.objects.get()
    assert (file.owner, file.content_type, file.size) == (alice, "image/jpeg", len(PHOTO))
    assert Task.objects.get(type="image.analyze").content.input["file"] == str(file.pk)


def test_picture_of_a_task_that_was_not_accepted_is_not_kept(api: MakeClient, alice: User) -> None:
    body = {"query": "x" * 100_000, "image_base64": base64.b64encode(PHOTO).decode()}
    assert post(api(alice), "analyze-image", body).status_code == 422
    assert not File.objects.exists()
    body |= {"query": "When?"}
    for _ in range(2):
        assert post(api(alice), "analyze-image", body, Idempotency_Key="once").status_code == 200
    assert (Task.objects.count(), File.objects.count()) == (1, 1)


@pytest.mark.parametrize("path", ["analyze-image", "query"])
@pytest.mark.parametrize("picture", [{"image_url": "there.jpg"}, {"image_base64": base64.b64encode(PHOTO).decode()}])
def test_repeated_key_is_answered_though_the_picture_can_be_had_no_more(
    api: MakeClient, make_user: Callable[..., User], path: str, picture: dict[str, str]
) -> None:
    carol = make_user("carol", file_bytes=len(PHOTO))
    client, body = api(carol), {"query": "When?"} | picture
    if "image_url" in picture:
        client.post("/api/v1/files", {"file": SimpleUploadedFile("there.jpg", PHOTO)})
    first = post(client, path, body, Idempotency_Key="once")
    assert first.status_code == 200, first.content
    if "image_url" in picture:
        assert client.delete(f"/api/v1/files/{File.objects.get().pk}").status_code == 204
    # Otherwise there is no room for a second one.
    again = post(client, path, body, Idempotency_Key="once")
    assert again.status_code == 200, again.content
    assert (again.json()["task_id"], again["Idempotency-Replayed"]) == (first.json()["task_id"], "true")
    blind = post(api(carol, "tasks:write"), path, body, Idempotency_Key="once")
    assert (blind.status_code, blind.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize("picture", [{"image_url": "test.jpg"}, {"image_base64": "AAAA"}])
def test_stored_pictures_need_the_scope_files(api: MakeClient, alice: User, picture: dict[str, str]) -> None:
    for path in ("analyze-image", "query"):
        answer = post(api(alice, "tasks:read", "tasks:write"), path, {"query": "When?"} | picture)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


def test_query_without_a_picture_asks_all_files(api: MakeClient, alice: User) -> None:
    task = Task.objects.get(pk=post(api(alice), "query", {"query": "How much?"}).json()["task_id"])
    assert (task.type, task.priority, task.content.input) == ("rag.query", 4, {"question": "How much?"})


def test_query_with_a_picture_is_a_chain(api: MakeClient, alice: User) -> None:
    answer = post(api(alice), "query", {"query": "When?", "image_url": PICTURE}).json()
    analysis, final = Task.objects.order_by("id")
    assert (answer["task_id"], answer["status"]) == (str(final.pk), "queued")
    assert (analysis.type, final.type, final.status) == ("image.analyze", "answer.complete", "waiting")
    assert final.content.input == {"question": "When?", "context": {"$from": str(analysis.pk), "path": "text"}}


def test_cancelled_chain_leaves_nothing_behind(api: MakeClient, alice: User) -> None:
    client = api(alice)
    task_id = post(client, "query", {"query": "When?", "image_url": PICTURE}).json()["task_id"]
    answer = client.delete(f"/api/async/task/{task_id}")
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert answer.json()["error"] == "The task was cancelled."
    assert set(Task.objects.values_list("status", flat=True)) == {"cancelled"}


def test_chain_is_refused_as_a_whole(api: MakeClient, make_user: Callable[..., User]) -> None:
    user = make_user("cora", max_waiting=1)
    answer = post(api(user), "query", {"query": "When?", "image_url": PICTURE})
    assert (answer.status_code, answer.json()["policy"]) == (429, "waiting")
    assert not Task.objects.of(user).exists()


def test_repeated_key_makes_one_chain(api: MakeClient, alice: User) -> None:
    client, body = api(alice), {"query": "When?", "image_url": PICTURE}
    first = post(client, "query", body, Idempotency_Key="once")
    again = post(client, "query", body, Idempotency_Key="once")
    assert first.json()["task_id"] == again.json()["task_id"]
    assert again["Idempotency-Replayed"] == "true"
    assert Task.objects.count() == 2
    other = post(client, "query", body | {"query": "Where?"}, Idempotency_Key="once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("analyze-image", {"query": "When?"}, ""),
        ("analyze-image", {"query": "When?", "image_base64": "no!"}, "/image_base64"),
        ("analyze-image", {"query": "When?", "image_base64": "né"}, "/image_base64"),
        ("query", {"query": "When?", "image_base64": "data:image/png;base64,no!"}, "/image_base64"),
        ("analyze-image", {"query": "When?", "image_url": "ftp://example.com/a"}, "/image_url"),
        ("analyze-image", {"query": 5, "image_url": PICTURE}, "/query"),
        ("complete-answer", {"query": "When?", "context": ""}, "/context"),
        ("query", {"query": "  "}, "/query"),
        ("query", {"query": "", "image_url": PICTURE}, "/query"),
    ],
)
def test_faults_point_at_what_was_sent(
    api: MakeClient, alice: User, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = post(api(alice), path, body)
    assert (answer.status_code, answer.json()["code"]) in {(422, "invalid_input"), (422, "invalid_body")}
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert not Task.objects.unfinished().exists()


def test_failed_task_says_why(api: MakeClient, alice: User, work: Work) -> None:
    task_id = post(api(alice), "query", {"query": "How much?"}).json()["task_id"]
    work()
    found = api(alice).get(f"/api/async/task/{task_id}").json()
    assert (found["status"], found["result"]) == ("failed", None)
    assert found["error"].startswith("There are no files to look in.")


def test_stats_count_one_s_own(api: MakeClient, alice: User, bob: User, work: Work) -> None:
    body = {"query": "Who?", "context": "Clara Winter polished it."}
    post(api(alice), "complete-answer", body)
    work()
    post(api(alice), "complete-answer", body)
    cancelled = post(api(alice), "complete-answer", body).json()["task_id"]
    api(alice).delete(f"/api/async/task/{cancelled}")
    stats = api(alice).get("/api/queue/stats").json()
    nothing = {"queued": 0, "started": 0, "finished": 0, "failed": 0}
    assert stats == {
        "image_analysis": nothing,
        "answer_generation": {"queued": 1, "started": 0, "finished": 1, "failed": 1},
        "full_query": nothing,
    }
    assert set(map(str, api(bob).get("/api/queue/stats").json().values())) == {str(nothing)}


def test_health_is_public(request: pytest.FixtureRequest) -> None:
    health = Client().get("/api/health").json()
    assert (health["status"], health["redis_connected"], health["workers"]) == ("degraded", True, 0)
    request.getfixturevalue("node")
    assert Client().get("/api/health").json()["status"] == "ok"
    assert Client().post("/api/health").status_code == 405


def test_marked_ids_sort_as_others_do() -> None:
    ids = [new_marked_id("A") for _ in range(100)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 100
    assert {system_of(id_) for id_ in ids} == {"A"}
