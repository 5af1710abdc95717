"""Asks an OpenAI-compatible server to draw images.

Source: "Images" (`/v1/images/generations`) of OpenAI's API reference, as LocalAI, stable-diffusion.cpp and others
serve it. An image comes in the answer (`b64_json`), or by an address that is fetched from here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

from tasks.backends.wire import post_json, read_body, translated
from tasks.context import Server
from tasks.errors import FetchFailed, InputTooLarge, ServerFailed, UrlRefused
from tasks.outbound import fetch

MAX_IMAGE_BYTES = 32 * 1024 * 1024
MAX_ANSWER_BYTES = 160 * 1024 * 1024
FETCH_SECONDS = 60.0


def draw(
    server: Server, *, prompt: str, size: str, count: int, seed: int | None, check: Callable[[], None]
) -> list[bytes]:
    """Return `count` image files as the server made them; nobody has looked at them yet.

    Servers that draw one image at a time are asked again, with the next seed.

    Args:
        size: like 1024x1024.

    Raises:
        ServerFailed: the server failed, or sent something else than images.
        GiveUp: the server says that the request is wrong.
    """
    images: list[bytes] = []
    while len(images) < count:
        check()
        body: dict[str, Any] = {
            "prompt": prompt,
            "size": size,
            "n": count - len(images),
            "response_format": "b64_json",
        }
        if server.models:
            body["model"] = server.models[0]
        if seed is not None:
            body["seed"] = seed + len(images)
        images += _read_images(server, post_json(server, "/images/generations", body, most_bytes=MAX_ANSWER_BYTES))
    return images[:count]


def _read_images(server: Server, answer: Any) -> list[bytes]:
    try:
        rows = [(row.get("b64_json"), row.get("url")) for row in answer["data"]]
    except (TypeError, LookupError, AttributeError) as error:
        raise ServerFailed("The model server sent something that is not a list of images.", why="nonsense") from error
    if not rows:
        raise ServerFailed("The model server sent no image.", why="nonsense")
    return [_decode(coded) if coded else _fetch(server, url) for coded, url in rows]


def _decode(coded: object) -> bytes:
    if not isinstance(coded, str) or len(coded) > MAX_IMAGE_BYTES * 4 // 3 + 4:
        raise ServerFailed("The model server sent an image that is too large, or none.", why="nonsense")
    try:
        return base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ServerFailed("The model server sent an image that cannot be decoded.", why="nonsense") from error


def _fetch(server: Server, url: object) -> bytes:
    if not isinstance(url, str) or not url:
        raise ServerFailed("The model server sent neither an image nor its address.", why="nonsense")
    if url.startswith("data:"):
        return _decode(url.partition(",")[2])
    absolute = urljoin(f"{server.base_url}/", url)
    if _place(absolute) == _place(server.base_url):
        # Its own files, with its own key; a redirect elsewhere is not followed.
        with translated(), server.client.stream("GET", absolute) as answer:
            return read_body(answer, most_bytes=MAX_IMAGE_BYTES)
    try:
        return fetch.get(absolute, max_bytes=MAX_IMAGE_BYTES, timeout_seconds=FETCH_SECONDS, accept="image/*").body
    except (FetchFailed, UrlRefused, InputTooLarge) as error:
        raise ServerFailed(f"The image that the model server names was not fetched. {error.message}") from error


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
