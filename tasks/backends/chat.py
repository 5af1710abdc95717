"""Asks an OpenAI-compatible chat server, about pictures too, and yields its answer as it is written.

Source: the "Chat completions" of OpenAI's API reference, as llama.cpp, vLLM, Ollama and others serve them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from tasks.backends import directory
from tasks.backends.pool import names_of, none_set_up
from tasks.backends.wire import check_status, read_json, translated
from tasks.context import Server
from tasks.errors import ServerFailed
from tasks.registry import EngineInfo, Readiness

MAX_ANSWER_CHARACTERS = 2_000_000
MAX_MESSAGE_CHARACTERS = 300


@dataclass(frozen=True)
class Piece:
    """A piece of the answer; the last ones carry why it ended and the tokens used."""

    text: str = ""
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str = ""
    fingerprint: str = ""


@dataclass
class ChatAnswer:
    """The pieces so far, put together."""

    parts: list[str] = field(default_factory=list)
    finish_reason: str = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str = ""
    fingerprint: str = ""

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def add(self, piece: Piece) -> None:
        """Put the next piece to the others."""
        self.parts.append(piece.text)
        self.finish_reason = piece.finish_reason or self.finish_reason
        self.model = piece.model or self.model
        self.fingerprint = piece.fingerprint or self.fingerprint
        if piece.completion_tokens is not None:
            self.prompt_tokens, self.completion_tokens = piece.prompt_tokens, piece.completion_tokens

    def engine(self, server: Server) -> EngineInfo:
        """Return what wrote the answer."""
        return EngineInfo(
            name=self.model, version=self.fingerprint or "not told", kind="backend", note=f"at {server.name}"
        )


def readiness() -> Readiness:
    """Tell whether a chat server is set up, and whether it is just the one that comes with `make run`."""
    servers = [server for server in directory.servers("chat") if server.enabled]
    if not servers:
        return Readiness("unavailable", hint=none_set_up("chat"))
    if all(server.is_demo for server in servers):
        model = "SmolLM2-135M, a demo model that reads English only"
        return Readiness("embedded", f"model server on this machine (make run: {model})")
    return Readiness("backend", names_of([server for server in servers if not server.is_demo]))


def has_demo_only() -> bool:
    """Return whether the demo model of `make run` is all there is."""
    servers = [server for server in directory.servers("chat") if server.enabled]
    return bool(servers) and all(server.is_demo for server in servers)


def knows_model(model: str) -> bool:
    """Return whether a chat server has a model, or may have it: one that did not tell its models yet."""
    servers = directory.servers("chat")
    return not servers or any(server.has_model(model) for server in servers)


def known_models() -> list[str]:
    """Return the models that chat servers are known to have."""
    return sorted({model for server in directory.servers("chat") for model in server.models or ()})


def first_model(server: Server) -> str:
    """Return the model that a server is set up for, or names first.

    Raises:
        ServerFailed: the server does not answer, or is busy.
    """
    if server.models:
        return server.models[0]
    with translated(), server.client.stream("GET", f"{server.base_url}/models") as answer:
        data = read_json(answer)
    try:
        return str(data["data"][0]["id"])
    except (TypeError, LookupError):
        # Servers of one model often take any name.
        return "default"


def ask_chat(
    server: Server,
    *,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    on_piece: Callable[[Piece], None],
) -> ChatAnswer:
    """Return the whole answer. `on_piece` gets each piece as it comes, and may raise to stop the server's work.

    Raises:
        ServerFailed, GiveUp: see `stream_chat`.
    """
    answer = ChatAnswer(model=model)
    with closing(stream_chat(server, model=model, messages=messages, options=options)) as pieces:
        for piece in pieces:
            on_piece(piece)
            answer.add(piece)
    return answer


def stream_chat(
    server: Server, *, model: str, messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> Generator[Piece, None, None]:
    """Yield the answer piece by piece. Close the iterator to stop the server's work.

    Args:
        options: further fields of the request (max_tokens, temperature, seed).

    Raises:
        ServerFailed: refused, busy, not reached, silent, or the answer broke off.
        GiveUp: the server says that the request is wrong.
    """
    body = {
        "model": model,
        "messages": list(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        **options,
    }
    with translated(), server.client.stream("POST", f"{server.base_url}/chat/completions", json=body) as answer:
        check_status(answer)
        yield from _read_pieces(answer.iter_lines())


def _read_pieces(lines: Iterator[str]) -> Iterator[Piece]:
    finished, length = False, 0
    for line in lines:
        field_name, _, value = line.partition(":")
        # Comments keep the connection open; other fields of an event stream say nothing here.
        if field_name != "data" or not value.strip():
            continue
        if value.strip() == "[DONE]":
            finished = True
            break
        piece = _parse(value)
        finished = finished or piece.finish_reason is not None
        length += len(piece.text)
        if length > MAX_ANSWER_CHARACTERS:
            raise ServerFailed("The model server did not stop writing.", why="nonsense", elsewhere=False)
        yield piece
    if not finished:
        # A server that is killed ends its stream without an error.
        raise ServerFailed("The model server broke off in the middle of its answer.", why="broken_off")


def _parse(value: str) -> Piece:
    try:
        data = json.loads(value)
        if error := data.get("error"):
            message = error.get("message") if isinstance(error, dict) else error
            raise ServerFailed(f"The model server failed: {str(message)[:MAX_MESSAGE_CHARACTERS]}")
        choice = (data.get("choices") or [{}])[0]
        usage = data.get("usage") or {}
        text = (choice.get("delta") or {}).get("content") or ""
        if not isinstance(text, str):
            raise TypeError("the content is no text")
        return Piece(
            text=text,
            finish_reason=choice.get("finish_reason"),
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
            model=data.get("model") or "",
            fingerprint=data.get("system_fingerprint") or "",
        )
    except (ValueError, AttributeError, TypeError, LookupError, RecursionError) as error:
        raise ServerFailed("The model server sent something that is not a chat answer.", why="nonsense") from error
