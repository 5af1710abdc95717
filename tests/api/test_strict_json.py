"""Reading JSON: what is refused, and that the refusal says where."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.api.refusals import ApiRefusal, BodyTooLarge, InvalidEncoding, InvalidJson
from tasks.api.strict_json import MAX_DEPTH, MAX_VALUES, load_json
from tasks.pointers import escape


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("body", "refusal", "words"),
    [
        (b"", InvalidJson, "empty"),
        (b"  \n ", InvalidJson, "empty"),
        (b'{"a": 1,}', InvalidJson, "line 1, column"),
        (b'{"a":\n  nope}', InvalidJson, "line 2, column 3"),
        (b'{"a": "x', InvalidJson, "line 1"),
        (b"{} {}", InvalidJson, "Extra data"),
        (b'{"a": NaN}', InvalidJson, "NaN"),
        (b'{"a": -Infinity}', InvalidJson, "-Infinity"),
        (b'{"a": 1e999}', InvalidJson, "out of range"),
        (b'{"a": ' + b"9" * 5000 + b"}", InvalidJson, "out of range"),
        (b'{"a": 1, "a": 2}', InvalidJson, "'a' comes twice"),
        (b'{"a": "x\\u0000y"}', InvalidJson, "NUL"),
        (b'{"a": "x\x00y"}', InvalidJson, "control character"),
        (b'{"x\\u0000": 1}', InvalidJson, "NUL"),
        (b'{"a": "\\ud800"}', InvalidJson, "surrogate"),
        (nested(MAX_DEPTH + 2), InvalidJson, "64 levels"),
        (nested(100_000), InvalidJson, "64 levels"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, InvalidJson, "64 levels"),
        (b"[" + b"1," * MAX_VALUES + b"1]", BodyTooLarge, "values"),
        (b"\xff\xfe{\x00}\x00", InvalidEncoding, "byte 0"),
        ('{"a": "é"}'.encode("latin-1"), InvalidEncoding, "byte 7"),
    ],
)
def test_doubtful_json_is_refused_with_its_place(body: bytes, refusal: type[ApiRefusal], words: str) -> None:
    with pytest.raises(refusal, match=words):
        load_json(body)


def test_nul_character_is_pointed_at() -> None:
    with pytest.raises(InvalidJson) as caught:
        load_json(b'{"input": {"a/b": [1, {"~": "\\u0000"}]}}')
    assert caught.value.errors[0]["pointer"] == "/input/a~1b/1/~0"


def test_deepest_allowed_nesting_is_read() -> None:
    assert load_json(nested(MAX_DEPTH)) is not None


def test_byte_order_mark_is_passed_over() -> None:
    assert load_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_pointer_escapes_its_special_characters() -> None:
    assert escape("a/b~c") == "a~1b~0c"


JSON_TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=10)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | JSON_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(JSON_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_whatever_is_plain_json_is_read_as_it_is(value: object) -> None:
    assert load_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_refusal(body: bytes) -> None:
    with contextlib.suppress(ApiRefusal):
        load_json(body)
