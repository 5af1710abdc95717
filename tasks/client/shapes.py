"""The objects of the API as the client's users see them: plain dictionaries with known keys."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Task(TypedDict):
    """A task; every key is always there. See docs/api.md."""

    id: str
    type: str
    status: str
    done: bool
    version: int
    input: Any
    result: Any
    error: dict[str, Any] | None
    priority: dict[str, Any]
    progress: dict[str, Any]
    queue: dict[str, Any]
    attempts: dict[str, Any]
    engine: dict[str, Any] | None
    usage: dict[str, Any]
    metadata: dict[str, Any]
    tags: list[str]
    batch: str | None
    needs: list[str]
    copy_of: str | None
    run_after: str | None
    start_before: str | None
    timeout: int
    keep_until: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    urls: dict[str, str]


class File(TypedDict):
    id: str
    name: str
    size: int
    content_type: str
    sha256: str
    task: str | None
    created_at: str
    urls: dict[str, str]


class Batch(TypedDict):
    """`items` has the id or the problem of each task, in the order given; lists of batches come without."""

    id: str
    name: str
    done: bool
    total: int
    refused: int
    counts: dict[str, int]
    items: NotRequired[list[dict[str, Any]]]
    created_at: str
    urls: dict[str, str]


class ItemResult(TypedDict):
    """What came of one item of a batch; `index` is its place in the batch, from 0."""

    index: int
    id: str | None
    status: str | None
    result: Any
    error: dict[str, Any] | None
