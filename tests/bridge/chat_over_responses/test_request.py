import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from azure_responses.bridge import (
    BridgedRequest,
    ReasoningCache,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.errors import ConfigurationError
from azure_responses.types import ChatCompletionMessage, Response

from ..golden import check, names, read
from ..litellm_cases import Case, cases
from ..schemas import validator

HELLO = [{"role": "user", "content": "Hello"}]
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def _bridge(messages: Any = None, /, **chat: Any) -> BridgedRequest:
    return to_responses_request({"messages": HELLO if messages is None else messages, **chat})


def _spell_out(item: dict[str, Any]) -> dict[str, Any]:
    """Short forms in LiteLLM's long one: the API reads both the same way."""
    if isinstance(item.get("content"), str):
        kind = "output_text" if item["role"] == "assistant" else "input_text"
        return {**item, "content": [{"type": kind, "text": item["content"]}]}
    if isinstance(item.get("output"), str):
        return {**item, "output": [{"type": "input_text", "text": item["output"]}]}
    return item


@pytest.mark.parametrize("case", cases("M"), ids=lambda case: case.name)
def test_messages_convert_as_litellm_does_where_it_is_right(case: Case) -> None:
    request = _bridge(case.given)
    ours = [_spell_out(item) for item in request.parameters["input"]]
    expected = case.expected["input"] if case.reason is None else case.expected
    assert ours == expected
    assert "instructions" not in request.parameters


@pytest.mark.parametrize("case", cases("P"), ids=lambda case: case.name)
def test_parameters_convert_as_litellm_does_where_it_is_right(case: Case) -> None:
    if case.expected == "refused":
        with pytest.raises(ConfigurationError):
            _bridge(**case.given)
        return
    parameters = _bridge(**case.given).parameters
    del parameters["input"]
    # Chat completions stores nothing by default, the Responses API everything.
    expected = {"store": False, **case.expected} if case.reason is None else case.expected
    assert parameters == expected


@pytest.mark.parametrize("case", names("chat.json"))
def test_golden_requests(case: str) -> None:
    request = to_responses_request(read(case, "chat.json"), resource_tag="west")
    check(
        case,
        "chat-responses.json",
        {
            "parameters": request.parameters,
            "options": request.options,
            "stream": request.stream,
            "include_usage": request.include_usage,
            "legacy_functions": request.legacy_functions,
            "warnings": list(request.warnings),
        },
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("seed", 7),
        ("stop", "\n"),
        ("stop", ["a", "b"]),
        ("logit_bias", {"50256": -100}),
        ("frequency_penalty", 0.5),
        ("presence_penalty", -1),
        ("prediction", {"type": "content", "content": "x"}),
        ("audio", {"voice": "alloy", "format": "wav"}),
        ("modalities", ["text", "audio"]),
        ("data_sources", [{"type": "azure_search"}]),
        ("telepathy", True),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name_or_dropped_with_a_warning(
    name: str, value: Any
) -> None:
    with pytest.raises(ConfigurationError, match=name) as refused:
        _bridge(**{name: value})
    assert refused.value.hint
    request = to_responses_request({"messages": HELLO, name: value}, drop_params=True)
    assert any(name in warning for warning in request.warnings)
    assert request.parameters.keys() == {"input", "store"}
    assert _bridge(**{name: value, "drop_params": True}).warnings == request.warnings


def test_data_sources_are_pointed_to_file_search() -> None:
    with pytest.raises(ConfigurationError, match="file_search"):
        _bridge(data_sources=[{"type": "azure_search"}])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 1),
        ("stop", []),
        ("logit_bias", {}),
        ("frequency_penalty", 0),
        ("presence_penalty", 0.0),
        ("modalities", ["text"]),
        ("data_sources", []),
        ("logprobs", False),
        ("telepathy", None),
        ("tools", []),
    ],
)
def test_what_asks_for_nothing_is_nothing(name: str, value: Any) -> None:
    request = _bridge(**{name: value})
    assert request.parameters.keys() == {"input", "store"}
    assert request.warnings == ()


SAME = {
    "temperature": 0.5,
    "top_p": 0.9,
    "parallel_tool_calls": False,
    "metadata": {"a": "b"},
    "user": "u",
    "safety_identifier": "s",
    "prompt_cache_key": "k",
    "prompt_cache_retention": "24h",
    "service_tier": "flex",
    "moderation": {"model": "m"},
    "store": True,
    "instructions": "Be brief.",
    "truncation": "auto",
    "max_tool_calls": 3,
    "background": True,
    "previous_response_id": "resp_1",
    "conversation": "conv_1",
    "prompt": {"id": "pmpt_1"},
    "context_management": [{"type": "compaction"}],
    "prompt_cache_options": {"mode": "explicit"},
    "multi_agent": {"enabled": True},
}


@pytest.mark.parametrize(("name", "value"), SAME.items())
def test_parameters_that_both_apis_have_and_the_responses_apis_own_are_sent(
    name: str, value: Any
) -> None:
    assert _bridge(**{name: value}).parameters[name] == value


def test_nothing_is_stored_unless_someone_says_so_or_needs_it() -> None:
    assert _bridge().parameters["store"] is False
    assert _bridge(store=True).parameters["store"] is True
    assert _bridge(store=None).parameters["store"] is False
    for needs in ({"background": True}, {"previous_response_id": "r"}, {"conversation": "c"}):
        assert "store" not in _bridge(**needs).parameters
    kept = to_responses_request({"messages": HELLO}, default_store=None)
    assert "store" not in kept.parameters


@pytest.mark.parametrize(
    "field",
    [
        {"tool_calls": 5},
        {"refusal": 5},
        {"reasoning_items": 5},
        {"output_order": [{"type": []}]},
        {"output_order": [{"type": "message", "text": "x"}]},
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(field: dict[str, Any]) -> None:
    message = {"role": "assistant", "content": "x", **field}
    with pytest.raises(ConfigurationError) as caught:
        to_responses_request({"messages": [message]})
    assert caught.value.hint


def test_few_tokens_are_raised_to_the_least_the_service_takes() -> None:
    request = _bridge(max_tokens=1)
    assert request.parameters["max_output_tokens"] == 16
    assert "max_tokens was raised from 1 to 16" in request.warnings[0]
    assert _bridge(max_tokens=20, max_completion_tokens=20).warnings == ()
    with pytest.raises(ConfigurationError, match="differ"):
        _bridge(max_tokens=20, max_completion_tokens=30)


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        ({"reasoning_effort": "low"}, {"effort": "low"}),
        ({"reasoning_effort": {"effort": "low", "summary": None}}, {"effort": "low"}),
        (
            {"reasoning_effort": "low", "reasoning": {"effort": "high", "summary": "auto"}},
            {"effort": "low", "summary": "auto"},
        ),
        (
            {"reasoning": {"effort": "high", "summary": "auto"}, "reasoning_effort": "low"},
            {"effort": "low", "summary": "auto"},
        ),
    ],
)
def test_reasoning_effort_is_a_word_or_an_object(chat: Any, expected: Any) -> None:
    assert _bridge(**chat).parameters["reasoning"] == expected


def test_format_and_verbosity_share_the_text_parameter() -> None:
    schema = {"name": "s", "description": "d", "schema": {"type": "object"}}
    request = _bridge(
        verbosity="low",
        response_format={"type": "json_schema", "json_schema": schema},
        text={"verbosity": "high", "extra": 1},
    )
    assert request.parameters["text"] == {
        "verbosity": "low",
        "extra": 1,
        "format": {"type": "json_schema", "strict": False, **schema},
    }


def test_a_model_class_is_a_strict_format() -> None:
    class Person(BaseModel):
        name: str

    form = _bridge(response_format=Person).parameters["text"]["format"]
    assert (form["name"], form["strict"]) == ("Person", True)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="yaml"):
        _bridge(response_format={"type": "yaml"})


def test_tools_of_every_kind_and_web_search_come_together() -> None:
    request = _bridge(
        tools=[FUNCTION, {"type": "code_interpreter", "container": {"type": "auto"}}],
        web_search_options={},
    )
    kinds = [tool["type"] for tool in request.parameters["tools"]]
    assert kinds == ["function", "code_interpreter", "web_search"]


def test_deprecated_functions_allow_one_call_at_a_time() -> None:
    request = _bridge(functions=[{"name": "f"}], function_call={"name": "f"})
    assert request.legacy_functions
    assert request.parameters["parallel_tool_calls"] is False
    assert request.parameters["tool_choice"] == {"type": "function", "name": "f"}
    with pytest.raises(ConfigurationError, match="empty"):
        _bridge(functions=[])


def test_log_probabilities_are_included() -> None:
    wanted = ["file_search_call.results", "message.output_text.logprobs"]
    request = _bridge(logprobs=True, top_logprobs=2, include=["file_search_call.results"])
    assert request.parameters["include"] == wanted
    assert request.parameters["top_logprobs"] == 2


def test_usage_is_the_bridges_business_and_obfuscation_the_services() -> None:
    request = _bridge(
        stream=True, stream_options={"include_usage": True, "include_obfuscation": False}
    )
    assert request.stream
    assert request.include_usage
    assert request.parameters["stream_options"] == {"include_obfuscation": False}


def test_what_is_about_the_call_and_not_the_body_is_told_apart() -> None:
    request = _bridge(
        extra_headers={"x": "y"},
        extra_query={"a": "b"},
        timeout=5,
        user_security_context={"source_ip": "::1"},
    )
    assert request.options == {
        "extra_headers": {"x": "y"},
        "extra_query": {"a": "b"},
        "timeout": 5,
        "extra_body": {"user_security_context": {"source_ip": "::1"}},
    }


def test_parameters_in_the_extra_body_win_and_the_rest_is_sent_as_it_is() -> None:
    request = _bridge(
        reasoning_effort="low",
        extra_body={"reasoning_effort": "high", "stream": True, "model": "o3", "beta": [1]},
    )
    assert request.parameters["reasoning"] == {"effort": "high"}
    assert request.parameters["model"] == "o3"
    assert request.stream
    assert request.options == {"extra_body": {"beta": [1]}}


@pytest.mark.parametrize(
    ("chat", "asks"),
    [
        ({"model": "o4-mini"}, True),
        ({"model": "gpt-4o"}, False),
        ({"model": "prod"}, False),
        ({"model": "prod", "reasoning_effort": "low"}, True),
        ({"model": "prod", "include": ["reasoning.encrypted_content"]}, True),
    ],
)
def test_encrypted_reasoning_is_asked_of_models_that_reason(chat: Any, asks: bool) -> None:
    assert (_bridge(**chat).parameters.get("include", []).count(ENCRYPTED) == 1) is asks


ENCRYPTED = "reasoning.encrypted_content"


def test_reasoning_in_the_messages_shows_that_the_model_reasons() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "AAA"}
    history = [*HELLO, {"role": "assistant", "content": "Hi", "reasoning_items": [item]}]
    assert _bridge(history, model="prod").parameters["include"] == [ENCRYPTED]


def test_the_caller_knows_best_whether_a_model_reasons() -> None:
    chat = {"messages": HELLO, "model": "gpt-5"}
    assert "include" not in to_responses_request(chat, is_reasoning_model=False).parameters
    chat = {"messages": HELLO, "model": "prod"}
    assert to_responses_request(chat, is_reasoning_model=True).parameters["include"] == [ENCRYPTED]


def test_calls_of_declared_hosted_tools_are_known_by_their_names() -> None:
    function = {"name": "computer", "arguments": '{"action": {"type": "screenshot"}}'}
    history = [*HELLO, {**_TOOL_TURN, "tool_calls": [{"id": "c1", "function": function}]}]
    preview = {"type": "computer_use_preview", "environment": "browser"}
    assert _bridge(history, tools=[preview]).parameters["input"][1]["type"] == "computer_call"
    own = [preview, {"type": "function", "function": {"name": "computer"}}]
    assert _bridge(history, tools=own).parameters["input"][1]["type"] == "function_call"


def test_drop_params_drops_what_models_that_reason_refuse() -> None:
    chat = {"temperature": 0.2, "top_p": 1, "logprobs": True, "top_logprobs": 2}
    request = _bridge(model="o3", drop_params=True, **chat)
    assert request.parameters["include"] == [ENCRYPTED]
    assert "temperature" not in request.parameters
    assert "top_logprobs" not in request.parameters
    assert len(request.warnings) == 3
    neutral = _bridge(model="o3", drop_params=True, temperature=1)
    assert "temperature" not in neutral.parameters
    assert neutral.warnings == ()
    for kept in (
        _bridge(model="o3", temperature=0.2),
        _bridge(model="gpt-4o", temperature=0.2, drop_params=True),
        _bridge(model="gpt-5.1", temperature=0.2, reasoning_effort="none", drop_params=True),
    ):
        assert kept.parameters["temperature"] == 0.2
        assert kept.warnings == ()


def test_a_request_with_everything_fits_the_services_description() -> None:
    chat: dict[str, Any] = {name: SAME[name] for name in SAME if name != "moderation"}
    request = _bridge(
        [
            {"role": "system", "content": "S"},
            {"role": "developer", "content": [{"type": "text", "text": "D"}]},
            {
                "role": "user",
                "name": "ann",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                    {"type": "file", "file": {"file_id": "file-1"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "1"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "2"}]},
            {"role": "assistant", "content": "and so"},
        ],
        model="gpt-5",
        tools=[FUNCTION, {"type": "custom", "custom": {"name": "g"}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        max_completion_tokens=100,
        reasoning_effort="low",
        verbosity="low",
        response_format={"type": "json_object"},
        web_search_options={
            "user_location": {"type": "approximate", "approximate": {"country": "GB"}}
        },
        **chat,
    )
    errors = [
        error.message for error in validator("CreateResponse").iter_errors(request.parameters)
    ]
    assert errors == []
    assert request.warnings == ()


_REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "AAA",
}
_TOOL_TURN: dict[str, Any] = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


def test_reasoning_of_another_resource_is_left_out_with_one_warning() -> None:
    item = {**_REASONING, "resource": "west"}
    turns = [{"role": "assistant", "content": "Hi", "reasoning_items": [item]}] * 2
    chat = {"messages": turns}
    west = to_responses_request(chat, resource_tag="west")
    assert [item["type"] for item in west.parameters["input"]] == ["reasoning", "message"] * 2
    assert west.warnings == ()
    assert "resource" not in west.parameters["input"][0]
    north = to_responses_request(chat, resource_tag="north")
    assert [item["type"] for item in north.parameters["input"]] == ["message"] * 2
    (warning,) = north.warnings
    assert warning.startswith("2 reasoning items were left out")
    untold = to_responses_request(chat)
    assert untold.parameters["input"] == west.parameters["input"]


def test_the_cache_restores_what_a_client_dropped() -> None:
    cache = ReasoningCache()
    message = ChatCompletionMessage.model_validate(
        {**_TOOL_TURN, "reasoning_items": [{**_REASONING, "resource": "west"}]}
    )
    cache.remember(message, now=10)
    bare = {"messages": [_TOOL_TURN, {"role": "tool", "tool_call_id": "c1", "content": "1"}]}
    request = to_responses_request(bare, reasoning_cache=cache, now=20, resource_tag="west")
    kinds = [item["type"] for item in request.parameters["input"]]
    assert kinds == ["reasoning", "function_call", "function_call_output"]
    late = to_responses_request(bare, reasoning_cache=cache, now=99_999)
    assert [item["type"] for item in late.parameters["input"]] == kinds[1:]


# What a model may answer, as its output items.
_words = st.text(min_size=1, max_size=12)
_texts = st.builds(lambda text: {"type": "output_text", "text": text}, _words)
_refusals = st.builds(lambda text: {"type": "refusal", "refusal": text}, _words)
_messages = st.builds(
    lambda parts, phase: {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "content": parts,
        **({"phase": phase} if phase else {}),
    },
    st.lists(_texts | _refusals, min_size=1, max_size=3),
    st.sampled_from([None, "commentary", "final_answer"]),
)
_reasonings = st.builds(
    lambda number, text: {
        "type": "reasoning",
        "id": f"rs_{number}",
        "summary": [{"type": "summary_text", "text": text}],
        "encrypted_content": f"gAAA{number}",
    },
    st.integers(0, 99),
    _words,
)
_searches = st.just(
    {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
)


def _call_items(number: int, text: str) -> list[dict[str, Any]]:
    call_id = f"call_{number}"
    return [
        {"type": "function_call", "call_id": call_id, "name": "f", "arguments": text},
        {"type": "custom_tool_call", "call_id": call_id, "name": "g", "input": text},
        {
            "type": "apply_patch_call",
            "id": f"apc_{number}",
            "call_id": call_id,
            "status": "completed",
            "operation": {"type": "create_file", "path": text, "diff": "+x"},
        },
        {
            "type": "mcp_approval_request",
            "id": f"mcpr_{number}",
            "server_label": "s",
            "name": text,
            "arguments": "{}",
        },
    ]


_calls = st.builds(
    lambda number, text, kind: _call_items(number, text)[kind],
    st.integers(0, 9999),
    _words,
    st.integers(0, 3),
)
_outputs = st.lists(_messages | _reasonings | _searches | _calls, min_size=1, max_size=8)


def _replayed(item: dict[str, Any]) -> dict[str, Any]:
    """The item as it should go back: text and refusals of a message each in one piece."""
    if item["type"] != "message":
        return item
    text = "".join(part.get("text", "") for part in item["content"])
    refusal = "".join(part.get("refusal", "") for part in item["content"])
    replayed: dict[str, Any] = {"type": "message", "role": "assistant", "content": text}
    if refusal:
        said = [{"type": "output_text", "text": text}] if text else []
        replayed["content"] = [*said, {"type": "refusal", "refusal": refusal}]
    return {**replayed, "phase": item["phase"]} if "phase" in item else replayed


@settings(deadline=None)
@given(_outputs)
def test_any_answer_goes_back_item_for_item_through_json(output: list[dict[str, Any]]) -> None:
    response = Response.model_validate({"id": "r", "status": "completed", "output": output})
    completion = to_chat_completion(response, BridgedRequest({}, resource_tag="west"))
    message = json.loads(completion.choices[0].message.to_json())
    request = to_responses_request({"messages": [*HELLO, message]}, resource_tag="west")
    assert request.parameters["input"][1:] == [_replayed(item) for item in output]
    assert request.warnings == ()


@settings(deadline=None)
@given(_outputs)
def test_a_client_that_keeps_only_standard_fields_loses_no_word_and_no_call(
    output: list[dict[str, Any]],
) -> None:
    response = Response.model_validate({"id": "r", "status": "completed", "output": output})
    cache = ReasoningCache()
    completion = to_chat_completion(response, BridgedRequest({}, reasoning_cache=cache))
    message = completion.choices[0].message.to_dict()
    bare = {name: message.get(name) for name in ("role", "content", "refusal", "tool_calls")}
    tools = [{"type": "apply_patch"}, {"type": "mcp", "server_label": "s"}]
    request = to_responses_request(
        {"messages": [*HELLO, bare], "tools": tools}, reasoning_cache=cache
    )
    items = request.parameters["input"][1:]
    kinds = [item["type"] for item in items]
    expected = [item["type"] for item in output]
    waiting = {"function_call", "custom_tool_call", "apply_patch_call", "mcp_approval_request"}
    assert [kind for kind in kinds if kind in waiting] == [
        kind for kind in expected if kind in waiting
    ]
    if waiting & set(expected):
        assert kinds.count("reasoning") == expected.count("reasoning")


def test_a_parameter_of_the_wrong_kind_is_refused_by_name() -> None:
    chat = {"messages": [], "tool_choice": {"type": "allowed_tools", "tools": 5}}
    with pytest.raises(ConfigurationError, match="tool_choice has a field of the wrong kind"):
        to_responses_request(chat)


def test_input_and_messages_exclude_each_other() -> None:
    chat = {"messages": [{"role": "user", "content": "x"}], "input": "x"}
    with pytest.raises(ConfigurationError, match="both given"):
        to_responses_request(chat)
