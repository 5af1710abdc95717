"""What a handler returns becomes JSON that Postgres can store; a sound result is not looked at closely."""

from __future__ import annotations

import json
import math
from typing import Any
from uuid import UUID

import pytest
from pydantic import ConfigDict

from tasks import errors, registry
from tasks.registry import EngineInfo, Result, get_type


class Anything(Result):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    found: Any


def anything(found: Any) -> Anything:
    return Anything(engine=EngineInfo(name="e", version="1"), found=found)


@pytest.mark.parametrize(
    ("found", "stored"),
    [
        ("plain, “quoted”, 🐾", "plain, “quoted”, 🐾"),
        ("a\0b", "ab"),
        ({"k\0": ["x\0"]}, {"k": ["x"]}),
        ("half \ud83d of a pair", "half ? of a pair"),
        ([math.nan, math.inf, -math.inf, 1.5], [None, None, None, 1.5]),
        ("NaN and Infinity, in words", "NaN and Infinity, in words"),
        ("written \\u0000 and \\ud83d", "written \\u0000 and \\ud83d"),
        ((1, (True, None)), [1, [True, None]]),
        (UUID(int=7), str(UUID(int=7))),
        ({1: {2}}, {"1": "{2}"}),
    ],
)
def test_result_is_stored_as_it_is_but_for_what_postgres_cannot_hold(found: Any, stored: Any) -> None:
    value, text = anything(found).to_json_and_text()
    assert json.loads(text)["found"] == stored
    assert json.loads(json.dumps(value, allow_nan=False)) == json.loads(text)


def test_sound_results_are_not_looked_at_member_by_member(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_storable", lambda _: pytest.fail("it looks closely"))
    anything({"pages": [{"text": "sound"}] * 50}).to_json_and_text()


def test_type_is_found_as_the_list_of_types_has_it(settings: Any) -> None:
    settings.PORTAL_DIAGNOSTICS = True
    assert get_type("diagnostic.echo") is registry.all_types()["diagnostic.echo"]
    settings.PORTAL_DIAGNOSTICS = False
    with pytest.raises(errors.UnknownTaskType):
        get_type("diagnostic.echo")
    internal = next(one for one in registry.every_type() if one.internal)
    assert get_type(internal.name, internal=True) is internal
    with pytest.raises(errors.UnknownTaskType):
        get_type(internal.name)
