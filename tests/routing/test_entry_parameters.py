"""Parameters that an entry sets: in the terms of each API, as defaults and fixed."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.routing.entry_model import Entry, read_dropped_tools
from azure_responses.routing.entry_parameters import read_parameters
from azure_responses.routing.request_parameters import EntryParameters, Terms, with_summary

F = {"type": "function", "name": "f", "description": "D", "parameters": {"type": "object"}}
NESTED = {
    "type": "function",
    "function": {"name": "f", "description": "D", "parameters": {"type": "object"}},
}
SCHEMA = {"type": "json_schema", "name": "s", "schema": {}}
NESTED_SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}}


def read(**params: Any) -> EntryParameters:
    found = read_parameters(Entry("entry 1", "gpt", params, {}))
    assert found is not None
    return found


def complete(
    params: Mapping[str, Any], body: Mapping[str, Any], terms: Terms = "responses"
) -> Mapping[str, Any]:
    completed, warnings = read(**params).complete(body, terms, drops_params=False)
    assert warnings == ()
    return completed


def test_an_entry_without_parameters_has_none() -> None:
    assert read_parameters(Entry("entry 1", "gpt", {"model": "azure/d"}, {})) is None
    assert read_parameters(Entry("entry 1", "gpt", {"temperature": None}, {})) is None


@pytest.mark.parametrize(
    ("params", "responses", "chat", "messages"),
    [
        (
            {"reasoning_effort": "high"},
            {"reasoning": {"effort": "high"}},
            {"reasoning_effort": "high"},
            {"output_config": {"effort": "high"}},
        ),
        (
            {"reasoning_effort": {"effort": "low", "summary": "auto"}},
            {"reasoning": {"effort": "low", "summary": "auto"}},
            {"reasoning_effort": "low"},
            {"output_config": {"effort": "low"}},
        ),
        (
            {"reasoning": {"effort": "low"}},
            {"reasoning": {"effort": "low"}},
            {"reasoning_effort": "low"},
            {"output_config": {"effort": "low"}},
        ),
        # The Responses API takes no fewer than 16.
        ({"max_tokens": 9}, {"max_output_tokens": 16}, {"max_tokens": 9}, {"max_tokens": 9}),
        (
            {"max_tokens": 20, "max_completion_tokens": 30},
            {"max_output_tokens": 30},
            {"max_completion_tokens": 30},
            {"max_tokens": 30},
        ),
        (
            {"max_output_tokens": 29},
            {"max_output_tokens": 29},
            {"max_completion_tokens": 29},
            {"max_tokens": 29},
        ),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}, {"verbosity": "low"}, {}),
        (
            {"text": {"verbosity": "low", "format": SCHEMA}},
            {"text": {"verbosity": "low", "format": SCHEMA}},
            {"verbosity": "low", "response_format": NESTED_SCHEMA},
            {},
        ),
        (
            {"response_format": NESTED_SCHEMA},
            {"text": {"format": SCHEMA}},
            {"response_format": NESTED_SCHEMA},
            {},
        ),
        (
            {"text": {"format": {"type": "text"}}},
            {"text": {"format": {"type": "text"}}},
            {"response_format": {"type": "text"}},
            {},
        ),
        (
            {"tools": [NESTED], "tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"tools": [F], "tool_choice": {"type": "function", "name": "f"}},
            {"tools": [NESTED], "tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"tools": [{"name": "f", "description": "D", "input_schema": {"type": "object"}}]},
        ),
        (
            {"tools": [{"type": "web_search"}, {"type": "function", "name": "g"}]},
            {"tools": [{"type": "web_search"}, {"type": "function", "name": "g"}]},
            {"tools": [{"type": "function", "function": {"name": "g"}}]},
            {"tools": [{"name": "g", "input_schema": {"type": "object", "properties": {}}}]},
        ),
        (
            {
                "tools": [
                    {
                        "type": "custom",
                        "name": "c",
                        "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
                    }
                ]
            },
            {
                "tools": [
                    {
                        "type": "custom",
                        "name": "c",
                        "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
                    }
                ]
            },
            {
                "tools": [
                    {
                        "type": "custom",
                        "custom": {
                            "name": "c",
                            "format": {
                                "type": "grammar",
                                "grammar": {"syntax": "lark", "definition": "x"},
                            },
                        },
                    }
                ]
            },
            {},
        ),
        (
            {
                "tools": [
                    {
                        "type": "custom",
                        "custom": {
                            "name": "c",
                            "format": {"type": "grammar", "grammar": {"syntax": "regex"}},
                        },
                    }
                ]
            },
            {
                "tools": [
                    {
                        "type": "custom",
                        "name": "c",
                        "format": {"type": "grammar", "syntax": "regex"},
                    }
                ]
            },
            {
                "tools": [
                    {
                        "type": "custom",
                        "custom": {
                            "name": "c",
                            "format": {"type": "grammar", "grammar": {"syntax": "regex"}},
                        },
                    }
                ]
            },
            {},
        ),
        ({"tools": [{"type": "web_search"}]}, {"tools": [{"type": "web_search"}]}, {}, {}),
        ({"stop": "x"}, {}, {"stop": "x"}, {"stop_sequences": ["x"]}),
        ({"stop": ["x"], "stop_sequences": ["y"]}, {}, {"stop": ["x"]}, {"stop_sequences": ["y"]}),
        (
            {"temperature": "0.5", "service_tier": "flex", "store": "False", "seed": 3},
            {"temperature": 0.5, "service_tier": "flex", "store": False},
            {"temperature": 0.5, "service_tier": "flex", "store": False, "seed": 3},
            {"temperature": 0.5},
        ),
    ],
)
def test_an_entry_speaks_the_terms_of_each_api(
    params: Any, responses: Any, chat: Any, messages: Any
) -> None:
    assert complete(params, {}) == responses
    assert complete(params, {}, "chat") == chat
    assert complete(params, {}, "messages") == messages


def test_a_chat_over_responses_gets_what_the_responses_api_has_a_place_for() -> None:
    effort = {"effort": "low", "summary": "auto"}
    params = {"reasoning_effort": effort, "truncation": "auto", "seed": 3, "stop": "x", "n": 2}
    assert complete(params, {}, "bridged") == {"reasoning": effort, "truncation": "auto"}


@pytest.mark.parametrize(
    ("params", "body", "terms", "sent"),
    [
        ({"temperature": 1.0}, {"temperature": 0}, "responses", {"temperature": 0}),
        ({"temperature": 1.0}, {"temperature": None}, "responses", {"temperature": 1.0}),
        (
            {"reasoning": {"effort": "high", "summary": "auto"}},
            {"reasoning": {"effort": "low", "summary": None}},
            "responses",
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        (
            {"reasoning_effort": {"effort": "high", "summary": "auto"}},
            {"reasoning_effort": "low"},
            "bridged",
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        (
            {"reasoning_effort": "high"},
            {"reasoning": {"summary": "auto"}},
            "bridged",
            {"reasoning": {"effort": "high", "summary": "auto"}},
        ),
        (
            {"verbosity": "low"},
            {"text": {"verbosity": "high"}},
            "bridged",
            {"text": {"verbosity": "high"}},
        ),
        (
            {"text": {"verbosity": "low", "format": SCHEMA}},
            {"verbosity": "high", "response_format": {"type": "json_object"}},
            "bridged",
            {"text": {"verbosity": "high", "format": {"type": "json_object"}}},
        ),
        (
            {"verbosity": "low"},
            {"response_format": dict},
            "bridged",
            {"text": {"verbosity": "low"}, "response_format": dict},
        ),
        (
            {"max_output_tokens": 100},
            {"max_tokens": 50},
            "bridged",
            {"max_tokens": 50},
        ),
        (
            {"reasoning_effort": "high"},
            {"reasoning": {"effort": "low"}},
            "bridged",
            {"reasoning": {"effort": "low"}},
        ),
        (
            {"reasoning": {"effort": "high"}},
            {"reasoning_effort": "low"},
            "bridged",
            {"reasoning": {"effort": "low"}},
        ),
        (
            {"max_tokens": 9},
            {"max_completion_tokens": 5},
            "chat",
            {"max_completion_tokens": 5},
        ),
        ({"metadata": {"a": "1", "b": "2"}}, {"metadata": 3}, "responses", {"metadata": 3}),
        (
            {"metadata": {"a": "1", "b": "2"}},
            {"metadata": {"a": "0"}},
            "responses",
            {"metadata": {"a": "0", "b": "2"}},
        ),
        ({"tools": [F]}, {"tools": []}, "responses", {"tools": []}),
    ],
)
def test_the_value_of_the_caller_wins(params: Any, body: Any, terms: Terms, sent: Any) -> None:
    before = repr(body)
    assert complete(params, body, terms) == sent
    assert repr(body) == before


@pytest.mark.parametrize(
    ("params", "body", "terms", "sent", "name"),
    [
        (
            {"reasoning_effort": "high"},
            {"reasoning": {"effort": "low", "summary": "auto"}},
            "responses",
            {"reasoning": {"effort": "high", "summary": "auto"}},
            "reasoning.effort",
        ),
        (
            {"reasoning": {"effort": "high"}},
            {"reasoning_effort": "low"},
            "bridged",
            {"reasoning": {"effort": "high"}},
            "reasoning.effort",
        ),
        (
            {"reasoning": {"effort": "high"}},
            {"reasoning_effort": {"effort": "low", "summary": "auto"}},
            "bridged",
            {"reasoning": {"effort": "high", "summary": "auto"}},
            "reasoning.effort",
        ),
        (
            {"max_tokens": 9},
            {"max_completion_tokens": 5},
            "chat",
            {"max_tokens": 9},
            "max_tokens",
        ),
        (
            {"service_tier": "flex"},
            {"service_tier": "default"},
            "responses",
            {"service_tier": "flex"},
            "service_tier",
        ),
        (
            {"reasoning_effort": {"effort": "high"}},
            {"reasoning_effort": "low"},
            "bridged",
            {"reasoning": {"effort": "high"}},
            "reasoning.effort",
        ),
        (
            {"metadata": {"team": "a"}},
            {"metadata": 3},
            "responses",
            {"metadata": {"team": "a"}},
            "metadata.team",
        ),
    ],
)
def test_a_fixed_value_is_kept(params: Any, body: Any, terms: Terms, sent: Any, name: str) -> None:
    own = read(**params, fixed_params=True)
    with pytest.raises(ConfigurationError, match="cannot be changed") as caught:
        own.complete(body, terms, drops_params=False)
    assert caught.value.param == name
    completed, (warning,) = own.complete(body, terms, drops_params=True)
    assert completed == sent
    assert warning.startswith(name)
    # The same value is no conflict.
    assert own.complete(sent, terms, drops_params=False) == (sent, ())


def test_a_fixed_effort_counts_however_the_caller_writes_it() -> None:
    own = read(reasoning_effort="high", fixed_params=["reasoning_effort"], temperature=1)
    assert own.complete({"temperature": 0}, "chat", drops_params=False)[0]["temperature"] == 0
    with pytest.raises(ConfigurationError):
        own.complete({"reasoning": {"effort": "low"}}, "bridged", drops_params=False)
    with pytest.raises(ConfigurationError):
        own.complete({"reasoning_effort": "low"}, "chat", drops_params=False)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"max_tokens": "many"}, "max_tokens is 'many'"),
        ({"max_tokens": 1.5}, "max_tokens is 1.5"),
        ({"temperature": True}, "temperature is True"),
        ({"temperature": []}, "temperature is"),
        ({"store": "maybe"}, "store is 'maybe'"),
        ({"store": 1}, "store is 1"),
        ({"extra_body": "x"}, "extra_body is 'x'"),
        ({"tools": "x"}, "tools is 'x'"),
        ({"service_tier": 1}, "service_tier is 1"),
        ({"reasoning_effort": 3}, "reasoning_effort is 3"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"temperature": "inf"}, "temperature is 'inf'"),
        ({"temperature": 10**400}, "temperature is"),
        ({"tools": [5]}, r"tools is \[5\]"),
        ({"stop": 5}, "stop is 5"),
        ({"stop": [5]}, "stop is"),
        ({"tool_choice": 5}, "tool_choice is 5"),
        ({"response_format": "json"}, "response_format is 'json'"),
        ({"extra_body": {"model": "other"}}, "extra_body sets model"),
        ({"temperature": 1, "fixed_params": ["temprature"]}, "'temprature'"),
        ({"temperature": 1, "fixed_params": [1]}, "fixed_params is"),
        ({"fixed_params": "extra_body", "extra_body": {}}, "'extra_body'"),
    ],
)
def test_a_wrong_value_is_refused(params: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_parameters(Entry("entry 1", "gpt", params, {}))


def test_the_other_operations_get_what_they_have() -> None:
    own = read(dimensions=256, extra_body={"x": 1}, temperature=0.5, user="u")
    body = {"input": "a", "user": "me", "encoding_format": None}
    sent = {"input": "a", "user": "me", "dimensions": 256, "x": 1}
    assert own.extend(body, "embeddings") == sent
    assert own.extend(body, "audio.transcriptions") is body


def test_an_entry_may_say_that_nothing_is_stored() -> None:
    assert not read(store=False).stores
    assert read(temperature=1).stores


@pytest.mark.parametrize(
    ("body", "terms", "sent"),
    [
        ({"reasoning": {"effort": "low"}}, "responses", {"effort": "low", "summary": "auto"}),
        ({"reasoning": {"effort": "low", "summary": "detailed"}}, "responses", None),
        ({"reasoning": {"effort": "low", "generate_summary": "auto"}}, "responses", None),
        ({"reasoning": {"effort": "none"}}, "responses", None),
        ({"reasoning": {}}, "responses", None),
        ({"reasoning": None}, "responses", None),
        ({}, "responses", None),
        ({"reasoning_effort": "low"}, "bridged", {"effort": "low", "summary": "auto"}),
        ({"reasoning_effort": "low"}, "chat", None),
        ({"output_config": {"effort": "low"}}, "messages", None),
    ],
)
def test_a_summary_is_asked_for_where_reasoning_is(body: Any, terms: Terms, sent: Any) -> None:
    found = with_summary(body, terms)
    if sent is None:
        assert found is body
    else:
        assert list(found.values()) == [sent]


NAMES = ["temperature", "reasoning", "max_output_tokens", "metadata"]
VALUES = st.sampled_from([None, 0.5, 3, {"effort": "low"}, {"a": "b"}])


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_what_a_caller_says_is_never_lost(body: dict[str, Any]) -> None:
    own = {"temperature": 1, "reasoning": {"effort": "high"}, "max_tokens": 9, "metadata": {}}
    completed = complete(own, body)
    for name, value in body.items():
        if isinstance(value, dict) and isinstance(completed[name], dict):
            assert completed[name].items() >= value.items()
        elif value is not None:
            assert completed[name] == value


def test_tools_to_leave_out_are_named_by_their_types() -> None:
    assert read_dropped_tools(Entry("e", "g", {"drop_tools": "web_search"}, {})) == {"web_search"}
    assert read_dropped_tools(Entry("e", "g", {}, {})) == frozenset()
    with pytest.raises(ConfigurationError, match="drop_tools"):
        read_dropped_tools(Entry("e", "g", {"drop_tools": {"web_search": True}}, {}))
