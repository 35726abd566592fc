"""What LiteLLM's and agentgateway's conversions lose or get wrong, each with its right form here.

Read in LiteLLM 1.110.2 (responses/litellm_completion_transformation) and agentgateway 75b4e6c
(crates/llm/src/conversion).
"""

from typing import Any

import pytest

from azure_responses.errors import BadRequestError, ConfigurationError

from .cases import chunk, completion, convert, make, read, stream, told, written

_FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
_PNG = "data:image/png;base64,iVBORw0KGgo="


def test_litellm_loses_the_description_and_strictness_of_schemas() -> None:
    form = {"type": "json_schema", "name": "n", "description": "d", "schema": {}, "strict": False}
    schema = written({"text": {"format": form}})["response_format"]["json_schema"]
    assert (schema["description"], schema["strict"]) == ("d", False)


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        ({"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
        ({"store": True}, {"store": True}),
    ],
)
def test_litellm_loses_these_parameters(parameters: dict[str, Any], sent: dict[str, Any]) -> None:
    body = written(parameters)
    assert {name: body[name] for name in sent} == sent


def test_litellm_ignores_truncation() -> None:
    items = [{"role": "user", "content": text} for text in ("old", "new")]
    conversion = make({"input": items, "truncation": "auto"})
    conversion.write()
    assert (conversion.shortened() or {})["messages"] == [{"role": "user", "content": "new"}]


def test_litellm_loses_the_grammar_of_custom_tools() -> None:
    form = {"type": "grammar", "syntax": "lark", "definition": "start: /x+/"}
    (tool,) = written({"tools": [{"type": "custom", "name": "c", "format": form}]})["tools"]
    described = tool["function"]["parameters"]["properties"]["input"]["description"]
    assert described == "start: /x+/"


def test_litellm_reads_reasoning_of_streams_and_of_whole_replies_differently() -> None:
    whole = read(completion({"reasoning_content": "Hm.", "content": "Hi"}))
    last = stream([chunk(reasoning_content="Hm."), chunk(content="Hi"), chunk("stop")])[-1]
    assert last["response"]["output"] == whole["output"]
    assert whole["output"][0]["content"] == [{"type": "reasoning_text", "text": "Hm."}]


def test_litellm_keeps_citations_of_pages_only() -> None:
    citation = {"type": "file_citation", "file_citation": {"file_id": "f", "index": 1}}
    (item,) = read(completion({"content": "Hi", "annotations": [citation]}))["output"]
    assert item["content"][0]["annotations"] == [
        {"type": "file_citation", "file_id": "f", "index": 1}
    ]


def test_litellm_drops_hosted_tools_with_a_line_in_its_log() -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert({"tools": [{"type": "code_interpreter"}]})
    assert caught.value.param == "tools[0]"


def test_litellm_passes_allowed_tools_on_to_models_that_do_not_know_them() -> None:
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [_FUNCTION]}
    body = written({"tools": [_FUNCTION], "tool_choice": allowed}, "mistral-large")
    assert body["tool_choice"] == "auto"


def test_litellm_repairs_calls_without_outputs() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    with pytest.raises(BadRequestError, match="No tool output found for function call c"):
        convert({"input": [call]})


def test_litellm_streams_custom_input_only_at_the_end() -> None:
    tools = [{"type": "custom", "name": "c"}]
    pieces = ['{"input":"', "one ", "two", '"}']
    calls = [
        chunk(tool_calls=[{"index": 0, "id": "x", "function": {"name": "c", "arguments": piece}}])
        for piece in pieces
    ]
    events = stream([*calls, chunk("tool_calls")], {"tools": tools})
    deltas = [event["delta"] for event in events if event["type"].endswith("input.delta")]
    assert deltas == ["one ", "two"]


def test_agentgateway_drops_pictures_reasoning_and_log_probabilities() -> None:
    picture = {"type": "input_image", "image_url": _PNG}
    (message,) = told([{"role": "user", "content": [picture]}])
    assert message["content"][0]["image_url"] == {"url": _PNG}
    body = completion({"reasoning_content": "Hm.", "content": "Hi"})
    body["choices"][0]["logprobs"] = {"content": [{"token": "Hi", "logprob": -1}]}
    reasoning, answer = read(body)["output"]
    assert reasoning["content"][0]["text"] == "Hm."
    assert answer["content"][0]["logprobs"] == [{"token": "Hi", "logprob": -1}]


def test_agentgateway_sends_the_item_id_as_the_call_id() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "1"}
    assert told([call, output])[1]["tool_call_id"] == "c1"


def test_agentgateway_makes_a_new_call_id_for_each_event() -> None:
    piece = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}
    events = stream([chunk(tool_calls=[piece]), chunk("tool_calls")])
    assert {event["item"]["call_id"] for event in events if "item" in event} == {"c1"}


def test_agentgateway_leaves_out_the_event_that_ends_the_text() -> None:
    events = stream([chunk(content="Hi"), chunk("stop")])
    assert [event["text"] for event in events if event["type"] == "response.output_text.done"] == [
        "Hi"
    ]


def test_agentgateway_announces_a_message_before_every_call() -> None:
    piece = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}
    output = stream([chunk(tool_calls=[piece]), chunk("tool_calls")])[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["function_call"]


@pytest.mark.parametrize(
    ("reason", "said"), [("content_filter", "content_filter"), ("length", "max_output_tokens")]
)
def test_agentgateway_fails_filtered_answers_and_misnames_the_limit(reason: str, said: str) -> None:
    whole = read(completion({"content": "Hi"}, reason))
    assert (whole["status"], whole["incomplete_details"]) == ("incomplete", {"reason": said})
