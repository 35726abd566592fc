"""Bodies: what is an object passes, and everything else is told what is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.errors import BadRequestError
from azure_responses.openai_server.request_json import read_object, refuse_connection_fields


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not valid JSON"),
        (b'{"a":1} x', "not valid JSON"),
        (b'{"a":NaN}', "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"a":"\\ud800"}', "not valid JSON"),
        (b'{"a":1e999}', "too large"),
        (b"[]", "JSON array"),
        (b'"text"', "JSON string"),
        (b"1", "JSON number"),
        (b"true", "JSON boolean"),
        (b"null", "JSON null"),
        (b'{"a":1,"a":2}', "'a' stands twice"),
        (b'{"o":[{"model": 1, "model" : 2}]}', "'model' stands twice"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nested too deeply"),
    ],
)
def test_what_is_no_usable_object_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_object(body)
    assert words in caught.value.message
    assert caught.value.status_code == 400
    assert caught.value.code == "invalid_json"


def test_many_keys_are_searched_once() -> None:
    keys = ",".join(f'"k{number}": 1' for number in range(200_000))
    with pytest.raises(BadRequestError) as caught:
        # Compared pair by pair this would take minutes, and nobody else would be answered.
        read_object(f'{{{keys},"k199999": 2}}'.encode())
    assert "'k199999' stands twice" in caught.value.message


def test_colons_in_strings_are_no_repeated_keys() -> None:
    value = {"input": 'say "model": twice, "model":, {"a":1}', "b": ['":"']}
    assert read_object(json.dumps(value).encode()) == value


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(alphabet=st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(alphabet=st.characters(codec="utf-8")), _JSON, max_size=5))
def test_every_object_is_read_as_it_is(value: dict[str, Any]) -> None:
    assert read_object(json.dumps(value).encode()) == value


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    try:
        status = 200 if isinstance(read_object(body), dict) else None
    except BadRequestError as error:
        status = error.status_code
    assert status in (200, 400)


@pytest.mark.parametrize("name", ["api_base", "base_url", "api_key", "api_version"])
def test_a_body_cannot_name_another_service(name: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        refuse_connection_fields({"model": "m", name: "https://evil.example"}, {})
    assert caught.value.param == name
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("name", ["api-base", "x-base-url", "x-litellm-api-base"])
def test_a_header_cannot_name_another_service(name: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        refuse_connection_fields({}, {"accept": "*/*", name: "https://evil.example"})
    assert caught.value.param == name


def test_other_fields_and_headers_are_nobodys_business() -> None:
    refuse_connection_fields({"model": "m", "made_up": 1}, {"api-key": "k", "x-made-up": "1"})
