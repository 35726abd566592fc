"""The surface is as large as the protocol inventory says, no kind forgotten."""

from typing import Any, get_args

import openai.types.responses as sdk
import pytest

from azure_responses.types import (
    CREATE_PARAMETERS,
    EVENT_TYPES,
    InputItem,
    OutputItem,
    ResponseErrorCode,
    Tool,
)

from ..recordings import openapi

BETA_ITEMS = {"agent_message", "multi_agent_call", "multi_agent_call_output"}
MESSAGES = {"OutputMessage", "InputMessage", "EasyInputMessage"}


def _leaves(annotation: Any) -> list[Any]:
    """The classes of a union, through the annotations around its parts."""
    members = get_args(annotation)
    if not members:
        return [annotation]
    if hasattr(annotation, "__metadata__"):
        members = members[:1]
    return [leaf for member in members for leaf in _leaves(member)]


def _known(annotation: Any) -> list[Any]:
    return [leaf for leaf in _leaves(annotation) if not leaf.__name__.startswith("Unknown")]


def _type_names(annotation: Any) -> set[str]:
    return {
        name
        for leaf in _known(annotation)
        for name in _literals(leaf.model_fields["type"].annotation)
    }


def _literals(annotation: Any) -> set[str]:
    found: set[str] = set()
    for member in get_args(annotation):
        found |= {member} if isinstance(member, str) else _literals(member)
    return found


def test_there_are_59_events_and_2_undocumented_ones() -> None:
    undocumented = {name for name in EVENT_TYPES if "operation_diff" in name}
    assert len(EVENT_TYPES) - len(undocumented) == 62
    assert len(undocumented) == 2


def test_there_are_28_output_items_3_of_the_beta_and_1_of_foundry() -> None:
    assert len(_known(OutputItem)) == 28 + 3 + 1
    assert _type_names(OutputItem) >= BETA_ITEMS


def test_there_are_33_input_items_3_of_the_beta_and_1_of_foundry() -> None:
    assert len(_known(InputItem)) == 33 + 3 + 1


def test_there_are_16_tools() -> None:
    assert len(_known(Tool)) == 16


def test_there_are_34_parameters_and_the_beta_has_one_more() -> None:
    assert len(CREATE_PARAMETERS - {"multi_agent"}) == 34
    assert "multi_agent" in CREATE_PARAMETERS


def test_there_are_21_error_codes() -> None:
    assert len(get_args(ResponseErrorCode)) == 21


def _sdk_types(annotation: Any) -> set[str]:
    return {
        name
        for leaf in _leaves(annotation)
        for name in _literals(leaf.model_fields["type"].annotation)
    }


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (OutputItem, sdk.ResponseOutputItem),
        (InputItem, sdk.ResponseInputItem),
        (Tool, sdk.Tool),
    ],
)
def test_every_type_the_openai_sdk_knows_is_known(ours: Any, theirs: Any) -> None:
    assert _sdk_types(theirs) <= _type_names(ours)


def test_every_event_the_openai_sdk_knows_is_known() -> None:
    assert _sdk_types(sdk.ResponseStreamEvent) <= EVENT_TYPES.keys()


def test_every_parameter_the_openai_sdk_knows_is_known() -> None:
    from openai.types.responses import response_create_params as parameters

    names = parameters.ResponseCreateParamsBase.__annotations__.keys() | {"stream"}
    # The package came to know `background_options` in 3.54; `multi_agent` is the beta's.
    newest = {"background_options", "multi_agent"}
    assert names - newest == CREATE_PARAMETERS - newest


def test_every_error_code_the_openai_sdk_knows_is_known() -> None:
    codes = _literals(sdk.ResponseError.model_fields["code"].annotation)
    assert codes == set(get_args(ResponseErrorCode))


def test_every_event_of_openais_description_is_known() -> None:
    schemas = openapi("openai.openapi.json")["components"]["schemas"]
    events = {
        name
        for member in schemas["ResponseStreamEvent"]["anyOf"]
        for name in schemas[member["$ref"].rpartition("/")[2]]["properties"]["type"]["enum"]
    }
    assert events <= EVENT_TYPES.keys()
