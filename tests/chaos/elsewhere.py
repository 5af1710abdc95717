"""Django's connection of a test's own process, led to another server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.utils import ConnectionHandler

from portal.env import database
from tasks.lifecycle import routing
from tests.chaos import trace


@contextmanager
def recorded_at(url: str) -> Iterator[None]:
    """Lead this thread's connection to an empty database, with everything migrated; replay its trace at the end."""
    before = connections["default"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELSEWHERE", url)
        address = database("ELSEWHERE")
    options = {**before.settings_dict["OPTIONS"], **address["OPTIONS"]}  # type: ignore[dict-item]
    settings = before.settings_dict | address | {"OPTIONS": options}
    connections["default"] = ConnectionHandler({"default": settings})["default"]
    routing.forget_cache()
    try:
        call_command("migrate", verbosity=0)
        with trace.recorded():
            yield
    finally:
        connections["default"].close()
        connections["default"] = before
        routing.forget_cache()
