"""Log lines tell what went wrong in the database, and not with which row."""

from __future__ import annotations

import logging
import logging.config
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection

from accounts.models import User
from tests.web.conftest import Submit

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SECRET = "first secret\nsecond secret"


@pytest.fixture
def formatter() -> logging.Formatter:
    """The one for people, of the settings."""
    configured: dict[str, Any] = settings.LOGGING
    configurator = logging.config.DictConfigurator(configured)
    made: logging.Formatter = configurator.configure_formatter(configured["formatters"]["text"])
    return made


@pytest.fixture
def violation(alice: User, submit: Submit) -> IntegrityError:
    """A real error of Postgres, whose detail is a row with what alice gave."""
    task = submit(alice)
    with pytest.raises(IntegrityError) as caught, connection.cursor() as cursor:
        cursor.execute("UPDATE task SET error = to_jsonb(%s::text), progress_stage = %s, queue_id = NULL WHERE id = %s",
                       [SECRET, SECRET, task.pk])  # fmt: skip
    assert "second secret" in str(caught.value)
    return caught.value


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    told = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("tasks", logging.ERROR, __file__, 1, message, args, told)


def test_traceback_of_a_violation_has_no_row(formatter: logging.Formatter, violation: IntegrityError) -> None:
    try:
        raise ExceptionGroup("several", [RuntimeError("no")]) from violation
    except ExceptionGroup as group:
        text = formatter.format(record("it broke", error=group))
    assert 'null value in column "queue_id"' in text
    assert text.count("IntegrityError") >= 1
    assert "Traceback" in text
    assert ("secret" in text, "DETAIL" in text) == (False, False), text


def test_message_about_a_violation_has_no_row(formatter: logging.Formatter, violation: IntegrityError) -> None:
    text = formatter.format(record("not stored: %s (%s)", violation, 7))
    assert 'null value in column "queue_id"' in text
    assert text.endswith("(7)")
    assert "secret" not in text


def test_text_of_an_error_loses_the_lines_of_its_detail(formatter: logging.Formatter) -> None:
    text = formatter.format(record("not stored: duplicate key\nDETAIL:  Key (name)=(secret) already exists.\nnext"))
    assert text.endswith("not stored: duplicate key\nnext")


def test_other_lines_stay_as_they_are(formatter: logging.Formatter) -> None:
    text = formatter.format(record("%s is %s", "it", {"a": "DETAIL: none"}))
    assert text.endswith("tasks  it is {'a': 'DETAIL: none'}")
