"""Calls an OpenAI-compatible chat server and yields its answer as it is written.

Source: the "Chat completions" of OpenAI's API reference, as llama.cpp, vLLM and others serve them.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tasks.backends.addresses import configured
from tasks.errors import BackendBusy, BackendError, GiveUp, Retry
from tasks.registry import Readiness

CONNECT_SECONDS = 5.0
# Between two pieces of an answer; a long prompt is read before the first.
SILENCE_SECONDS = 180.0
MAX_ANSWER_CHARACTERS = 2_000_000
MAX_MESSAGE_CHARACTERS = 300
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Piece:
    """A piece of the answer; the last ones carry why it ended and the tokens used."""

    text: str = ""
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str = ""
    fingerprint: str = ""


def readiness() -> Readiness:
    """Tell whether a chat server is set up, and whether it is the one that comes with `make run`."""
    urls = configured("chat")
    if not urls:
        hint = "Set BACKENDS_CHAT to the address of an OpenAI-compatible server, like http://gpu1:8000/v1."
        return Readiness("unavailable", hint=hint)
    if all(is_local(url) for url in urls):
        return Readiness("embedded", "model server on this machine (make run: SmolLM2-135M, a demo model)")
    return Readiness("backend", ", ".join(urlsplit(url).netloc.rpartition("@")[2] for url in urls))


def is_local(url: str) -> bool:
    """Return whether a server is on this machine."""
    return urlsplit(url).hostname in LOOPBACK


def first_model(base_url: str) -> str:
    """Return the model that a server names first.

    Raises:
        BackendError, BackendBusy: the server does not answer or is busy.
    """
    with _client(base_url) as client, _translated():
        answer = client.get(f"{base_url}/models")
        _check_status(answer, "")
        models = answer.json().get("data") or []
        return str(models[0]["id"]) if models else "default"


def stream_chat(
    base_url: str, *, model: str, messages: Sequence[Mapping[str, str]], options: Mapping[str, Any]
) -> Generator[Piece, None, None]:
    """Yield the answer piece by piece. Close the iterator to stop the server's work.

    Args:
        options: further fields of the request (max_tokens, temperature, seed).

    Raises:
        BackendError: refused, not reached, silent, or the answer broke off.
        BackendBusy, Retry: the server has no room now.
        GiveUp: the server says that the request is wrong.
    """
    body = {
        "model": model,
        "messages": list(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        **options,
    }
    address = f"{base_url}/chat/completions"
    with _translated(), _client(base_url) as client, client.stream("POST", address, json=body) as answer:
        if answer.is_error:
            answer.read()
        _check_status(answer, model)
        yield from _read_pieces(answer.iter_lines())


def _read_pieces(lines: Iterator[str]) -> Iterator[Piece]:
    finished, length = False, 0
    for line in lines:
        field, _, value = line.partition(":")
        # Comments keep the connection open; other fields of an event stream say nothing here.
        if field != "data" or not value.strip():
            continue
        if value.strip() == "[DONE]":
            finished = True
            break
        piece = _parse(value)
        finished = finished or piece.finish_reason is not None
        length += len(piece.text)
        if length > MAX_ANSWER_CHARACTERS:
            raise BackendError("The model server did not stop writing.")
        yield piece
    if not finished:
        # A server that is killed ends its stream without an error.
        raise BackendError("The model server broke off in the middle of its answer.")


def _parse(value: str) -> Piece:
    try:
        data = json.loads(value)
        if error := data.get("error"):
            message = error.get("message") if isinstance(error, dict) else error
            raise BackendError(f"The model server failed: {str(message)[:MAX_MESSAGE_CHARACTERS]}")
        choice = (data.get("choices") or [{}])[0]
        usage = data.get("usage") or {}
        return Piece(
            text=(choice.get("delta") or {}).get("content") or "",
            finish_reason=choice.get("finish_reason"),
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
            model=data.get("model") or "",
            fingerprint=data.get("system_fingerprint") or "",
        )
    except (ValueError, AttributeError, TypeError, LookupError) as error:
        raise BackendError("The model server sent something that is no chat answer.") from error


def _check_status(answer: httpx.Response, model: str) -> None:
    if not answer.is_error:
        return
    if answer.status_code in {429, 503}:
        if (after := answer.headers.get("retry-after", "")).isdigit():
            raise Retry("The model server is busy and says when to come again.", after=float(after))
        raise BackendBusy
    message = _message_of(answer)
    if answer.status_code == 404 and model:
        raise GiveUp(f"The model server does not know the model {model!r}. {message}".strip())
    if answer.status_code in {400, 413, 422}:
        raise GiveUp(f"The model server refused the request. {message}".strip())
    raise BackendError(f"The model server answered with HTTP status {answer.status_code}. {message}".strip())


def _message_of(answer: httpx.Response) -> str:
    try:
        error = answer.json()["error"]
        return str(error["message"] if isinstance(error, dict) else error)[:MAX_MESSAGE_CHARACTERS]
    except (ValueError, LookupError, TypeError):
        return ""


def _client(base_url: str) -> httpx.Client:
    timeout = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
    # A proxy of the environment does not lead to this machine.
    return httpx.Client(timeout=timeout, trust_env=not is_local(base_url), follow_redirects=False)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx.ConnectError as error:
        raise BackendError("The model server cannot be reached.") from error
    except httpx.TimeoutException as error:
        raise BackendError("The model server did not answer in time.") from error
    except httpx.HTTPError as error:
        raise BackendError("The connection to the model server broke.") from error
