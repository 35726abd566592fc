"""Only who sealed reasoning opens it, for the same family."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.sealed_reasoning import PREFIX, ReasoningSealer
from azure_responses.protocol.conversion import Sealer

_SEALER: Sealer = ReasoningSealer("a secret", os.urandom)
_CONTENT = {"text": "The answer is 42 ☃", "signature": "c2ln"}


def test_what_is_sealed_is_opened() -> None:
    sealed = _SEALER.seal("claude", _CONTENT)
    assert _SEALER.open("claude", sealed) == _CONTENT
    assert ReasoningSealer(b"a secret", os.urandom).open("claude", sealed) == _CONTENT
    assert "answer" not in sealed
    assert sealed.startswith(PREFIX)
    assert sealed != _SEALER.seal("claude", _CONTENT)


def test_another_family_or_secret_opens_nothing() -> None:
    sealed = _SEALER.seal("claude", _CONTENT)
    assert _SEALER.open("deepseek", sealed) is None
    assert ReasoningSealer("another", os.urandom).open("claude", sealed) is None


@pytest.mark.parametrize(
    "text", ["", "gAAAAABo", "EqQBCgIYAg==", PREFIX, PREFIX + "!", PREFIX + "é", PREFIX + "AAAA"]
)
def test_foreign_text_is_not_opened(text: str) -> None:
    assert _SEALER.open("claude", text) is None


@given(st.integers(0, 10_000), st.sampled_from(["", "A", "_", "~"]))
def test_damaged_text_is_not_opened(place: int, character: str) -> None:
    sealed = _SEALER.seal("claude", _CONTENT)
    # The last character holds bits that belong to no byte.
    at = place % (len(sealed) - 1)
    damaged = sealed[:at] + character + sealed[at + 1 :]
    assert _SEALER.open("claude", damaged) == (_CONTENT if damaged == sealed else None)


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        ReasoningSealer("", os.urandom)
