"""Sealed content opens with its own key alone."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.reasoning_cipher import ReasoningCipher, ReasoningCipherError

_VALUES = st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none())


@given(_VALUES, st.text(), st.integers(0, 2**40))
def test_what_is_sealed_opens_again(payload: dict[str, Any], nonce: str, at: int) -> None:
    cipher = ReasoningCipher(b"key")
    assert cipher.open(cipher.seal(payload, nonce, at)) == payload


def test_a_seal_looks_as_recorded_and_holds_its_time() -> None:
    sealed = ReasoningCipher(b"key").seal({"a": 1}, "n", 0x693C1F22)
    assert sealed.startswith("gAAAAABpPB8i")
    assert len(sealed) % 4 == 0


def test_each_nonce_gives_another_text_and_the_same_nonce_the_same() -> None:
    cipher = ReasoningCipher(b"key")
    assert cipher.seal({"a": 1}, "1") == cipher.seal({"a": 1}, "1")
    assert cipher.seal({"a": 1}, "1") != cipher.seal({"a": 1}, "2")


@pytest.mark.parametrize("place", [0, 10, 30, -1])
def test_a_changed_text_is_refused(place: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(ReasoningCipher(b"key").seal({"a": 1}, "n")))
    raw[place] ^= 1
    with pytest.raises(ReasoningCipherError):
        ReasoningCipher(b"key").open(base64.urlsafe_b64encode(raw).decode())


def test_the_text_of_another_resource_is_refused() -> None:
    with pytest.raises(ReasoningCipherError, match="another key"):
        ReasoningCipher(b"one").open(ReasoningCipher(b"two").seal({"a": 1}, "n"))


@pytest.mark.parametrize("text", ["", "gAAAA", "no base64 é", "gAAAAABpPB8i", "a"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(ReasoningCipherError):
        ReasoningCipher(b"key").open(text)
