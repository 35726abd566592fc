"""Identifiers have the recorded structure and follow from their seed."""

import re
import uuid

import pytest

from azure_responses.emulator.identifiers import IdentifierMint

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
