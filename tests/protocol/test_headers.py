"""Request headers, checked and merged."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.http_message import CREDENTIAL_HEADERS, merge_headers


def test_later_layers_win_whatever_the_case_of_the_name() -> None:
    assert merge_headers({"X-A": "1", "x-b": "2"}, None, {"x-a": "3"}) == {"x-a": "3", "x-b": "2"}


def test_none_removes_a_header_and_removing_what_is_not_there_is_fine() -> None:
    assert merge_headers({"X-A": "1"}, {"x-a": None, "x-b": None}) == {}


def test_a_removed_header_can_come_back() -> None:
    assert merge_headers({"a": "1"}, {"a": None}, {"a": "2"}) == {"a": "2"}


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "é", "a\x00", "(a)", 5, b"a"])
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="not a header name"):
        merge_headers({name: "x"})


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "\x00", "\x7f", "é", "日本", 7, b"x"])
def test_a_value_that_could_smuggle_or_not_be_sent_is_refused_without_repeating_it(
    value: object,
) -> None:
    with pytest.raises(ConfigurationError, match="'x-a'") as caught:
        merge_headers({"x-a": value})  # type: ignore[dict-item]
    assert repr(value) not in str(caught.value)


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_accepted_can_be_sent(name: str, value: str) -> None:
    try:
        merged = merge_headers({name: value})
    except ConfigurationError:
        return
    sent = httpx.Request("GET", "https://r.example.com", headers=merged).headers.raw
    assert (name.lower().encode(), value.strip().encode()) in [
        (key.lower(), text) for key, text in sent
    ]


def test_the_credential_headers_are_both_of_them() -> None:
    assert {"api-key", "authorization"} == CREDENTIAL_HEADERS


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_where_the_body_ends_is_not_for_callers_to_say(name: str) -> None:
    # httpx gave way to a longer body with an exception of h11's; aiohttp sent both, and whoever
    # goes by the header takes the rest of the body for another request.
    with pytest.raises(ConfigurationError, match=name):
        merge_headers({name: "3"})


def test_white_space_around_a_value_is_left_out() -> None:
    assert merge_headers({"x-a": " padded\t"}) == {"x-a": "padded"}
