"""docs/api.md names every kind of problem with its HTTP status, every scope and every policy."""

from __future__ import annotations

import re

from accounts.tokens import ALL_SCOPES
from tasks.api.problems import all_kinds, status_of
from tests.docs.pages import PROJECT

PAGE = (PROJECT / "docs" / "api.md").read_text()


def test_page_tells_every_problem_with_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (`[^|]+`) \|", PAGE, re.MULTILINE)
    told = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert told == {(status_of(kind), code) for code, kind in all_kinds().items()}


def test_page_tells_every_scope() -> None:
    assert [scope for scope in ALL_SCOPES if f"`{scope}`" not in PAGE] == []
