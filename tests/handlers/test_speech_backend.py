"""speech.transcribe through a speech server: what is sent, what is made of the answer. The server is the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.backends import directory
from tasks.engines import chinese_script
from tasks.errors import ServerFailed
from tasks.registry import get_type
from tasks.testing import SAMPLES, FolderContext, run
from tests.serving import serving

SEGMENTS = [{"start": 0.0, "end": 4.0, "text": " Guten Tag."}, {"start": 4.0, "end": 99.0, "text": " Ende."}]


class SpeechServer(ThreadingHTTPServer):
    """Answers every recording with `answer`, and keeps what was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: object = {"text": " Guten Tag. Ende.", "language": "german", "segments": SEGMENTS}
        self.paths: list[str] = []
        self.fields: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: SpeechServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = message_from_bytes(head + body, policy=policy.HTTP)
        self.server.paths.append(self.path)
        self.server.fields = {
            str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True))
            for part in form.iter_parts()
        }
        answer = json.dumps(self.server.answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def speech(settings: Any, db: None) -> Iterator[SpeechServer]:
    with serving(SpeechServer()) as server:
        settings.BACKENDS_SPEECH = [server.url]
        directory.forget()
        yield server
    directory.forget()


def test_a_speech_server_understands_other_languages(speech: SpeechServer, tmp_path: Path) -> None:
    ctx = FolderContext(tmp_path, backends={"speech": speech.url})
    result = run("speech.transcribe", ctx, file=str(ctx.add_sample("notice.ogg")), language="de")

    assert (result["text"], result["language"]) == ("Guten Tag. Ende.", "german")
    assert [segment["text"] for segment in result["segments"]] == ["Guten Tag.", "Ende."]
    assert result["segments"][1]["end"] == result["duration_seconds"] < 13
    assert "Guten Tag." in result["srt"]
    assert result["engine"]["kind"] == "backend"
    assert speech.paths == ["/v1/audio/transcriptions"]
    assert speech.fields["file"] == (SAMPLES / "notice.ogg").read_bytes()
    assert (speech.fields["language"], speech.fields["response_format"]) == (b"de", b"verbose_json")


def test_a_server_that_tells_no_times_gives_one_segment(speech: SpeechServer, tmp_path: Path) -> None:
    speech.answer = {"text": "Bonjour."}
    ctx = FolderContext(tmp_path, backends={"speech": speech.url})
    result = run("speech.transcribe", ctx, file=str(ctx.add_sample("notice.ogg")), language="auto")

    assert [(segment["start"], segment["text"]) for segment in result["segments"]] == [(0.0, "Bonjour.")]
    assert "language" not in speech.fields


@pytest.mark.parametrize("answer", [[], {"error": "none"}, {"text": "a", "segments": [{"start": "x"}]}])
def test_nonsense_is_the_servers_failure(speech: SpeechServer, tmp_path: Path, answer: object) -> None:
    speech.answer = answer
    ctx = FolderContext(tmp_path, backends={"speech": speech.url})

    with pytest.raises(ServerFailed):
        run("speech.transcribe", ctx, file=str(ctx.add_sample("notice.ogg")))


def test_with_a_server_the_type_says_so(speech: SpeechServer) -> None:
    readiness = get_type("speech.transcribe").readiness()

    assert (readiness.state, readiness.ready) == ("backend", True)


@pytest.mark.parametrize(
    ("language", "heard", "asked", "written", "is_told"),
    [
        ("chinese", "幾條頭髮，廣州", "simplified", "几条头发，广州", False),
        ("zh", "头发和发展", "traditional", "頭髮和發展", False),
        ("zh", "幾條頭髮", "as heard", "幾條頭髮", True),
        ("zh", "人口很多", "as heard", "人口很多", False),
        ("japanese", "國の話", "simplified", "國の話", False),
        ("zh", "國の話", "simplified", "國の話", False),
    ],
)
def test_chinese_is_written_in_the_characters_asked_for(
    speech: SpeechServer, tmp_path: Path, language: str, heard: str, asked: str, written: str, is_told: bool
) -> None:
    speech.answer = {"text": heard, "language": language, "segments": [{"start": 0.0, "end": 4.0, "text": heard}]}
    ctx = FolderContext(tmp_path, backends={"speech": speech.url})
    result = run("speech.transcribe", ctx, file=str(ctx.add_sample("notice.ogg")), script=asked)

    assert result["text"] == result["segments"][0]["text"] == written
    assert written in result["srt"]
    assert any("traditional" in warning for warning in result["warnings"]) == is_told


def test_characters_that_nothing_here_can_write_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chinese_script, "is_available", lambda: False)
    with pytest.raises(ValidationError, match="OpenCC is not installed"):
        get_type("speech.transcribe").input.model_validate(
            {"file": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c004", "script": "simplified"}
        )
