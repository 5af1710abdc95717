"""The checker of histories: each thing that a client must never be told is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.history import History, Unexplained

Tell = Callable[[History], None]


def seen(status: str, task: str = "a", *, version: int = 9, result: Any = None) -> dict[str, Any]:
    return {"id": task, "status": status, "result": result, "error": None, "version": version}


def told(*, server_crashes: bool = False) -> History:
    """One task that is done, and one that was cancelled while it waited."""
    history = History(server_crashes=server_crashes)
    for _ in range(2):
        history.accept("k", ["a", "b"])
    for status, version in (("queued", 1), ("running", 3), ("scheduled", 4), ("running", 7)):
        history.see(seen(status, version=version), "poll")
    history.see(seen("succeeded", result=1), "poll")
    history.cancel(seen("cancelled", "b"))
    return history


def final() -> dict[str, dict[str, Any]]:
    return {"a": seen("succeeded", result=1), "b": seen("cancelled", "b")}


def _saw_before(history: History, task: str, *statuses: str) -> None:
    history.seen[task][:0] = [seen(status, task, version=1) for status in statuses]


# What else a client was told, or another end: each by itself is wrong.
TOLD: dict[str, Tell] = {
    "accepted and lost": lambda history: history.accept("l", ["c"]),
    "gave": lambda history: history.accept("k", ["a", "c"]),
    "no moves lead there": lambda history: _saw_before(history, "b", "cancelling", "queued"),
    "a version was taken back": lambda history: history.seen["a"].insert(2, seen("running", version=2)),
    "an end has changed": lambda history: history.see(seen("succeeded", result=2), "poll"),
    "was to be cancelled": lambda history: history.cancelled.update(a="cancelled"),
}
ENDS: dict[str, dict[str, dict[str, Any]]] = {
    "has not ended": {"a": seen("succeeded", result=1), "b": seen("queued", "b")},
    "that nobody was told of": final() | {"c": seen("succeeded", "c")},
    "an end has changed": final() | {"a": seen("succeeded", result=2)},
}


def test_what_follows_is_explained() -> None:
    told().explain(final())


@pytest.mark.parametrize("words", TOLD)
def test_answer_that_the_end_does_not_explain_is_noticed(words: str) -> None:
    def tell() -> None:
        history = told()
        TOLD[words](history)
        history.explain(final())

    with pytest.raises(Unexplained, match=words):
        tell()


@pytest.mark.parametrize("words", ENDS)
def test_end_that_does_not_explain_the_answers_is_noticed(words: str) -> None:
    with pytest.raises(Unexplained, match=words):
        told().explain(ENDS[words])


@pytest.mark.parametrize("server_crashes", [False, True])
def test_cancelled_task_is_under_way_again_only_where_the_server_crashes(server_crashes: bool) -> None:
    history = told(server_crashes=server_crashes)
    history.see(seen("queued", "b"), "poll")
    try:
        history.explain(final())
    except Unexplained:
        assert not server_crashes
    else:
        assert server_crashes
