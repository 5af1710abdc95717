"""docs/api.md names every kind of problem with its HTTP status, every scope and every policy."""

from __future__ import annotations

import re

from accounts.tokens import ALL_SCOPES
from tasks.api.problems import all_kinds, status_of
from tasks.api.views.tasks import TaskOptions
from tasks.lifecycle.depend import MOST_LISTED_NEEDS, MOST_NEEDS
from tests.docs.pages import PROJECT

PAGE = (PROJECT / "docs" / "api.md").read_text()


def test_page_tells_every_problem_with_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (`[^|]+`) \|", PAGE, re.MULTILINE)
    told = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert told == {(status_of(kind), code) for code, kind in all_kinds().items()}


def test_page_tells_every_scope() -> None:
    assert [scope for scope in ALL_SCOPES if f"`{scope}`" not in PAGE] == []


def test_page_and_schema_tell_how_many_tasks_one_may_wait_for() -> None:
    """That no more are taken is tested in `tests/lifecycle/test_dependencies.py` and `tests/api/test_bad_input.py`."""
    limits = f"{MOST_LISTED_NEEDS:,} tasks each; {MOST_NEEDS:,} together"
    assert f"| `needs`, `after` of a task | {limits}" in PAGE
    schema = TaskOptions.model_json_schema()["properties"]
    assert {schema[name]["maxItems"] for name in ("needs", "after")} == {MOST_LISTED_NEEDS}
