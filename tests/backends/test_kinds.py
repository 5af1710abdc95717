"""Each kind of server: what is sent, what is made of the answer, what is refused. No database."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from tasks.backends import embeddings, images, plain, speech
from tasks.backends.wire import connected
from tasks.context import Server
from tasks.engines import smollm2
from tasks.engines.matching import parse_question
from tasks.engines.passages import Source, split_source
from tasks.engines.retrieval import Index
from tasks.errors import GiveUp, InvalidInput, ServerFailed
from tasks.registry import get_type
from tasks.testing import SAMPLES, FolderContext, run
from tests.backends.fake_server import FakeServer

CONTEXT = "The telescope stands on a hill. Its mirror was polished by Clara Winter in Jena. It weighs two tonnes."
QUESTION = "Who polished the mirror?"


def nothing() -> None:
    """Go on."""


@pytest.fixture
def server(serve: Callable[[], FakeServer]) -> FakeServer:
    return serve()


def using(server: FakeServer, kind: str, use: Callable[[Server], Any], models: tuple[str, ...] = ()) -> Any:
    with connected(kind, "test", server.base_url, "a-key", models) as chosen:
        return use(chosen)


def test_images_are_drawn_checked_and_stored(server: FakeServer, tmp_path: Path) -> None:
    ctx = FolderContext(tmp_path, backends={"images": server.base_url})
    result = run("image.generate", ctx, prompt="a teal square", size="64x64", seed=5, count=2)

    assert len(result["images"]) == 2
    assert [(file["width"], file["height"], file["format"]) for file in result["files"]] == [(64, 64, "png")] * 2
    for file in result["files"]:
        with Image.open(ctx.local_path(UUID(file["file"]))) as image:
            assert image.getpixel((3, 3)) == (0, 128, 128)
    assert server.bodies == [
        {"prompt": "a teal square", "size": "64x64", "n": 2, "response_format": "b64_json", "seed": 5}
    ]
    assert result["engine"]["kind"] == "backend"


def test_a_server_that_draws_one_at_a_time_is_asked_again_with_the_next_seed(
    server: FakeServer, tmp_path: Path
) -> None:
    server.text = "one at a time"
    result = run(
        "image.generate", FolderContext(tmp_path, backends={"images": server.base_url}), prompt="x", seed=5, count=3
    )

    assert len(set(result["images"])) == 3
    assert [body["seed"] for body in server.bodies] == [5, 6, 7]


def test_an_image_by_its_address_is_fetched_from_the_server_itself_only(server: FakeServer, tmp_path: Path) -> None:
    ctx = FolderContext(tmp_path, backends={"images": server.base_url})
    server.text = "by address"
    assert len(run("image.generate", ctx, prompt="x")["images"]) == 1

    server.text = "elsewhere"
    with pytest.raises(ServerFailed, match="not fetched"):
        run("image.generate", ctx, prompt="x")


@pytest.mark.parametrize("behaviour", ["no image", "nonsense"])
def test_what_is_no_image_is_not_stored(server: FakeServer, tmp_path: Path, behaviour: str) -> None:
    ctx = FolderContext(tmp_path, backends={"images": server.base_url})
    server.text, server.always = behaviour, "nonsense" if behaviour == "nonsense" else ""

    with pytest.raises(ServerFailed) as caught:
        run("image.generate", ctx, prompt="x")
    assert caught.value.why == "nonsense"
    assert ctx.files_of_owner() == []


@pytest.mark.parametrize(
    ("faulty", "field"),
    [({"size": "63x64"}, "size"), ({"size": "2049x64"}, "size"), ({"count": 5}, "count"), ({"prompt": " "}, "prompt")],
)
def test_a_faulty_order_of_images_is_refused(faulty: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        get_type("image.generate").validate({"prompt": "x"} | faulty)
    assert caught.value.errors[0]["pointer"] == f"/input/{field}"


def test_an_image_too_large_to_be_meant_is_refused(server: FakeServer) -> None:
    with pytest.raises(ServerFailed, match="too large"):
        images._decode("A" * (images.MAX_IMAGE_BYTES * 4 // 3 + 5))


def test_embeddings_come_in_the_order_of_the_texts_or_not_at_all(server: FakeServer) -> None:
    texts = ["x" * length for length in range(1, 100)]
    found = using(server, "embeddings", lambda chosen: embeddings.embed(chosen, texts, check=nothing))

    assert [vector[0] for vector in found.vectors] == [float(len(text)) for text in texts]
    assert [len(body["input"]) for body in server.bodies] == [64, 35]
    assert server.keys[0] == "Bearer a-key"
    server.text = "one missing"
    with pytest.raises(ServerFailed, match="each text"):
        using(server, "embeddings", lambda chosen: embeddings.embed(chosen, ["a", "b"], check=nothing))


def test_a_recording_is_sent_whole_and_its_times_are_read(server: FakeServer, tmp_path: Path) -> None:
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"RIFF sound")
    said = using(
        server,
        "speech",
        lambda chosen: speech.transcribe(chosen, recording, name="a.wav", language="de"),
        ("whisper-large",),
    )

    assert (said.text, said.language) == ("Hello there.", "en")
    assert said.segments == [(0.0, 1.5, "Hello there.")]
    form = server.bodies[0]["form"]
    assert all(part in form for part in (b"RIFF sound", b"whisper-large", b'name="language"', b"verbose_json"))


def test_a_speech_server_without_times_is_asked_for_the_text_alone(server: FakeServer, tmp_path: Path) -> None:
    server.behaviours = ["400"]
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"RIFF sound")
    said = using(server, "speech", lambda chosen: speech.transcribe(chosen, recording, name="a.wav", language="auto"))

    assert said.text == "Hello there."
    assert b"verbose_json" not in server.bodies[1]["form"]
    assert b"RIFF sound" in server.bodies[1]["form"]


def test_a_plain_service_is_called_below_its_address_only(server: FakeServer) -> None:
    assert using(server, "http", lambda chosen: plain.call_service(chosen, "POST", "/score", {"a": 1})) == {
        "score": 7,
        "asked": {"a": 1},
    }
    for path in ("//evil/score", "/../admin", "https://evil/", "score"):
        call = partial(plain.call_service, method="POST", path=path, body={})
        with pytest.raises(GiveUp):
            using(server, "http", call)


def test_a_vision_server_puts_a_picture_into_words_and_answers_what_its_text_does_not(
    server: FakeServer, tmp_path: Path
) -> None:
    server.text = "A teal harbour."
    ctx = FolderContext(tmp_path, backends={"vision": server.base_url})
    photo = ctx.add_sample("photo.jpg")
    result = run("image.analyze", ctx, file=str(photo), question="What colour is the king of Spain?")

    assert (result["caption"], result["caption_reason"]) == ("A teal harbour.", None)
    assert result["answer"] == "A teal harbour."
    assert result["text"]
    assert "test-model" in result["engine"]["note"]
    sent = server.bodies[0]["messages"][0]["content"][1]["image_url"]["url"]
    assert max(Image.open(io.BytesIO(base64.b64decode(sent.partition(",")[2]))).size) <= 1024


def test_a_vision_server_that_fails_costs_the_caption_alone(server: FakeServer, tmp_path: Path) -> None:
    server.always = "500"
    ctx = FolderContext(tmp_path, backends={"vision": server.base_url})
    result = run("image.analyze", ctx, file=str(ctx.add("photo.jpg", (SAMPLES / "photo.jpg").read_bytes())))

    assert result["caption"] is None
    assert "500" in result["caption_reason"]
    assert result["text"]


def test_a_chat_server_answers_from_the_passages_and_names_them(server: FakeServer, tmp_path: Path) -> None:
    server.text = "<think>Is it [1]?</think>It was Clara Winter [1]."
    ctx = FolderContext(tmp_path, backends={"chat": server.base_url})
    result = run("answer.complete", ctx, question=QUESTION, context=CONTEXT)

    assert (result["answer"], result["declined"]) == ("It was Clara Winter [1].", False)
    assert "Clara Winter" in result["passages"][0]["text"]
    assert result["engine"]["kind"] == "backend"
    assert "Clara Winter" in server.bodies[0]["messages"][1]["content"]


@pytest.mark.parametrize(
    ("said", "reason"), [("NOT FOUND.", "no answer"), ("Surely it was Napoleon.", "named no passage")]
)
def test_an_answer_that_rests_on_nothing_is_declined(
    server: FakeServer, tmp_path: Path, said: str, reason: str
) -> None:
    server.text = said
    ctx = FolderContext(tmp_path, backends={"chat": server.base_url})
    file = ctx.add("notes.txt", CONTEXT.encode())
    result = run("rag.query", ctx, question=QUESTION, files=[str(file)])

    assert (result["answer"], result["declined"]) == (None, True)
    assert reason in result["reason"]
    assert result["passages"]


def test_the_demo_model_never_answers_from_documents(server: FakeServer, tmp_path: Path) -> None:
    server.models = [smollm2.MODEL]
    ctx = FolderContext(tmp_path, backends={"chat": server.base_url})
    result = run("answer.complete", ctx, question=QUESTION, context=CONTEXT)

    assert result["answer"] == "Its mirror was polished by Clara Winter in Jena."
    assert result["engine"]["kind"] == "embedded"
    assert server.bodies == []


def test_an_embeddings_server_compares_the_passages_and_is_named(server: FakeServer, tmp_path: Path) -> None:
    ctx = FolderContext(tmp_path, backends={"embeddings": server.base_url})
    result = run("answer.complete", ctx, question=QUESTION, context=CONTEXT)

    assert result["answer"] == "Its mirror was polished by Clara Winter in Jena."
    assert server.bodies[0]["input"][0] == QUESTION
    assert "Clara Winter" in server.bodies[0]["input"][1]
    assert result["engine"]["note"].endswith("passages compared by test-model")


def test_the_nearer_passage_by_the_embeddings_server_is_looked_at_first() -> None:
    passages = [passage for text in ("One boat.", "Another ship.") for passage in split_source(Source(text))]
    index, question = Index(passages), parse_question("什么？")

    near = [index.find("什么？", question, count=1, closeness=told)[0].number for told in ({0: 0.9, 1: 0.1}, {1: 0.9})]
    assert near == [0, 1]
