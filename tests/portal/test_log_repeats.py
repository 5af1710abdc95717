"""A loop that meets the same fault again and again fills no log, and hides none of it."""

from __future__ import annotations

import gc
import io
import logging
import time
import weakref
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from portal import log_repeats
from portal.log_format import LineFormatter
from portal.log_repeats import RepeatsHandler
from tests.cluster.conftest import wait_until

logger = logging.getLogger("tests.repeats")


class Trouble(ValueError):
    """One that can be referred to weakly."""


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the handler of the settings writes of this logger."""
    configured: dict[str, Any] = settings.LOGGING
    assert import_string(configured["handlers"]["stderr"]["class"]) is RepeatsHandler
    handler = RepeatsHandler()
    handler.setFormatter(LineFormatter("%(name)s  %(message)s"))
    handler.setStream(io.StringIO())
    logger.addHandler(handler)
    yield handler.stream
    logger.removeHandler(handler)


def end_of_process() -> None:
    logger.handlers[0].close()


def fail(task: int, error: type[Exception] = ValueError) -> None:
    try:
        raise error(f"no {task}")
    except Exception:
        logger.exception("could not do %s", task)


def test_traceback_that_repeats_is_written_once_with_a_count(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    for task in range(1000):
        fail(task)
    assert written.getvalue().count("Traceback") == 1
    end_of_process()
    assert "could not do 999 (and 999 times more in the last 5 s)" in written.getvalue()


def test_count_is_told_by_whatever_is_written_next(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    for task in range(3):
        fail(task)
    clock += 6
    logger.warning("all is well")
    lines = [line for line in written.getvalue().splitlines() if "tests.repeats" in line]
    assert [line.split("  ", 1)[1] for line in lines] == [
        "could not do 0", "could not do 2 (and 2 times more in the last 5 s)", "all is well",
    ]  # fmt: skip
    fail(4)
    assert written.getvalue().count("Traceback") == 2


def test_different_troubles_are_all_written(written: io.StringIO) -> None:
    fail(1)
    fail(2, KeyError)
    logger.warning("the worker %s is gone", 1)
    logger.warning("the worker %s is gone", 2)
    assert written.getvalue().count("Traceback") == 2
    assert written.getvalue().count("is gone") == 2


def test_news_that_repeat_are_all_written(written: io.StringIO) -> None:
    logger.setLevel(logging.INFO)
    for _ in range(3):
        logger.info("attempt 1 succeeded")
    assert written.getvalue().count("succeeded") == 3


def test_second_of_two_is_written_in_full(written: io.StringIO) -> None:
    fail(1)
    fail(2)
    end_of_process()
    assert written.getvalue().count("Traceback") == 2
    assert "times more" not in written.getvalue()


@pytest.mark.parametrize(("message", "args"), [("a %s %s", (1,)), ("%d", ("x",))], ids=["too few", "no number"])
def test_message_that_cannot_be_made_stops_nobody(
    written: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    message: str,
    args: tuple[object, ...],
) -> None:
    # pytest's own handlers would raise.
    monkeypatch.setattr(logger, "propagate", False)
    logger.warning(message, *args)
    # Told as the logging module tells it, with the place that is to be mended.
    assert f'File "{__file__}"' in capsys.readouterr().err
    logger.warning("all is well")
    assert "all is well" in written.getvalue()


def test_message_need_not_be_text(written: io.StringIO) -> None:
    for _ in range(2):
        try:
            raise ValueError("no")
        except ValueError:
            logger.exception({"task": 1})
    end_of_process()
    assert written.getvalue().count("{'task': 1}") == 2


def test_message_that_cannot_be_made_twice_stops_nobody_later(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "propagate", False)
    for _ in range(3):
        try:
            raise ValueError("no")
        except ValueError:
            logger.exception("a %s %s", 1)
    later = time.monotonic() + 6
    monkeypatch.setattr(time, "monotonic", lambda: later)
    logger.warning("all is well")
    assert written.getvalue().endswith("all is well\n")


def test_count_is_told_though_nothing_else_is_written(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_repeats, "QUIET_SECONDS", 2.0)
    for task in range(3):
        fail(task)
    wait_until(lambda: "could not do 2 (and 2 times more in the last 2 s)" in written.getvalue(), what="the count")
    for task in range(3):
        fail(task)
    wait_until(lambda: written.getvalue().count("could not do 2 (and 2 times more") == 2, what="the next count")


def test_what_failed_is_not_kept_until_the_count_is_told(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    # pytest keeps all records.
    monkeypatch.setattr(logger, "propagate", False)
    kept = []
    for task in range(3):
        error = Trouble(f"no {task}")
        kept.append(weakref.ref(error))
        try:
            raise error
        except Trouble:
            logger.exception("could not do %s", task)
        try:
            raise error
        except Trouble:
            logger.warning("not done: %s", error)
        del error
    gc.collect()
    assert [error() for error in kept] == [None, None, None]
    end_of_process()
    assert "could not do 2 (and 2 times more" in written.getvalue()


def test_count_is_told_without_the_row_that_a_database_quotes(written: io.StringIO) -> None:
    logger.handlers[0].setFormatter(LineFormatter("%(message)s"))
    # In a traceback, the line that raises is shown.
    row = "(first secret\nsecond secret)"
    for _ in range(3):
        try:
            raise psycopg.Error(f"it broke\nDETAIL:  Failing row contains {row}.")
        except psycopg.Error as error:
            logger.exception("not stored: %s", error)
    end_of_process()
    assert "not stored: it broke (and 2 times more" in written.getvalue()
    assert "secret" not in written.getvalue()
