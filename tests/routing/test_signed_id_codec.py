"""Ids survive being packed, and only canonical base64 is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.signed_id import (
    from_base64,
    pack,
    split_prefix,
    to_base64,
    unpack,
)

_IDS = st.one_of(
    st.text(),
    st.text("0123456789abcdef"),
    st.text("0123456789ABCDEFabcdef _-"),
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_="),
)


@given(_IDS)
def test_what_is_packed_is_unpacked_unchanged(rest: str) -> None:
    assert unpack(*pack(rest)) == rest


@given(_IDS)
def test_prefix_and_rest_make_the_id(inner: str) -> None:
    assert "".join(split_prefix(inner)) == inner


@pytest.mark.parametrize(
    ("inner", "prefix"),
    [
        ("resp_0742", "resp_"),
        ("file-Ebzh", "file-"),
        ("assistant-68_ca", "assistant-"),
        ("cntr_", "cntr_"),
        ("0742_a", ""),
        ("plain", ""),
        ("", ""),
    ],
)
def test_the_prefix_ends_with_the_first_separator(inner: str, prefix: str) -> None:
    assert split_prefix(inner)[0] == prefix


@pytest.mark.parametrize(
    ("rest", "length"), [("0742d30c", 4), ("742d30c", 4), ("Ebzhf8H4", 6), ("héllo", 6)]
)
def test_digits_and_letters_are_packed(rest: str, length: int) -> None:
    assert len(pack(rest)[1]) == length


@given(st.binary(max_size=80))
def test_base64_has_one_form_only(data: bytes) -> None:
    text = to_base64(data)
    assert "=" not in text
    assert from_base64(text) == data


@pytest.mark.parametrize("text", ["A", "AB=", "AB==", "AR", "A+==", "é"])
def test_base64_of_another_form_is_not_read(text: str) -> None:
    assert from_base64(text) is None
