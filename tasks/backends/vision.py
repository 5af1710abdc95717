"""Asks a chat server that sees images what a picture shows.

Source: "Images and vision" of OpenAI's API reference: the picture travels in the message, as a data URL.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from tasks.backends.chat import ask_chat, first_model
from tasks.context import Server
from tasks.errors import ServerFailed
from tasks.registry import EngineInfo

DESCRIBE = "Describe this picture in one or two plain sentences. Say only what can be seen."
MAX_TOKENS = 300


@dataclass(frozen=True)
class Seen:
    """What a server says of a picture."""

    text: str
    engine: EngineInfo


def look(
    server: Server, picture: bytes, content_type: str, *, check: Callable[[], None], question: str = DESCRIBE
) -> Seen:
    """Return what the server says of a picture; `check` is called as it writes and may raise.

    Raises:
        ServerFailed: the server failed, or said nothing.
        GiveUp: the server says that the request is wrong.
    """
    url = f"data:{content_type};base64,{base64.b64encode(picture).decode('ascii')}"
    content = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": url}}]
    answer = ask_chat(
        server,
        model=first_model(server),
        messages=[{"role": "user", "content": content}],
        options={"max_tokens": MAX_TOKENS, "temperature": 0},
        on_piece=lambda piece: check(),
    )
    if not answer.text.strip():
        raise ServerFailed("The model server said nothing about the picture.", why="nonsense")
    return Seen(answer.text.strip(), answer.engine(server))
