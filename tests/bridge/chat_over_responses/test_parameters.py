from contextlib import suppress
from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.parameters import (
    PARAMETERS,
    RequestDraft,
    take_parameter,
)
from azure_responses.errors import ConfigurationError
from azure_responses.types import CREATE_PARAMETERS

from ...recordings import openapi


def test_every_parameter_of_chat_completions_has_its_place() -> None:
    schemas = openapi("openai.openapi.json")["components"]["schemas"]
    names: set[str] = set()
    pending = [schemas["CreateChatCompletionRequest"]]
    while pending:
        node = pending.pop()
        names |= node.get("properties", {}).keys()
        pending += [
            schemas[member["$ref"].rpartition("/")[2]] if "$ref" in member else member
            for member in node.get("allOf", [])
        ]
    assert len(names) > 35
    assert names - PARAMETERS == {"messages", "model", "stream"}


def test_every_parameter_of_the_responses_api_has_its_place() -> None:
    assert {"input", "model", "stream"} == CREATE_PARAMETERS - PARAMETERS


def test_a_name_that_nobody_knows_is_pointed_to_the_extra_body() -> None:
    with pytest.raises(ConfigurationError, match="extra_body"):
        take_parameter(RequestDraft(), "telepathy", 1)


def test_none_counts_as_not_given() -> None:
    draft = RequestDraft()
    for name in (*PARAMETERS, "telepathy"):
        take_parameter(draft, name, None)
    assert draft == RequestDraft()


@pytest.mark.parametrize("name", sorted(PARAMETERS))
@pytest.mark.parametrize(
    "value", [5, -1, 1.5, True, "x", "", [], [5], [[]], [{}], [None], {}, {"a": 1}, {"type": []}]
)
def test_a_value_of_any_kind_is_taken_or_refused(name: str, value: Any) -> None:
    with suppress(ConfigurationError):
        draft = RequestDraft()
        take_parameter(draft, name, value)
        take_parameter(draft, "max_completion_tokens", 100)


def test_a_limit_that_is_no_number_of_tokens_is_left_to_the_service() -> None:
    draft = RequestDraft()
    take_parameter(draft, "max_tokens", -5)
    assert draft.parameters == {"max_output_tokens": -5}
    assert draft.warnings == []
