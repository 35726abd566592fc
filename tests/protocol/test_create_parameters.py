"""The names a create call was given."""

import pytest

from azure_responses.protocol.create_parameters import COMPACT_PARAMETERS, check_names
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
