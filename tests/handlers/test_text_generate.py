"""text.generate, with the real embedded model server, and with a small server that misbehaves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from portal.launch.run.ports import free_port
from tasks.backends import chat, directory
from tasks.engines import smollm2
from tasks.errors import BackendError, CancelRequested, GiveUp, InvalidInput, ServerFailed
from tasks.registry import get_type
from tasks.testing import FolderContext, run
from tests.handlers.chat_server import PIECES, STREAMS, ChatServer, running_chat_server


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with running_chat_server() as server:
        yield server


@pytest.fixture
def ctx(server: ChatServer, tmp_path: Path) -> FolderContext:
    return FolderContext(tmp_path, backends={"chat": server.base_url})


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    """The address of a real model server, started for these tests."""
    port = free_port()
    command = [sys.executable, "-m", "portal.launch.run.model_server", "--port", str(port)]
    with subprocess.Popen(
        command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the model server did not start")


def test_the_embedded_model_writes_and_every_piece_is_streamed(model_url: str, tmp_path: Path) -> None:
    ctx = FolderContext(tmp_path, backends={"chat": model_url})
    result = run("text.generate", ctx, prompt="Write one sentence about lighthouses.", max_tokens=40, seed=7)

    assert len(result["text"].split()) > 5
    assert "".join(ctx.emitted) == result["text"]
    assert len(ctx.emitted) > 5
    assert 0 < result["tokens"]["completion"] <= 40
    assert result["tokens"]["prompt"] > 5
    assert result["finish_reason"] in {"stop", "length"}
    assert result["model"] == smollm2.MODEL
    assert (result["engine"]["kind"], result["engine"]["sha256"]) == ("embedded", smollm2.WEIGHTS_SHA256)


def test_the_same_seed_gives_the_same_text_and_a_limit_ends_it(model_url: str, tmp_path: Path) -> None:
    ctx = FolderContext(tmp_path, backends={"chat": model_url})
    conversation = [
        {"role": "system", "content": "Answer in a few words."},
        {"role": "user", "content": "Count to ten."},
    ]
    first, second = (run("text.generate", ctx, messages=conversation, max_tokens=8, seed=3) for _ in range(2))

    assert first["text"] == second["text"]
    assert first["finish_reason"] == "length"
    assert first["tokens"]["completion"] == 8


def test_a_prompt_larger_than_the_model_takes_is_refused_with_the_reason(model_url: str, tmp_path: Path) -> None:
    ctx = FolderContext(tmp_path, backends={"chat": model_url})

    with pytest.raises(GiveUp, match="context size"):
        run("text.generate", ctx, prompt="tide " * 20_000)


@pytest.mark.django_db
def test_what_was_asked_is_passed_on(ctx: FolderContext, server: ChatServer) -> None:
    result = run("text.generate", ctx, prompt="Why?", model="big", max_tokens=9, temperature=0, seed=1)

    assert result["text"] == "".join(PIECES)
    assert result["tokens"] == {"prompt": 4, "completion": 3}
    assert (result["model"], result["engine"]["kind"]) == ("test-model", "backend")
    sent = server.request_body
    assert sent["messages"] == [{"role": "user", "content": "Why?"}]
    assert {name: sent[name] for name in ("model", "max_tokens", "temperature", "seed", "stream")} == {
        "model": "big", "max_tokens": 9, "temperature": 0, "seed": 1, "stream": True,
    }  # fmt: skip


@pytest.mark.parametrize(("stream", "reason"), [("without [DONE]", "length"), ("without finish_reason", "stop")])
def test_a_stream_with_either_end_is_whole(ctx: FolderContext, server: ChatServer, stream: str, reason: str) -> None:
    server.stream = STREAMS[stream]

    assert run("text.generate", ctx, prompt="Why?")["finish_reason"] == reason


@pytest.mark.parametrize("stream", ["broken off", "error", "nonsense", "no object"])
def test_a_stream_without_its_end_is_a_failure(ctx: FolderContext, server: ChatServer, stream: str) -> None:
    server.stream = STREAMS[stream]

    with pytest.raises(BackendError):
        run("text.generate", ctx, prompt="Why?")


@pytest.mark.parametrize(
    ("status", "why"), [(429, "busy"), (503, "failed"), (404, "missing"), (401, "key"), (500, "failed")]
)
def test_each_http_error_has_its_meaning(ctx: FolderContext, server: ChatServer, status: int, why: str) -> None:
    server.status = status

    with pytest.raises(ServerFailed) as caught:
        run("text.generate", ctx, prompt="Why?")
    assert caught.value.why == why


def test_a_request_that_the_server_refuses_is_not_tried_again(ctx: FolderContext, server: ChatServer) -> None:
    server.status = 400

    with pytest.raises(GiveUp, match="moon"):
        run("text.generate", ctx, prompt="Why?")


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_when_to_come_again_is_left_alone_until_then(
    ctx: FolderContext, server: ChatServer, status: int
) -> None:
    server.status, server.headers = status, {"Retry-After": "17"}

    with pytest.raises(ServerFailed) as caught:
        run("text.generate", ctx, prompt="Why?")
    assert (caught.value.why, caught.value.after) == ("busy", 17)


def test_a_server_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"

    with pytest.raises(BackendError, match="cannot be reached"):
        run("text.generate", FolderContext(tmp_path, backends={"chat": url}), prompt="Why?")


def test_it_stops_between_pieces_when_cancelled(server: ChatServer, tmp_path: Path) -> None:
    def cancel() -> None:
        raise CancelRequested

    with pytest.raises(CancelRequested):
        run("text.generate", FolderContext(tmp_path, backends={"chat": server.base_url}, check=cancel), prompt="Why?")


@pytest.mark.parametrize(
    ("faulty", "pointer"),
    [
        ({}, "/input"),
        ({"prompt": "a", "messages": [{"role": "user", "content": "b"}]}, "/input"),
        ({"prompt": "  "}, "/input"),
        ({"messages": [{"role": "wizard", "content": "b"}]}, "/input/messages/0/role"),
        ({"prompt": "a", "max_tokens": 0}, "/input/max_tokens"),
        ({"prompt": "a", "temperature": 3}, "/input/temperature"),
    ],
)
def test_a_faulty_input_is_refused_with_its_place(faulty: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        get_type("text.generate").validate(faulty)

    assert caught.value.errors[0]["pointer"] == pointer


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("urls", "state"),
    [([], "unavailable"), (["http://127.0.0.1:9/v1"], "embedded"), (["http://gpu1:8000/v1"], "backend")],
)
def test_readiness_follows_the_servers_that_are_set_up(
    settings: pytest.FixtureRequest, urls: list[str], state: str
) -> None:
    settings.BACKENDS_CHAT = urls  # type: ignore[attr-defined]

    assert chat.readiness().state == state
    assert chat.readiness().engine or chat.readiness().hint


def test_a_prompt_that_the_demo_model_cannot_read_is_refused_before_it_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    demo = directory.Listed("chat", 1, "demo", "http://127.0.0.1:1/v1", models=(smollm2.MODEL,))
    monkeypatch.setattr(directory, "servers", lambda kind: [demo])
    definition = get_type("text.generate")
    for said in ({"prompt": "用一句话介绍灯塔。"}, {"messages": [{"role": "user", "content": "Что такое маяк?"}]}):
        with pytest.raises(InvalidInput, match="reads English only") as caught:
            definition.validate(said)
        assert caught.value.errors[0]["code"] == "language_unavailable"
    definition.validate({"prompt": "What does 你好 mean? Übersetze es auf Deutsch."})
    assert "English only" in definition.readiness().engine

    # With a server of one's own everything goes there.
    own = directory.Listed("chat", 2, "own", "http://10.0.0.1/v1", models=("qwen",))
    monkeypatch.setattr(directory, "servers", lambda kind: [demo, own])
    definition.validate({"prompt": "用一句话介绍灯塔。"})
