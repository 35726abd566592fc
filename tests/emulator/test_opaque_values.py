"""Ids and encrypted content."""

import base64
import re
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.opaque_values import (
    IdentifierMint,
    ReasoningCipher,
    ReasoningCipherError,
)

_AT = 0x6A3C117B


def _mint(seed: str = "seed") -> IdentifierMint:
    return IdentifierMint(seed, lambda: float(_AT))


def test_an_item_id_holds_key_marker_and_time() -> None:
    identifier = _mint().item("msg")
    assert re.fullmatch(r"msg_0[0-9a-f]{15}006a3c117b[0-9a-f]{4}819[0-7][0-9a-f]{16}", identifier)


def test_items_of_a_conversation_share_their_key_and_marker() -> None:
    conversation = _mint().conversation()
    first, second = conversation.item("resp", _AT), conversation.item("msg", _AT + 1)
    assert first[5:23] == second[4:22]
    assert first[35:39] == second[34:38]
    assert first != second


def test_a_conversation_goes_on_with_the_key_of_an_earlier_id() -> None:
    mint = _mint()
    first = mint.item("resp")
    later = mint.conversation(like=first).item("msg", _AT)
    assert first[5:21] == later[4:20]


@pytest.mark.parametrize("like", [None, "", "resp_short", "call_" + "a" * 24])
def test_an_id_of_another_structure_begins_a_new_conversation(like: str | None) -> None:
    mint = _mint()
    first = mint.item("resp")
    assert mint.conversation(like).item("msg", _AT)[4:20] != first[5:21]


def test_what_is_not_stored_is_marked() -> None:
    assert _mint().conversation(is_stored=False).item("rs", _AT)[19:21] == "01"


def test_a_fraction_of_a_second_is_written_after_the_seconds() -> None:
    assert _mint().conversation().item("rs", _AT + 0.5)[21:33] == "6a3c117b8000"


def test_the_same_seed_gives_the_same_ids_and_another_does_not() -> None:
    assert _mint().item("msg") == _mint().item("msg")
    assert _mint().item("msg") != _mint("other").item("msg")
    assert IdentifierMint(b"seed", lambda: float(_AT)).item("msg") == _mint().item("msg")


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("call", r"call_[A-Za-z0-9]{24}"),
        ("container", r"cntr_6a3c117b[0-9a-f]{4}8190[0-9a-f]{32}"),
        ("file", r"assistant-[A-Za-z0-9]{22}"),
        ("chat_completion", r"chatcmpl-[A-Za-z0-9]{29}"),
    ],
)
def test_other_ids_have_their_own_structure(kind: str, pattern: str) -> None:
    mint = _mint()
    first, second = getattr(mint, kind)(), getattr(mint, kind)()
    assert re.fullmatch(pattern, first)
    assert first != second


def test_a_container_may_be_dated() -> None:
    assert _mint().container(1.0).startswith("cntr_00000001")


def test_a_request_id_is_a_uuid_of_version_4() -> None:
    identifier = _mint().request_id()
    assert uuid.UUID(identifier).version == 4
    assert str(uuid.UUID(identifier)) == identifier


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
