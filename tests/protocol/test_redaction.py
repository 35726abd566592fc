"""Secrets taken out of what is said about a call."""

import pytest

from azure_responses.protocol.http_message import REDACTED, redact, redact_all

_KEY = "0123456789abcdef0123456789abcdef"


def test_every_occurrence_of_every_secret_is_replaced() -> None:
    assert redact(f"{_KEY} and my-secret, {_KEY}", [_KEY, "my-secret"]) == (
        f"{REDACTED} and {REDACTED}, {REDACTED}"
    )
    assert redact("nothing", []) == "nothing"


def test_a_key_is_replaced_inside_of_other_text_too() -> None:
    assert redact(f"key={_KEY}&Bearer{_KEY}x", [_KEY]) == f"key={REDACTED}&Bearer{REDACTED}x"


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    assert redact(f"{_KEY}-rest", [_KEY, f"{_KEY}-rest"]) == REDACTED


@pytest.mark.parametrize("secret", ["", "x", "1", "sk", "test", "secret", "12345"])
def test_a_placeholder_is_left_where_it_stands(secret: str) -> None:
    assert redact("a test of sk-1 x secret 12345", [secret]) == "a test of sk-1 x secret 12345"


def test_a_short_secret_is_replaced_only_as_a_whole() -> None:
    assert redact("deployed: deployment", ["deployed"]) == f"{REDACTED}: deployment"
    assert redact("password s3cret, s3cretary", ["s3cret"]) == f"password {REDACTED}, s3cretary"


def test_all_texts_of_a_parsed_value_are_covered() -> None:
    value = {"a": [_KEY, {_KEY: 1}], "b": None, "c": 2.5}
    assert redact_all(value, [_KEY]) == {"a": [REDACTED, {REDACTED: 1}], "b": None, "c": 2.5}
