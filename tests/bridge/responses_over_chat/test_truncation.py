"""Requests without their oldest turns."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.truncation import without_oldest_turns

from .cases import make

_SYSTEM = {"role": "system", "content": "Be brief."}


def _turn(text: str, *, calls: bool = False) -> list[dict[str, Any]]:
    asked = {"role": "user", "content": text}
    if not calls:
        return [asked, {"role": "assistant", "content": text}]
    called = {"role": "assistant", "content": None, "tool_calls": [{"id": text}]}
    returned = {"role": "tool", "tool_call_id": text, "content": "1"}
    shown = {"role": "user", "content": [{"type": "image_url"}]}
    return [asked, called, returned, shown, {"role": "assistant", "content": text}]


def test_the_older_half_goes_where_the_refusal_says_nothing_of_sizes() -> None:
    messages = [_SYSTEM, *_turn("a"), *_turn("b"), *_turn("c"), {"role": "user", "content": "d"}]
    assert without_oldest_turns(messages, "Too long.") == [
        _SYSTEM,
        *_turn("c"),
        {"role": "user", "content": "d"},
    ]


def test_as_much_goes_as_the_refusal_says() -> None:
    messages = [*_turn("a" * 10), *_turn("b" * 10), *_turn("c" * 80), *_turn("d" * 200)]
    message = "maximum context length is 8,000 tokens, however you requested 8,100 tokens"
    assert without_oldest_turns(messages, message) == messages[4:]


def test_calls_outputs_and_pictures_stay_together() -> None:
    messages = [*_turn("a", calls=True), *_turn("b")]
    assert without_oldest_turns(messages, "") == _turn("b")


def test_the_last_turn_always_stays() -> None:
    assert without_oldest_turns([_SYSTEM, *_turn("a")], "") is None
    assert without_oldest_turns([_SYSTEM], "") is None
    messages = [*_turn("a"), {"role": "user", "content": "b" * 1000}]
    assert without_oldest_turns(messages, "100 200") == messages[2:]


@given(st.lists(st.booleans(), min_size=2, max_size=8), st.text(max_size=20))
def test_no_output_is_left_without_its_call(turns: list[bool], message: str) -> None:
    messages = [m for number, calls in enumerate(turns) for m in _turn(str(number), calls=calls)]
    left = without_oldest_turns(messages, message)
    assert left is not None
    assert 0 < len(json.dumps(left)) < len(json.dumps(messages))
    assert left == messages[-len(left) :]
    assert left[0] in [turn for n in range(len(turns)) for turn in _turn(str(n))[:1]]


def test_a_call_is_shortened_only_where_that_was_asked_for() -> None:
    items = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    plain = make({"input": items})
    plain.write()
    assert plain.shortened() is None
    conversion = make({"input": items, "truncation": "auto", "temperature": 1})
    conversion.write()
    assert conversion.shortened("Too long.") == {
        "model": "some-model",
        "temperature": 1,
        "messages": [{"role": "user", "content": "b"}],
    }
    assert conversion.shortened("Too long.") is None
