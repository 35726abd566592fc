"""The names a create call was given."""

import pytest

from azure_responses.protocol.request_body import COMPACT_PARAMETERS, check_names
from azure_responses.types.parameters import CREATE_PARAMETERS


def test_every_parameter_of_the_api_passes() -> None:
    check_names(dict.fromkeys(CREATE_PARAMETERS))
    check_names({})


def test_messages_names_input() -> None:
    with pytest.raises(TypeError, match="`input`, not `messages`"):
        check_names({"messages": []})


def test_a_slip_of_the_pen_is_named() -> None:
    with pytest.raises(TypeError, match="did you mean 'temperature'") as caught:
        check_names({"temprature": 1})
    assert "extra_body={'temprature': …}" in str(caught.value)


def test_an_unheard_of_name_points_to_extra_body() -> None:
    with pytest.raises(TypeError, match="unknown parameter 'zzz'; pass it as extra_body"):
        check_names({"zzz": 1})


def test_compact_takes_fewer_names() -> None:
    check_names(dict.fromkeys(COMPACT_PARAMETERS), COMPACT_PARAMETERS)
    with pytest.raises(TypeError, match="unknown parameter 'temperature'"):
        check_names({"temperature": 1}, COMPACT_PARAMETERS)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("max_retries", "with_options(max_retries=…)"),
        ("api_key", "when the client is made"),
        ("x", None),
    ],
)
def test_what_belongs_to_the_client_is_not_sent_in_the_body(name: str, place: str | None) -> None:
    with pytest.raises(TypeError) as caught:
        check_names({name: 1})
    assert ("extra_body" in str(caught.value)) is (place is None)
    assert place is None or place in str(caught.value)
