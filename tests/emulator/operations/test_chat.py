"""Chat completions on every surface, and what each family refuses and shows."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.emulator import Clock, EmulatedDeployment, Emulator, Resource
from tests.emulator.callers import BEGIN, create, events_of, open_client

CHAT = "/openai/v1/chat/completions"
MODELS = "/models/chat/completions?api-version=2024-05-01-preview"
NOT_CLAUDE = {
    "error": {
        "code": "api_not_supported",
        "message": "Requested API is currently not supported",
        "details": "Requested API is currently not supported",
    }
}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def chat(
    client: httpx.Client, model: str, prompt: Any = "Say hello", **given: Any
) -> httpx.Response:
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    path = given.pop("path", CHAT)
    return client.post(path, json={"model": model, "messages": messages, **given})


def message_of(reply: httpx.Response) -> dict[str, Any]:
    message: dict[str, Any] = reply.json()["choices"][0]["message"]
    return message


def collect(reply: httpx.Response) -> dict[str, Any]:
    """The message and the finish reason that a stream adds up to."""
    message: dict[str, Any] = {}
    calls: dict[int, dict[str, Any]] = {}
    reason = None
    for chunk in events_of(reply):
        for choice in chunk["choices"]:
            reason = choice["finish_reason"] or reason
            for name, value in choice.get("delta", {}).items():
                if name == "tool_calls":
                    for part in value:
                        call = calls.setdefault(part["index"], {"arguments": ""})
                        call.update({key: part[key] for key in ("id", "type") if key in part})
                        call["name"] = part["function"].get("name", call.get("name"))
                        call["arguments"] += part["function"]["arguments"]
                elif name != "role" and value:
                    message[name] = message.get(name, "") + value
    return {**message, "calls": [calls[index] for index in sorted(calls)], "reason": reason}


def whole(reply: httpx.Response) -> dict[str, Any]:
    """The same of a reply that was not streamed."""
    choice = reply.json()["choices"][0]
    message = {
        name: choice["message"].get(name)
        for name in ("content", "refusal", "reasoning_content")
        if choice["message"].get(name)
    }
    calls = [
        {"id": call["id"], "type": call["type"], **call["function"]}
        for call in choice["message"].get("tool_calls", ())
    ]
    return {**message, "calls": calls, "reason": choice["finish_reason"]}


# --- surfaces -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["Kimi-K2.5", "Mistral-Large-3", "gpt-4", "gpt-35-turbo"])
def test_chat_only_models_refuse_responses(client: httpx.Client, model: str) -> None:
    assert message_of(chat(client, model))["content"]
    reply = create(client, model=model)
    assert reply.status_code == 400
    expected = "This model is not supported by the Responses API"
    if model.startswith("Mistral"):
        expected = "Model not supported"
    assert reply.json()["error"]["message"] == expected
    compacted = client.post("/openai/v1/responses/compact", json={"model": model, "input": "x"})
    assert compacted.json() == reply.json()


@pytest.mark.parametrize(
    "path",
    [CHAT, MODELS, "/openai/deployments/claude-opus-4-8/chat/completions?api-version=2024-10-21"],
)
def test_claude_answers_no_openai_route(client: httpx.Client, path: str) -> None:
    reply = chat(client, "claude-opus-4-8", path=path)
    assert (reply.status_code, reply.json()) == (404, NOT_CLAUDE)


def test_claude_answers_no_responses(client: httpx.Client) -> None:
    reply = create(client, model="claude-opus-4-8")
    assert (reply.status_code, reply.json()) == (404, NOT_CLAUDE)


def test_a_deployment_that_answers_responses_alone_refuses_chat() -> None:
    deployments = [EmulatedDeployment("d", "gpt-5.2", api="responses")]
    with open_client(Emulator([Resource("r", deployments=deployments)])) as client:
        reply = chat(client, "d")
        assert create(client, model="d").status_code == 200
    assert reply.status_code == 400
    assert reply.json()["error"] == {
        "code": "OperationNotSupported",
        "message": "The requested operation is unsupported.",
    }


def test_the_deployment_may_stand_in_the_path(client: httpx.Client) -> None:
    path = "/openai/deployments/Kimi-K2.5/chat/completions?api-version=2025-04-01-preview"
    assert message_of(chat(client, "ignored", path=path))["reasoning_content"]


def test_the_older_inference_route_needs_a_version_and_a_model(client: httpx.Client) -> None:
    assert chat(client, "Kimi-K2.5", path=MODELS).status_code == 200
    reply = chat(client, "Kimi-K2.5", path="/models/chat/completions")
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == "Missing required query parameter: api-version"
    body = {"messages": [{"role": "user", "content": "Hello"}]}
    assert client.post(MODELS, json=body).json()["error"]["code"] == "no_model_name"
    headers = {"x-ms-model-mesh-model-name": "Kimi-K2.5"}
    assert client.post(MODELS, json=body, headers=headers).status_code == 200


def test_an_unknown_model_on_the_older_route_is_a_400() -> None:
    deployments = [EmulatedDeployment("known", "Kimi-K2.5")]
    with open_client(Emulator([Resource("r", deployments=deployments)])) as client:
        reply = chat(client, "other", path=MODELS)
    message = "Unknown model: other"
    error = {"code": "unknown_model", "message": message, "details": message}
    assert (reply.status_code, reply.json()) == (400, {"error": error})


@pytest.mark.parametrize("mode", [None, "error", "drop", "pass-through"])
def test_extra_parameters_go_by_their_header(client: httpx.Client, mode: str | None) -> None:
    headers = {"extra-parameters": mode} if mode else {}
    body = {
        "model": "DeepSeek-V3.2",
        "messages": [{"role": "user", "content": "Hello"}],
        "prompt_cache_key": "k",
    }
    reply = client.post(MODELS, json=body, headers=headers)
    if mode == "drop":
        assert reply.status_code == 200
    elif mode == "pass-through":
        assert reply.status_code == 400
        assert reply.json()["error"]["code"] == "unrecognized_request_argument"
    else:
        assert reply.status_code == 422
        (detail,) = reply.json()["error"]["details"]
        assert detail["loc"] == ["body", "prompt_cache_key"]
        assert "Extra parameters ['prompt_cache_key'] are not allowed" in detail["msg"]


def test_a_serverless_endpoint_is_one_deployment_and_takes_its_key_as_bearer() -> None:
    emulator = Emulator([Resource("r", deployments=[EmulatedDeployment("Mistral-large")])])
    endpoint = "https://Mistral-large.eastus2.models.ai.azure.com"
    body = {"messages": [{"role": "user", "content": "Hello"}]}
    with open_client(emulator, endpoint, key="") as client:
        assert client.post("/chat/completions", json=body).status_code == 401
        client.headers["authorization"] = f"Bearer {emulator.api_key}"
        for path in ("/chat/completions", "/v1/chat/completions"):
            assert client.post(path, json=body).json()["model"] == "Mistral-large"


def test_serverless_paths_exist_on_no_other_host(client: httpx.Client) -> None:
    assert chat(client, "Mistral-large", path="/chat/completions").status_code == 404


def test_a_serverless_host_of_no_deployment_does_not_resolve() -> None:
    emulator = Emulator([Resource("r", deployments=[EmulatedDeployment("a")])])
    endpoint = "https://b.eastus2.models.ai.azure.com"
    with open_client(emulator, endpoint) as client, pytest.raises(httpx.ConnectError):
        chat(client, "b", path="/chat/completions")


# --- what a family shows --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "given", "shows"),
    [
        ("Kimi-K2.5", {}, True),
        ("Kimi-K2.5", {"thinking": {"type": "disabled"}}, False),
        ("DeepSeek-V4-Pro", {}, False),
        ("DeepSeek-V4-Pro", {"reasoning_effort": "high"}, True),
        ("DeepSeek-R1", {}, True),
        ("DeepSeek-V3", {}, False),
        ("MAI-DS-R1", {}, True),
        ("gpt-oss-120b", {}, True),
        ("grok-3-mini", {}, True),
        ("grok-4", {}, False),
        ("Mistral-Large-3", {}, False),
        ("Llama-4-Maverick", {}, False),
        ("gpt-5-mini", {}, False),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_is_shown_by_the_families_that_show_it(
    client: httpx.Client, model: str, given: dict[str, Any], shows: bool, stream: bool
) -> None:
    reply = chat(
        client, model, "Say hello [[azure:reason:Short and kind.]]", stream=stream, **given
    )
    read = collect(reply) if stream else whole(reply)
    assert read.get("reasoning_content") == ("Short and kind." if shows else None)


def test_grok_counts_reasoning_that_it_does_not_show(client: httpx.Client) -> None:
    usage = chat(client, "grok-4").json()["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] > 0
    silent = chat(client, "grok-4-fast-non-reasoning").json()["usage"]
    assert silent["completion_tokens_details"]["reasoning_tokens"] == 0


@pytest.mark.parametrize("path", [CHAT, MODELS])
def test_r1_thinks_aloud_on_the_older_route(client: httpx.Client, path: str) -> None:
    reply = chat(client, "DeepSeek-R1", "what is 2+3 [[azure:reason:Add.]]", path=path)
    message = message_of(reply)
    if path == MODELS:
        assert message["content"] == "<think>\nAdd.\n</think>\n\n2 + 3 = 5"
        assert "reasoning_content" not in message
    else:
        assert (message["content"], message["reasoning_content"]) == ("2 + 3 = 5", "Add.")


@pytest.mark.parametrize("stream", [False, True])
def test_deepseek_puts_json_into_its_reasoning(client: httpx.Client, stream: bool) -> None:
    given = {"response_format": {"type": "json_object"}, "reasoning_effort": "low"}
    prompt = 'JSON with "city" of Paris'
    reply = chat(client, "DeepSeek-V4-Pro", prompt, stream=stream, **given)
    read = collect(reply) if stream else whole(reply)
    assert "content" not in read
    assert isinstance(json.loads(read["reasoning_content"]), dict)
    del given["reasoning_effort"]
    assert json.loads(message_of(chat(client, "DeepSeek-V4-Pro", prompt, **given))["content"])


def test_mistral_sends_usage_unasked_and_calls_whole(client: httpx.Client) -> None:
    reply = chat(client, "Mistral-Large-3", "weather in Rome", tools=[WEATHER], stream=True)
    last = events_of(reply)[-1]
    assert last["choices"][0]["finish_reason"] == "tool_calls"
    assert set(last["usage"]) == {"completion_tokens", "prompt_tokens", "total_tokens"}
    parts = [
        part
        for chunk in events_of(reply)
        for choice in chunk["choices"]
        for part in choice["delta"].get("tool_calls", ())
    ]
    assert [part["function"]["arguments"] for part in parts] == ['{"city":"Rome"}']
    assert len(parts[0]["id"]) == 9


def test_kimi_numbers_the_calls_of_a_conversation(client: httpx.Client) -> None:
    prompt = "weather in Rome and Paris"
    first = message_of(chat(client, "Kimi-K2.5", prompt, tools=[WEATHER]))
    ids = [call["id"] for call in first["tool_calls"]]
    assert ids == ["functions.get_weather:0", "functions.get_weather:1"]
    messages = [
        {"role": "user", "content": prompt},
        first,
        *({"role": "tool", "tool_call_id": one, "content": "sunny"} for one in ids),
        {"role": "user", "content": "weather in Oslo"},
    ]
    second = message_of(chat(client, "Kimi-K2.5", messages, tools=[WEATHER]))
    assert [call["id"] for call in second["tool_calls"]] == ["functions.get_weather:2"]


@pytest.mark.parametrize("model", ["Kimi-K2.5", "Mistral-Large-3", "grok-4", "gpt-4"])
def test_pictures_schemas_and_probabilities_are_taken(client: httpx.Client, model: str) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    prompt = [{"role": "user", "content": [{"type": "text", "text": "Paris"}, picture]}]
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    written = message_of(chat(client, model, prompt, response_format=form))["content"]
    assert set(json.loads(written)) == {"city"}
    reply = chat(client, model, "what is 2+3", logprobs=True, top_logprobs=2)
    entries = reply.json()["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == "2 + 3 = 5"


@pytest.mark.parametrize("model", ["Kimi-K2.5", "Mistral-Large-3", "DeepSeek-R1", "grok-4"])
def test_calls_and_outputs_that_do_not_match_are_refused(client: httpx.Client, model: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "x"}
    hello = {"role": "user", "content": "Hello"}
    output = {"role": "tool", "tool_call_id": "b", "content": "x"}
    for messages in ([hello, said], [hello, said, hello], [hello, output], [hello, said, output]):
        assert chat(client, model, messages).status_code == 400


def test_a_router_names_the_model_that_it_chose(client: httpx.Client) -> None:
    prompt = "Hello [[azure:route:DeepSeek-V3.2]]"
    assert chat(client, "model-router", prompt).json()["model"] == "DeepSeek-V3.2"
    assert create(client, model="model-router", input=prompt).json()["model"] == "DeepSeek-V3.2"
    assert chat(client, "gpt-4.1", prompt).json()["model"] == "gpt-4.1-2025-04-14"


# --- what a family refuses ------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"reasoning_content": ""}, {"reasoning_content": "Hm."}])
@pytest.mark.parametrize("thinking", ["enabled", "disabled"])
def test_kimi_wants_the_reasoning_of_its_calls_back(
    client: httpx.Client, given: dict[str, Any], thinking: str
) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "weather in Rome"},
        {"role": "assistant", "content": "", "tool_calls": [call], **given},
        {"role": "tool", "tool_call_id": "a", "content": "sunny"},
    ]
    body = {"tools": [WEATHER], "thinking": {"type": thinking}}
    reply = chat(client, "Kimi-K2.5", messages, **body)
    if given or thinking == "disabled":
        assert reply.status_code == 200
        return
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == (
        "thinking is enabled but reasoning_content is missing in assistant tool call message at "
        "index 1"
    )


@pytest.mark.parametrize("model", ["DeepSeek-V4-Pro", "Kimi-K2.5"])
@pytest.mark.parametrize("name", ["prompt_cache_key", "prompt_cache_retention", "extra_body"])
def test_an_unrecognized_argument_is_named(client: httpx.Client, model: str, name: str) -> None:
    reply = chat(client, model, **{name: "in_memory"})
    assert reply.status_code == 400
    assert reply.json()["error"] == {
        "message": f"Unrecognized request argument supplied: {name}",
        "type": "invalid_request_error",
        "param": None,
        "code": "unrecognized_request_argument",
    }


def test_deepseek_takes_no_thinking_parameter(client: httpx.Client) -> None:
    reply = chat(client, "DeepSeek-V4-Pro", thinking={"type": "enabled"})
    assert reply.json()["error"]["code"] == "unrecognized_request_argument"


def test_deepseek_refuses_effort_and_encrypted_reasoning_on_responses(client: httpx.Client) -> None:
    assert create(client, model="DeepSeek-V4-Pro").status_code == 200
    reply = create(client, model="DeepSeek-V4-Pro", reasoning={"effort": "low"})
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == (
        "Unsupported parameter: 'reasoning.effort' is not supported with this model."
    )
    reply = create(client, model="DeepSeek-V4-Pro", include=["reasoning.encrypted_content"])
    error = reply.json()["error"]
    assert error["message"] == "Encrypted content is not supported with this model."
    assert error["param"] == "include"


def test_the_cache_of_deepseek_misses_without_earlier_reasoning(client: httpx.Client) -> None:
    long = "word " * 2000
    first = message_of(chat(client, "DeepSeek-R1", long))
    cached = []
    for said in (first, {"role": "assistant", "content": first["content"]}):
        messages = [
            {"role": "user", "content": long},
            {name: value for name, value in said.items() if value},
            {"role": "user", "content": "Go on"},
        ]
        usage = chat(client, "DeepSeek-R1", messages).json()["usage"]
        cached.append(usage["prompt_tokens_details"]["cached_tokens"])
    assert cached[0] > 1000
    assert cached[1] == 0


@pytest.mark.parametrize(
    ("given", "places"),
    [
        ({"max_completion_tokens": 5}, [["body", "max_completion_tokens"]]),
        ({"frequency_penalty": 0}, [["body", "frequency_penalty"]]),
        ({"presence_penalty": 1, "user": "u"}, [["body", "presence_penalty"], ["body", "user"]]),
        ({"foo": 1}, [["body", "foo"]]),
        (
            {"stream": True, "stream_options": {"include_usage": True}},
            [["body", "stream_options", "include_usage"]],
        ),
        ({"prompt": [{"role": "developer", "content": "x"}]}, [["body", "messages", 0]]),
    ],
)
def test_mistral_answers_as_pydantic_does(
    client: httpx.Client, given: dict[str, Any], places: list[list[Any]]
) -> None:
    reply = chat(client, "Mistral-Large-3", **given)
    error = reply.json()["error"]
    assert (reply.status_code, error["status"]) == (400, 422)
    details = json.loads(error["message"])["detail"]
    assert [detail["loc"] for detail in details] == places
    direct = chat(client, "Mistral-Large-3", path=MODELS, **given)
    if "frequency_penalty" in given:
        assert (direct.status_code, direct.json()) == (422, {"detail": details})


def test_mistral_takes_max_tokens(client: httpx.Client) -> None:
    reply = chat(client, "Mistral-Large-3", max_tokens=100, safe_prompt=True, random_seed=7)
    assert reply.status_code == 200


@pytest.mark.parametrize("name", ["presence_penalty", "frequency_penalty", "stop"])
def test_grok_4_answers_with_a_string_for_an_error(client: httpx.Client, name: str) -> None:
    value: Any = ["x"] if name == "stop" else 0
    reply = chat(client, "grok-4", **{name: value})
    assert reply.status_code == 400
    assert reply.json() == {
        "code": "invalid-argument",
        "error": f"Model grok-4 does not support {name}",
    }
    assert chat(client, "grok-3", **{name: value}).status_code == 200
    assert chat(client, "grok-code-fast-1", **{name: value}).status_code == 200


def test_grok_takes_effort_and_no_references_in_schemas(client: httpx.Client) -> None:
    given = {"temperature": 0.3, "max_tokens": 50, "reasoning_effort": "low"}
    assert chat(client, "grok-4.3", **given).status_code == 200
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    reply = chat(client, "grok-4.3", tools=[tool])
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid-argument")


@pytest.mark.parametrize(
    ("model", "effort", "refused"),
    [
        ("gpt-5.4", None, False),
        ("gpt-5.4", "low", True),
        ("gpt-5.4", "none", False),
        ("gpt-5.6-sol", "low", True),
        ("gpt-6", None, True),
        ("gpt-6", "none", False),
        ("gpt-5.2", "low", False),
    ],
)
def test_the_newest_gpt_takes_no_functions_while_it_reasons(
    client: httpx.Client, model: str, effort: str | None, refused: bool
) -> None:
    given = {"reasoning_effort": effort} if effort else {}
    assert chat(client, model, **given).status_code == 200
    reply = chat(client, model, tools=[WEATHER], **given)
    assert reply.status_code == (400 if refused else 200)
    if refused:
        error = reply.json()["error"]
        assert error["param"] == "reasoning_effort"
        assert f"not supported for {model} in /v1/chat/completions" in error["message"]


# --- streams --------------------------------------------------------------------------------------

PROMPTS = [
    "what is 2+3",
    "weather in Rome and Paris",
    "weather in Rome, Paris and Oslo [[azure:interleave]]",
    "weather in Rome [[azure:say:Let me look.]]",
    "weather in Rome [[azure:say:Before.]] [[azure:say-after:After.]]",
    "[[azure:refuse]]",
    "[[azure:block-output]] tell me a story of 3 sentences",
    "[[azure:length:40]]",
    "Say hello [[azure:reason:One.]] [[azure:reason:Two.]]",
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(
    "model", ["Kimi-K2.5", "DeepSeek-R1", "Mistral-Large-3", "grok-4", "gpt-4", "gpt-oss-120b"]
)
def test_a_stream_adds_up_to_the_whole_reply(model: str, prompt: str) -> None:
    read = []
    for stream in (False, True):
        with open_client(Emulator(clock=Clock(BEGIN))) as client:
            reply = chat(client, model, prompt, tools=[WEATHER], stream=stream)
            read.append(collect(reply) if stream else whole(reply))
    assert read[0] == read[1]


def test_calls_may_be_mixed_in_a_stream(client: httpx.Client) -> None:
    reply = chat(client, "Kimi-K2.5", PROMPTS[2], tools=[WEATHER], stream=True)
    order = [
        part["index"]
        for chunk in events_of(reply)
        for choice in chunk["choices"]
        for part in choice["delta"].get("tool_calls", ())
    ]
    assert order[:3] == [0, 1, 2]
    assert order != sorted(order)


@pytest.mark.parametrize("model", ["Kimi-K2.5", "Mistral-Large-3"])
def test_the_asynchronous_filter_tells_its_results_without_a_delta(model: str) -> None:
    deployments = [EmulatedDeployment("d", model, chunking="async")]
    with open_client(Emulator([Resource("r", deployments=deployments)])) as client:
        reply = chat(client, "d", "what is 2+3", stream=True)
    found = [chunk for chunk in events_of(reply)
             if any("delta" not in choice for choice in chunk["choices"])]  # fmt: skip
    (annotation,) = found
    (choice,) = annotation["choices"]
    assert (annotation["id"], annotation["model"]) == ("", "")
    assert choice["content_filter_offsets"]["end_offset"] == len("2 + 3 = 5")
    assert collect(reply)["content"] == "2 + 3 = 5"


def test_several_thoughts_are_one_text(client: httpx.Client) -> None:
    assert message_of(chat(client, "Kimi-K2.5", PROMPTS[8]))["reasoning_content"] == "One.\n\nTwo."


def test_an_answer_cut_while_it_thinks_shows_the_beginning(client: httpx.Client) -> None:
    reply = chat(client, "Kimi-K2.5", "Hi [[azure:reason:one two three four]]", max_tokens=2)
    choice = reply.json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["reasoning_content"] == "one two"
    assert choice["message"]["content"] is None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "function", "role", "content"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
_NAMES = st.sampled_from(
    ["messages", "thinking", "tools", "stream_options", "reasoning_effort", "response_format",
     "stop", "user", "prompt_cache_key", "max_tokens", "temperature", "foo", "stream"]
)  # fmt: skip
_MODELS = st.sampled_from(
    ["Kimi-K2.5", "DeepSeek-V4-Pro", "Mistral-Large-3", "grok-4", "gpt-6", "gpt-oss-120b"]
)


@settings(max_examples=200, deadline=None)
@given(_MODELS, st.dictionaries(_NAMES, _VALUES, max_size=4), st.sampled_from([CHAT, MODELS]))
def test_any_body_is_answered_or_refused(model: str, fields: dict[str, Any], path: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **fields}
    with open_client(Emulator(clock=Clock(BEGIN))) as client:
        reply = client.post(path, json=body)
    assert reply.status_code in (200, 400, 422)
    if reply.status_code != 200:
        assert reply.json().keys() & {"error", "detail"}
