"""System C's routes: its words over the portal's own tasks. The whole way with real nodes: test_compat_live.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ApiToken, User
from accounts.tokens import revoke_token
from tasks.api.compat import system_c
from tasks.models import File, Task, TaskContent
from tests.api.conftest import ECHO, JSON, MakeClient, Work

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SPOKEN = Path(__file__).resolve().parents[1] / "samples" / "notice.ogg"
Submit = Callable[..., dict[str, Any]]


def poll(client: Client, task_id: str) -> dict[str, Any]:
    answer = client.get("/api/v1/tasks", {"task_id": task_id})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def fetch(url: str) -> Any:
    """Get an absolute address as somebody without a token."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("http", "testserver")
    return Client().get(f"{parts.path}?{parts.query}")


def test_task_of_whatever_origin_is_read_in_their_shape(
    api: MakeClient, alice: User, submit: Submit, work: Work
) -> None:
    task = submit(alice)
    waiting = api(alice).get("/api/v1/tasks", {"task_id": task["id"]})
    assert waiting["Retry-After"] == "1"
    assert waiting.json() == {"task_id": task["id"], "status": "QUEUED", "result_url": None, "error": None}
    work()
    done = poll(api(alice), task["id"])
    assert (done["status"], done["error"]) == ("DONE", None)
    text = fetch(done["result_url"])
    assert (text.content, text["Content-Type"]) == (b"hello", "text/plain; charset=utf-8")
    assert text["X-Content-Type-Options"] == "nosniff"


def test_result_url_of_an_image_has_its_bytes(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    task = submit(alice)
    work()
    file = api(alice).post("/api/v1/files", {"file": SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n")}).json()
    TaskContent.objects.filter(pk=task["id"]).update(result={"images": [file["id"]]})
    url = poll(api(alice), task["id"])["result_url"]
    assert b"".join(fetch(url)) == b"\x89PNG\r\n\x1a\n"


def test_address_of_an_image_needs_the_scope_files(api: MakeClient, alice: User, submit: Submit, work: Work) -> None:
    query = {"task_id": submit(alice)["id"]}
    work()
    # A text is part of the task, which this token reads.
    reader = api(alice, "tasks:read")
    assert fetch(reader.get("/api/v1/tasks", query).json()["result_url"]).content == b"hello"
    file = api(alice).post("/api/v1/files", {"file": SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n")}).json()
    TaskContent.objects.filter(pk=query["task_id"]).update(result={"images": [file["id"]]})
    refused = reader.get("/api/v1/tasks", query)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert 'scope="files"' in refused["WWW-Authenticate"]
    assert api(alice, "tasks:read", "files").get("/api/v1/tasks", query).status_code == 200


def test_recording_in_a_form_needs_the_scope_files(api: MakeClient, alice: User) -> None:
    form = {"file": SimpleUploadedFile("notice.ogg", SPOKEN.read_bytes())}
    refused = api(alice, "tasks:write").post("/api/v1/speech/async", form)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert not File.objects.exists()
    body = {"audio_url": "https://example.com/notice.ogg"}
    assert api(alice, "tasks:write").post("/api/v1/speech/async", body, JSON).status_code == 200


def test_result_url_is_good_for_an_hour_and_for_its_task(
    api: MakeClient, alice: User, submit: Submit, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = submit(alice), submit(alice)
    work()
    work()
    url = poll(api(alice), one["id"])["result_url"]
    assert fetch(url.replace(one["id"], other["id"])).json()["code"] == "invalid_signature"
    assert fetch(url[:-3]).status_code == 403
    assert fetch(url.partition("?")[0] + "?x=").status_code == 403
    with monkeypatch.context() as later:
        later.setattr(system_c, "LINK_SECONDS", -1)
        assert fetch(url).json()["code"] == "link_expired"
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert fetch(url).json()["code"] == "content_purged"
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert fetch(url).status_code == 200
    TaskContent.objects.filter(pk=one["id"]).delete()
    assert fetch(url).json()["code"] == "content_purged"
    assert poll(api(alice), one["id"])["result_url"] is None


def test_result_url_ends_with_the_token_that_asked_for_it(
    api: MakeClient, alice: User, submit: Submit, work: Work
) -> None:
    task = submit(alice)
    work()
    url = poll(api(alice, "tasks:read"), task["id"])["result_url"]
    kept = poll(api(alice), task["id"])["result_url"]
    assert fetch(url).content == b"hello"
    revoke_token(ApiToken.objects.get(scopes=["tasks:read"]))
    assert (fetch(url).status_code, fetch(url).json()["code"]) == (410, "link_expired")
    assert fetch(kept).content == b"hello"


def test_failed_task_says_why(api: MakeClient, alice: User, submit: Submit) -> None:
    task = submit(alice)
    api(alice).post(f"/api/v1/tasks/{task['id']}/cancel")
    assert poll(api(alice), task["id"]) == {
        "task_id": task["id"], "status": "FAILED", "result_url": None, "error": "The task was cancelled.",
    }  # fmt: skip


def test_poll_is_guarded_as_our_own(api: MakeClient, alice: User, bob: User, submit: Submit) -> None:
    task = submit(alice)
    query = {"task_id": task["id"]}
    assert api(bob).get("/api/v1/tasks", query).json()["code"] == "not_found"
    assert Client().get("/api/v1/tasks", query).status_code == 401
    assert api(alice, "files").get("/api/v1/tasks", query).json()["code"] == "missing_scope"
    answer = api(alice).get("/api/v1/tasks", {"task_id": "17"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/task_id")


def test_list_of_tasks_stays_our_own(api: MakeClient, alice: User, submit: Submit) -> None:
    task = submit(alice)
    assert [found["id"] for found in api(alice).get("/api/v1/tasks").json()["data"]] == [task["id"]]
    assert api(alice).post("/api/v1/tasks?task_id=1", ECHO, JSON).status_code == 400


def test_image_is_refused_where_nothing_can_draw(api: MakeClient, alice: User) -> None:
    answer = api(alice).post("/api/v1/image/async", {"prompt": "a boat", "steps": 30}, JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "engine_unavailable")
    assert "BACKENDS_IMAGES" in answer.json()["detail"]
    faulty = api(alice).post("/api/v1/image/async", {"prompt": "a boat", "width": 9, "height": 9}, JSON)
    assert [fault["pointer"] for fault in faulty.json()["errors"]] == ["/size"]


def test_speech_by_address_is_our_task(api: MakeClient, alice: User) -> None:
    url = "https://example.com/notice.ogg"
    answer = api(alice).post("/api/v1/speech/async", {"audio_url": url, "language": "en"}, JSON)
    assert (answer.status_code, answer.json()["status"]) == (200, "QUEUED")
    task = Task.objects.get(pk=answer.json()["task_id"])
    assert (task.type, task.content.input) == ("speech.transcribe", {"url": url, "language": "en"})


def test_recording_is_taken_from_a_form(api: MakeClient, alice: User) -> None:
    recording = SimpleUploadedFile("notice.ogg", SPOKEN.read_bytes())
    answer = api(alice).post("/api/v1/speech/async", {"file": recording, "language": "en"})
    assert answer.status_code == 200, answer.content
    task = Task.objects.get(pk=answer.json()["task_id"])
    file = File.objects.get()
    assert (file.owner, file.name, task.content.input["file"]) == (alice, "notice.ogg", str(file.pk))


def test_refused_recording_is_not_kept(api: MakeClient, alice: User) -> None:
    client = api(alice)
    answer = client.post("/api/v1/speech/async", {"file": SimpleUploadedFile("a.txt", b"no sound in here")})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/file")
    assert client.post("/api/v1/speech/async", {"language": "en"}).json()["errors"][0]["code"] == "missing"
    assert not File.objects.exists()


def test_repeated_key_keeps_one_recording(api: MakeClient, make_user: Callable[..., User]) -> None:
    # There is room for one, and no second one is needed.
    carol = make_user("carol", file_bytes=SPOKEN.stat().st_size)

    def send() -> Any:
        recording = SimpleUploadedFile("notice.ogg", SPOKEN.read_bytes())
        return api(carol).post("/api/v1/speech/async", {"file": recording}, headers={"Idempotency-Key": "once"})

    first, again = send(), send()
    assert first.json()["task_id"] == again.json()["task_id"]
    assert again["Idempotency-Replayed"] == "true"
    assert (Task.objects.count(), File.objects.count()) == (1, 1)
