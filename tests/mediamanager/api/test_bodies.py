"""Strict JSON: everything that is JSON is read as Python reads it, and nothing else is read at all."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediamanager.api.bodies import parse_json

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,0123456789eE.-+ntfalsure \\', max_size=60).map(str.encode))
def test_whatever_comes_is_read_or_refused_with_a_position_in_it(body: bytes) -> None:
    try:
        value = parse_json(body)
    except json.JSONDecodeError as error:
        position = error.pos
    else:
        position = 0
        assert value == json.loads(body)

    assert 0 <= position <= len(body)


@given(st.text(), scalars, scalars)
def test_a_key_that_stands_twice_is_refused(key: str, first: Any, second: Any) -> None:
    name = json.dumps(key)
    body = f"{{{name}: {json.dumps(first)}, {name}: {json.dumps(second)}}}"

    with pytest.raises(json.JSONDecodeError, match="twice"):
        parse_json(body.encode())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e309", "-1e400"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        parse_json(f'{{"quality": {number}}}'.encode())


def test_small_numbers_may_round_to_nothing() -> None:
    assert math.isclose(parse_json(b"1e-400"), 0.0)
