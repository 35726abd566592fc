"""Messages of Claude: what is answered, refused, streamed and counted, as it looks on the wire."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.emulator import (
    Assumptions,
    Clock,
    EmulatedDeployment,
    Emulator,
    Fault,
    Resource,
)
from tests.emulator.callers import BEGIN, events_of, open_client

ENDPOINT = "https://emulator.services.ai.azure.com"
MESSAGES = "/anthropic/v1/messages"
HELLO = [{"role": "user", "content": "Say hello"}]
NOT_SUPPORTED = "Requested API is currently not supported"
WEATHER = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
ENABLED = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
ADAPTIVE = {"thinking": {"type": "adaptive"}}
PIXEL = "iVBORw0KGgo="


def open_claude(emulator: Emulator) -> httpx.Client:
    client = open_client(emulator, ENDPOINT, key="")
    client.headers.update({"x-api-key": emulator.api_key, "anthropic-version": "2023-06-01"})
    return client


@pytest.fixture
def claude(emulator: Emulator) -> Iterator[httpx.Client]:
    with open_claude(emulator) as opened:
        yield opened


def ask(client: httpx.Client, prompt: Any = "Say hello", **fields: Any) -> httpx.Response:
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    body = {"model": "claude-opus-4-6", "max_tokens": 4096, "messages": messages, **fields}
    path = body.pop("path", MESSAGES)
    return client.post(path, json={key: value for key, value in body.items() if value is not ...})


def refusal(reply: httpx.Response, status: int = 400) -> str:
    """The message of an error in Anthropic's envelope."""
    body = reply.json()
    assert reply.status_code == status, body
    assert set(body) == {"type", "error", "request_id"}
    assert (body["type"], body["request_id"]) == ("error", reply.headers["request-id"])
    return str(body["error"]["message"])


def collect(reply: httpx.Response) -> dict[str, Any]:
    """The message that the events of a stream add up to."""
    message: dict[str, Any] = {}
    for event in events_of(reply):
        kind = event["type"]
        if kind == "message_start":
            message = event["message"]
        elif kind == "content_block_start":
            message["content"].append({**event["content_block"], "_json": ""})
        elif kind == "content_block_delta":
            _apply(message["content"][event["index"]], event["delta"])
        elif kind == "message_delta":
            message.update(event["delta"])
            message["usage"] = {**message["usage"], **event["usage"]}
    for block in message["content"]:
        written = block.pop("_json")
        if written:
            block["input"] = json.loads(written)
    return message


def _apply(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if delta["type"] == "citations_delta":
        block["citations"].append(delta["citation"])
    elif delta["type"] == "input_json_delta":
        block["_json"] += delta["partial_json"]
    else:
        field = delta["type"].removesuffix("_delta")
        block[field] += delta[field]


def types_of(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["content"]]


# --- access ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x-api-key", "api-key", "authorization"])
def test_a_key_opens_in_each_header(emulator: Emulator, name: str) -> None:
    with open_client(emulator, ENDPOINT, key="") as client:
        client.headers["anthropic-version"] = "2023-06-01"
        assert ask(client).status_code == 401
        key = f"Bearer {emulator.api_key}" if name == "authorization" else emulator.api_key
        assert ask(client).status_code == 401
        client.headers[name] = key
        assert ask(client).status_code == 200
    assert emulator.requests[-1].headers[name].endswith("REDACTED")


@pytest.mark.parametrize(
    "audience", ["https://ai.azure.com", "https://cognitiveservices.azure.com"]
)
def test_an_entra_token_opens(emulator: Emulator, audience: str) -> None:
    with open_client(emulator, ENDPOINT, key="") as client:
        client.headers["anthropic-version"] = "2023-06-01"
        client.headers["authorization"] = f"Bearer {emulator.issuer.mint(audience)}"
        assert ask(client).status_code == 200


def test_the_version_is_required(claude: httpx.Client) -> None:
    del claude.headers["anthropic-version"]
    assert refusal(ask(claude)) == "anthropic-version: header is required"
    claude.headers["anthropic-version"] = "2026-10-21"
    assert ask(claude).status_code == 200
    claude.headers["anthropic-version"] = "latest"
    assert "is not a valid version" in refusal(ask(claude))


def test_betas_are_tolerated_but_for_the_scope_of_caches(claude: httpx.Client) -> None:
    claude.headers["anthropic-beta"] = "claude-code-20250219,interleaved-thinking-2025-05-14"
    assert ask(claude).status_code == 200
    claude.headers["anthropic-beta"] = "prompt-caching-scope-2026-01-05"
    assert "prompt-caching-scope-2026-01-05" in refusal(ask(claude))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/anthropic/v1/models"),
        ("POST", "/anthropic/v1/messages/batches"),
        ("GET", "/anthropic/v1/messages/batches"),
        ("POST", "/anthropic/v1/messages/messages"),
        ("POST", "/anthropic/messages"),
        ("POST", "/anthropic/v1/complete"),
    ],
)
def test_what_foundry_lacks_is_not_supported(claude: httpx.Client, method: str, path: str) -> None:
    reply = claude.request(method, path, json={"model": "claude-opus-4-6", "messages": HELLO})
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "api_not_supported")


def test_a_project_has_no_messages(claude: httpx.Client) -> None:
    assert ask(claude, path="/api/projects/p/anthropic/v1/messages").status_code == 404


def test_other_models_answer_no_messages(claude: httpx.Client) -> None:
    reply = ask(claude, model="gpt-4.1")
    assert (reply.status_code, reply.json()["error"]["message"]) == (404, NOT_SUPPORTED)


def test_an_unknown_deployment_is_answered_by_the_gateway_in_front() -> None:
    deployments = [EmulatedDeployment("mine", "claude-opus-4-6")]
    emulator = Emulator([Resource("emulator", deployments=deployments)])
    with open_claude(emulator) as client:
        assert ask(client, model="mine").json()["model"] == "claude-opus-4-6"
        reply = ask(client, model="other")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "DeploymentNotFound")


# --- answers --------------------------------------------------------------------------------------


def test_a_message_answers_as_the_responses_api_does(claude: httpx.Client) -> None:
    message = ask(claude, "what is 2+3").json()
    assert message["content"] == [{"type": "text", "text": "2 + 3 = 5"}]
    assert (message["type"], message["role"]) == ("message", "assistant")
    assert (message["stop_reason"], message["stop_sequence"]) == ("end_turn", None)
    assert message["usage"]["input_tokens"] > 0


def test_the_system_prompt_is_read(claude: httpx.Client) -> None:
    for system in ("Reply with exactly: pong", [{"type": "text", "text": "[[azure:length:7]]"}]):
        message = ask(claude, "x", system=system).json()
        assert message["content"][0]["text"]
    assert message["content"][0]["text"] == " ".join(["word"] * 7)


def test_a_five_turn_loop_keeps_thinking_and_calls(claude: httpx.Client) -> None:
    messages: list[dict[str, Any]] = []
    for place in ("Rome", "Paris", "Oslo", "Bern", "Lima"):
        messages.append({"role": "user", "content": f"weather in {place}"})
        given = {"tools": [WEATHER], **ADAPTIVE, "model": "claude-opus-4-8"}
        called = ask(claude, messages, **given).json()
        assert types_of(called) == ["thinking", "tool_use"]
        assert called["content"][1]["input"] == {"city": place}
        assert called["content"][1]["id"].startswith("toolu_01")
        result = {
            "type": "tool_result",
            "tool_use_id": called["content"][1]["id"],
            "content": [{"type": "text", "text": f"{place} is sunny"}],
        }
        messages += [
            {"role": "assistant", "content": called["content"]},
            {"role": "user", "content": [result]},
        ]
        answered = ask(claude, messages, **given).json()
        assert answered["stop_reason"] == "end_turn"
        assert f"{place} is sunny" in answered["content"][-1]["text"]
        messages.append({"role": "assistant", "content": answered["content"]})


@pytest.mark.parametrize(
    ("choice", "types"),
    [
        ({"type": "auto"}, ["text"]),
        ({"type": "any"}, ["tool_use"]),
        ({"type": "tool", "name": "get_weather"}, ["tool_use"]),
        ({"type": "none"}, ["text"]),
    ],
)
def test_tool_choice_decides(
    claude: httpx.Client, choice: dict[str, Any], types: list[str]
) -> None:
    message = ask(claude, tools=[WEATHER], tool_choice=choice).json()
    assert types_of(message) == types


def test_calls_are_parallel_unless_that_is_switched_off(claude: httpx.Client) -> None:
    prompt = "weather in Rome and Paris"
    assert types_of(ask(claude, prompt, tools=[WEATHER]).json()) == ["tool_use", "tool_use"]
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    message = ask(claude, prompt, tools=[WEATHER], tool_choice=choice).json()
    assert types_of(message) == ["tool_use"]


@pytest.mark.parametrize(
    ("prompt", "given", "reason"),
    [
        ("[[azure:length:50]]", {"max_tokens": 10}, "max_tokens"),
        ("weather in Rome", {"tools": [WEATHER], "max_tokens": 17}, "max_tokens"),
        ("[[azure:refuse]]", {}, "refusal"),
        ("[[azure:block-prompt]]", {}, "refusal"),
        ("[[azure:block-output]] count from 1 to 30", {}, "refusal"),
        ("Count from 1 to 9", {"stop_sequences": ["6", "4"]}, "stop_sequence"),
        ("search the web [[azure:pause]]", {}, "pause_turn"),
    ],
)
def test_stop_reasons(
    claude: httpx.Client, prompt: str, given: dict[str, Any], reason: str
) -> None:
    message = ask(claude, prompt, **given).json()
    assert message["stop_reason"] == reason
    assert (message["stop_details"] is not None) is (reason == "refusal")
    if reason == "stop_sequence":
        assert message["stop_sequence"] == "4"
        assert message["content"][0]["text"].rstrip(", \n").endswith("3")


def test_a_full_window_is_a_stop_reason_of_its_own(claude: httpx.Client) -> None:
    # Haiku's window of 200,000 leaves less than the 60,000 asked for.
    prompt = "x " * 150_000 + "[[azure:length:190000]]"
    message = ask(claude, prompt, model="claude-haiku-4-5", max_tokens=60_000).json()
    assert message["stop_reason"] == "model_context_window_exceeded"
    assert "prompt is too long" in refusal(ask(claude, "x " * 250_000, model="claude-haiku-4-5"))


def test_a_paused_turn_goes_on_when_it_comes_back(claude: httpx.Client) -> None:
    prompt = {"role": "user", "content": "Say hello [[azure:pause]]"}
    paused = ask(claude, [prompt], **ADAPTIVE).json()
    assert types_of(paused) == ["thinking", "server_tool_use"]
    back = {"role": "assistant", "content": paused["content"]}
    message = ask(claude, [prompt, back], **ADAPTIVE).json()
    assert types_of(message) == ["web_search_tool_result", "text"]
    assert message["content"][0]["tool_use_id"] == paused["content"][1]["id"]
    assert message["stop_reason"] == "end_turn"


def test_a_search_has_its_pages_cited(claude: httpx.Client) -> None:
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    message = ask(claude, "search the web for cats", tools=tools).json()
    assert types_of(message)[:2] == ["server_tool_use", "web_search_tool_result"]
    found = {page["url"] for page in message["content"][1]["content"]}
    cited = [one for block in message["content"] for one in block.get("citations") or ()]
    assert cited
    assert {one["url"] for one in cited} <= found
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 1


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain",
                                            "data": "The sky is blue."}},
            "char_location",
        ),
        (
            {"type": "document", "title": "T", "source": {"type": "base64", "data": "JVBERi0=",
                                                          "media_type": "application/pdf"}},
            "page_location",
        ),
        (
            {"type": "document", "source": {"type": "content", "content": [
                {"type": "text", "text": "The sky is blue."}]}},
            "content_block_location",
        ),
        (
            {"type": "search_result", "source": "https://a.example", "title": "T",
             "content": [{"type": "text", "text": "The sky is blue."}]},
            "search_result_location",
        ),
    ],
)  # fmt: skip
def test_documents_are_cited_where_they_ask_for_it(
    claude: httpx.Client, block: dict[str, Any], kind: str
) -> None:
    for enabled in (True, False):
        content = [{**block, "citations": {"enabled": enabled}}, {"type": "text", "text": "Why?"}]
        message = ask(claude, [{"role": "user", "content": content}]).json()
        cited = message["content"][0].get("citations") or []
        assert [one["type"] for one in cited] == ([kind] if enabled else [])


def test_pictures_are_seen(claude: httpx.Client) -> None:
    for source in (
        {"type": "base64", "media_type": "image/png", "data": PIXEL},
        {"type": "url", "url": "https://example.com/a.png"},
    ):
        content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
        assert ask(claude, [{"role": "user", "content": content}]).status_code == 200


def test_json_follows_its_schema(claude: httpx.Client) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    form = {"format": {"type": "json_schema", "schema": schema}}
    message = ask(claude, "Paris", output_config=form).json()
    assert set(json.loads(message["content"][0]["text"])) == {"city"}


# --- usage ----------------------------------------------------------------------------------------


def test_a_marked_prompt_is_written_to_the_cache_and_read_again(claude: httpx.Client) -> None:
    text = {"type": "text", "text": "word " * 2000, "cache_control": {"type": "ephemeral"}}
    system = [text]
    first = ask(claude, system=system).json()["usage"]
    second = ask(claude, system=system).json()["usage"]
    assert first["cache_creation_input_tokens"] > 1000
    assert first["cache_creation"]["ephemeral_5m_input_tokens"] > 1000
    assert first["cache_read_input_tokens"] == 0
    assert second["cache_read_input_tokens"] > 1000
    total = [
        usage["input_tokens"]
        + usage["cache_creation_input_tokens"]
        + usage["cache_read_input_tokens"]
        for usage in (first, second)
    ]
    assert total[0] == total[1]
    hour = {**text, "text": "other " * 2000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    usage = ask(claude, system=[hour]).json()["usage"]
    assert usage["cache_creation"]["ephemeral_1h_input_tokens"] > 1000


def test_nothing_is_cached_without_a_mark(claude: httpx.Client) -> None:
    for _ in range(2):
        usage = ask(claude, "word " * 2000).json()["usage"]
        assert (usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]) == (0, 0)
    for _ in range(2):
        usage = ask(claude, "word " * 2000, cache_control={"type": "ephemeral"}).json()["usage"]
    assert usage["cache_read_input_tokens"] > 1000


def test_thinking_is_counted(claude: httpx.Client) -> None:
    usage = ask(claude, **ADAPTIVE).json()["usage"]
    assert 0 < usage["output_tokens_details"]["thinking_tokens"] < usage["output_tokens"]
    assert "output_tokens_details" not in ask(claude).json()["usage"]


def test_tokens_are_counted_without_an_answer(claude: httpx.Client) -> None:
    path = f"{MESSAGES}/count_tokens"
    reply = ask(claude, path=path, max_tokens=..., tools=[WEATHER], system="Be brief.")
    usage = ask(claude, tools=[WEATHER], system="Be brief.").json()["usage"]
    assert reply.json() == {"input_tokens": usage["input_tokens"]}
    assert refusal(ask(claude, path=path)) == "max_tokens: Extra inputs are not permitted"


# --- thinking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "config", "shown"),
    [
        ("claude-opus-4-6", {"type": "adaptive"}, True),
        ("claude-opus-4-8", {"type": "adaptive"}, False),
        ("claude-opus-4-8", {"type": "adaptive", "display": "summarized"}, True),
        ("claude-opus-4-6", {"type": "adaptive", "display": "omitted"}, False),
        ("claude-haiku-4-5", {"type": "enabled", "budget_tokens": 2000}, True),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_thinking_is_shown_or_omitted_with_a_signature(
    claude: httpx.Client, model: str, config: dict[str, Any], shown: bool, stream: bool
) -> None:
    prompt = "Say hello [[azure:reason:Short and kind.]]"
    reply = ask(claude, prompt, model=model, thinking=config, stream=stream)
    message = collect(reply) if stream else reply.json()
    thought = message["content"][0]
    assert thought["thinking"] == ("Short and kind." if shown else "")
    assert thought["signature"]
    assert types_of(message) == ["thinking", "text"]


def test_the_signature_comes_after_the_text(claude: httpx.Client) -> None:
    reply = ask(claude, "Hi [[azure:reason:One two three.]]", stream=True, **ADAPTIVE)
    kinds = [
        event["delta"]["type"]
        for event in events_of(reply)
        if event["type"] == "content_block_delta" and event["index"] == 0
    ]
    assert kinds[-1] == "signature_delta"
    assert set(kinds[:-1]) == {"thinking_delta"}


@pytest.mark.parametrize(
    "prompt",
    ["[[azure:redact]]", "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7"],
)
def test_thinking_may_be_redacted(claude: httpx.Client, prompt: str) -> None:
    message = ask(claude, f"Say hello {prompt}", **ADAPTIVE).json()
    assert types_of(message) == ["redacted_thinking", "text"]
    both = ask(claude, f"{prompt} [[azure:reason:A]] [[azure:reason:B]]", **ADAPTIVE).json()
    assert types_of(both) == ["thinking", "redacted_thinking", "text"]


def loop(claude: httpx.Client, prompt: str = "", **given: Any) -> tuple[list[Any], Any]:
    """A conversation whose call waits for its result, and the parameters of the next request."""
    parameters = {"tools": [WEATHER], **(given or ADAPTIVE)}
    asked = {"role": "user", "content": f"weather in Rome {prompt}"}
    called = ask(claude, [asked], **parameters).json()
    call_id = next(block["id"] for block in called["content"] if block["type"] == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call_id, "content": "sunny"}
    back = {"role": "assistant", "content": called["content"]}
    return [asked, back, {"role": "user", "content": [result]}], parameters


TWO = "[[azure:reason:A]] [[azure:reason:B]]"


@pytest.mark.parametrize("given", [ADAPTIVE, ENABLED])
@pytest.mark.parametrize("prompt", ["", TWO, f"{TWO} [[azure:redact]]", "[[azure:say:Well.]]"])
def test_thinking_that_comes_back_as_it_was_is_accepted(
    claude: httpx.Client, given: dict[str, Any], prompt: str
) -> None:
    messages, parameters = loop(claude, prompt, **given)
    assert ask(claude, messages, **parameters).status_code == 200
    # Switched off, thinking is still allowed to come back.
    parameters.pop("thinking")
    assert ask(claude, messages, **parameters).status_code == 200


@pytest.mark.parametrize("given", [ADAPTIVE, ENABLED])
def test_a_call_without_its_thinking_is_refused(
    claude: httpx.Client, given: dict[str, Any]
) -> None:
    messages, parameters = loop(claude, **given)
    messages[1]["content"] = messages[1]["content"][1:]
    message = refusal(ask(claude, messages, **parameters))
    assert message.startswith(
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
        "`tool_use`."
    )


def test_adaptive_thinking_may_lose_thoughts_where_that_is_assumed() -> None:
    with open_claude(Emulator(assumptions=Assumptions(requires_thinking=False))) as client:
        messages, parameters = loop(client)
        messages[1]["content"] = messages[1]["content"][1:]
        assert ask(client, messages, **parameters).status_code == 200


def test_calls_of_another_resource_need_no_thinking_with_adaptive_thinking(
    claude: httpx.Client,
) -> None:
    call = {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"}
    messages = [
        *HELLO,
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    assert ask(claude, messages, tools=[WEATHER], **ADAPTIVE).status_code == 200
    assert "Expected `thinking`" in refusal(ask(claude, messages, tools=[WEATHER], **ENABLED))


def _change(content: list[dict[str, Any]], how: str) -> list[dict[str, Any]]:
    first, second, *rest = content
    return {
        "text": [{**first, "thinking": "Another."}, second, *rest],
        "lost": [first, *rest],
        "first lost": [second, *rest],
        "swapped": [second, first, *rest],
        "after": [first, *rest, second],
    }[how]


@pytest.mark.parametrize("how", ["text", "lost", "first lost", "swapped"])
def test_thinking_cannot_be_modified(claude: httpx.Client, how: str) -> None:
    messages, parameters = loop(claude, TWO)
    messages[1]["content"] = _change(messages[1]["content"], how)
    message = refusal(ask(claude, messages, **parameters))
    assert "blocks in the latest assistant message cannot be modified" in message


@pytest.mark.parametrize("field", ["signature", "data"])
def test_a_damaged_signature_is_refused_and_one_of_another_resource_is_not(
    claude: httpx.Client, field: str
) -> None:
    prompt = "[[azure:redact]]" if field == "data" else ""
    messages, parameters = loop(claude, prompt)
    block = messages[1]["content"][0]
    whole = block[field]
    kind = "redacted_thinking" if field == "data" else "thinking"
    expected = f"messages.1.content.0: Invalid `{field}` in `{kind}` block"
    for bad in (whole[:-4] + "AAA=", "c2lnbmVk", ""):
        block[field] = bad
        assert refusal(ask(claude, messages, **parameters)) == expected
    other = Emulator([Resource("other")], clock=Clock(BEGIN))
    with open_client(other, "https://other.services.ai.azure.com", key="") as client:
        client.headers.update({"x-api-key": other.api_key, "anthropic-version": "2023-06-01"})
        assert refusal(ask(client, messages, **parameters)) == expected
        block[field] = whole
        assert ask(client, messages, **parameters).status_code == 200


@pytest.mark.parametrize("accepts", [True, False])
def test_thinking_of_another_model_is_accepted_where_that_is_assumed(accepts: bool) -> None:
    assumptions = Assumptions(accepts_other_models_thinking=accepts)
    with open_claude(Emulator(assumptions=assumptions)) as client:
        messages, parameters = loop(client)
        assert ask(client, messages, **parameters).status_code == 200
        reply = ask(client, messages, **parameters, model="claude-opus-4-8")
    assert reply.status_code == (200 if accepts else 400)


def test_a_signature_is_checked_in_earlier_turns_too(claude: httpx.Client) -> None:
    messages, parameters = loop(claude)
    messages += [{"role": "assistant", "content": "It is sunny."}, *HELLO]
    assert ask(claude, messages, **parameters).status_code == 200
    messages[1]["content"][0]["thinking"] += "!"
    assert "Invalid `signature`" in refusal(ask(claude, messages, **parameters))


def test_a_prefill_is_refused_with_thinking_and_by_newer_models(claude: httpx.Client) -> None:
    messages = [*HELLO, {"role": "assistant", "content": "Well,"}]
    assert ask(claude, messages, model="claude-haiku-4-5").status_code == 200
    thinking = refusal(ask(claude, messages, model="claude-haiku-4-5", **ENABLED))
    assert "Expected `thinking` or `redacted_thinking`, but found `text`" in thinking
    assert "does not support assistant message prefill" in refusal(ask(claude, messages))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1023}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            {"thinking": {"type": "adaptive", "budget_tokens": 2000}},
            "thinking.adaptive.budget_tokens: Extra inputs are not permitted",
        ),
        ({"thinking": {"type": "on"}}, "thinking: Input tag 'on'"),
        ({**ADAPTIVE, "temperature": 0.5}, "`temperature` may only be set to 1"),
        ({**ADAPTIVE, "top_k": 5}, "`top_k` must be unset when thinking is enabled."),
        ({**ADAPTIVE, "top_p": 0.5}, "`top_p` must be greater than or equal to 0.95"),
        (
            {**ADAPTIVE, "tools": [WEATHER], "tool_choice": {"type": "any"}},
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        (
            {**ENABLED, "tools": [WEATHER],
             "tool_choice": {"type": "tool", "name": "get_weather"}},
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        ({**ADAPTIVE, "model": "claude-haiku-4-5"}, "adaptive thinking is not supported"),
        ({**ENABLED, "model": "claude-opus-4-8"}, '"thinking.type.enabled" is not supported'),
        (
            {"model": "claude-haiku-4-5", "output_config": {"effort": "low"}},
            "This model does not support the effort parameter.",
        ),
        ({"output_config": {"effort": "xhigh"}}, "output_config.effort: Input should be"),
        ({"model": "claude-opus-4-8", "temperature": 0.5}, "`temperature` is deprecated"),
        ({"temperature": 0.5, "top_p": 0.9}, "cannot both be specified"),
        ({"temperature": 1.5}, "temperature: range: 0..1"),
    ],
)  # fmt: skip
def test_what_thinking_and_sampling_do_not_allow(
    claude: httpx.Client, given: dict[str, Any], message: str
) -> None:
    assert message in refusal(ask(claude, **given))


def test_what_thinking_and_sampling_allow(claude: httpx.Client) -> None:
    for fields in (
        {**ADAPTIVE, "temperature": 1},
        {**ADAPTIVE, "top_p": 0.95, "output_config": {"effort": "max"}},
        {**ADAPTIVE, "tools": [WEATHER], "tool_choice": {"type": "none"}},
        {"model": "claude-opus-4-8", "output_config": {"effort": "xhigh"}, **ADAPTIVE},
        {"model": "claude-opus-4-8", "temperature": 1},
        {"temperature": 0, "top_k": 5},
    ):
        assert ask(claude, **fields).status_code == 200


# --- bodies ---------------------------------------------------------------------------------------


def _said(*blocks: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def _use(call_id: str = "a", **fields: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "get_weather", "input": {}, **fields}


def _result(call_id: str = "a", **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": "x", **fields}


_TEXT = {"type": "text", "text": "x"}
_CALLED = _said(_use(), role="assistant")
_MARK = {"type": "ephemeral"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_tokens": ...}, "max_tokens: Field required"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"max_tokens": "5"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 10**6}, "which is the maximum allowed number of output tokens"),
        ({"model": ...}, "model: Field required"),
        ({"model": 5}, "model: Input should be a valid string"),
        ({"messages": ...}, "messages: Field required"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"foo": 1}, "foo: Extra inputs are not permitted"),
        ({"prompt_cache_key": "k"}, "prompt_cache_key: Extra inputs are not permitted"),
        ({"messages": [{"role": "assistant", "content": "x"}, *HELLO]},
         'messages: first message must use the "user" role'),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role: Input should be"),
        ({"messages": [{"role": "system", "content": "x"}]}, 'Unexpected role "system"'),
        ({"messages": ["x"]}, "messages.0: Input should be a valid dictionary"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content: Input should be"),
        ({"messages": [{"role": "user", "content": ""}]}, "must have non-empty content"),
        ({"messages": [{"role": "user", "content": "x", "name": "n"}]},
         "messages.0.name: Extra inputs are not permitted"),
        ({"messages": [_said({"type": "text", "text": ""})]},
         "messages: text content blocks must be non-empty"),
        ({"messages": [_said({"type": "input_text", "text": "x"})]},
         "messages.0.content.0: Input tag 'input_text'"),
        ({"messages": [_said({"text": "x"})]}, "messages.0.content.0.type: Field required"),
        ({"messages": [_said({"type": "text"})]}, "messages.0.content.0.text.text: Field required"),
        ({"messages": [_said({"type": "text", "text": 5})]}, "should be a valid string"),
        ({"messages": [_said({**_TEXT, "id": "x"})]}, "text.id: Extra inputs are not permitted"),
        ({"messages": [_said("x")]}, "messages.0.content.0: Input should be a valid dictionary"),
        # calls and results
        ({"messages": [*HELLO, _CALLED, *HELLO]},
         "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a"),
        ({"messages": [*HELLO, _CALLED, _said(_TEXT, _result())]}, "without `tool_result` blocks"),
        ({"messages": [*HELLO, _said(_use(), _use("b"), role="assistant"), _said(_result())]},
         "immediately after: b"),
        ({"messages": [_said(_result())]},
         "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: a"),
        ({"messages": [*HELLO, _CALLED, _said(_result(), _result())]}, "Found multiple"),
        ({"messages": [*HELLO, _CALLED, _said(_result()), _CALLED, _said(_result())]},
         "`tool_use` ids must be unique"),
        ({"messages": [_said(_use())]}, "can only be in `assistant` messages"),
        ({"messages": [*HELLO, _said(_use("functions.f:0"), role="assistant")]},
         "tool_use.id: String should match pattern"),
        ({"messages": [*HELLO, _said(_use(input="{}"), role="assistant")]},
         "tool_use.input: Input should be a valid dictionary"),
        ({"messages": [*HELLO, _CALLED, _said(_result(content=5))]},
         "tool_result.content: Input should be a valid list"),
        ({"messages": [*HELLO, _CALLED, _said(_result(content=[{"type": "x"}]))]},
         "tool_result.content.0: Input tag 'x'"),
        # pictures and documents
        ({"messages": [_said({"type": "image", "source": {"type": "base64", "data": PIXEL,
                                                          "media_type": "image/bmp"}})]},
         "media_type: Input should be 'image/jpeg'"),
        ({"messages": [_said({"type": "image", "source": {"type": "base64", "data": "?",
                                                          "media_type": "image/png"}})]},
         "Invalid base64 data"),
        ({"messages": [_said({"type": "image", "source": {"type": "url", "url": "http://x"}})]},
         "Only HTTPS URLs are supported."),
        ({"messages": [_said({"type": "image", "source": {"type": "url"}})]}, "Field required"),
        ({"messages": [_said({"type": "image", "source": {"type": "file", "file_id": "f"}})]},
         "image.source: Input tag 'file'"),
        ({"messages": [_said({"type": "document", "source": {"type": "file", "file_id": "f"}})]},
         "document.source: Input tag 'file'"),
        ({"messages": [_said({"type": "document", "source": {"type": "base64", "data": PIXEL,
                                                             "media_type": "image/png"}})]},
         "Input should be 'application/pdf'"),
        ({"messages": [_said({"type": "document", "source": {"type": "text", "data": "x",
                                                             "media_type": "text/html"}})]},
         "Input should be 'text/plain'"),
        ({"messages": [_said({"type": "document", "source": {"type": "text",
                                                             "media_type": "text/plain"}})]},
         "text.data: Field required"),
        ({"messages": [_said({"type": "document", "source": {"type": "content"}})]},
         "content.content: Field required"),
        ({"messages": [_said({"type": "document", "source": {"type": "content",
                                                             "content": [{"type": "image"}]}})]},
         "content.content.0.type: Input should be 'text'"),
        ({"messages": [_said({"type": "search_result", "source": "s", "title": "t",
                              "content": ["x"]})]}, "content.0.type: Input should be 'text'"),
        ({"messages": [_said({"type": "search_result", "source": "s", "title": "t",
                              "content": [_TEXT], "citations": True})]},
         "citations: Input should be a valid dictionary"),
        ({"messages": [_said({"type": "search_result", "source": "s", "title": "t",
                              "content": [_TEXT], "citations": {"enabled": 1}})]},
         "enabled: Input should be a valid boolean"),
        ({"messages": [_said({"type": "document", "title": 5, "source": {
            "type": "text", "media_type": "text/plain", "data": "x"}})]},
         "title: Input should be a valid string"),
        ({"messages": [*HELLO, _CALLED, _said(_result(content=[_use("b")]))]},
         "tool_result.content.0: Input tag 'tool_use'"),
        ({"stop_sequences": [5]}, "stop_sequences.0: Input should be a valid string"),
        ({"stop_sequences": [" "]}, "must contain non-whitespace"),
        ({"metadata": {"team": "a"}}, "metadata.team: Extra inputs are not permitted"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id: Input should be a valid string"),
        ({"thinking": {"type": "enabled", "budget_tokens": "x"}}, "should be a valid integer"),
        ({"thinking": {"type": "adaptive", "display": "loud"}}, "'summarized' or 'omitted'"),
        ({"model": "claude-haiku-4-5",
          "messages": [*HELLO, {"role": "assistant", "content": "x "}]},
         "cannot end with trailing whitespace"),
        # system and marks
        ({"system": 5}, "system: Input should be a valid string"),
        ({"system": [{"type": "image"}]}, "system.0.type: Input should be 'text'"),
        ({"system": [{"type": "text"}]}, "system.0.text: Field required"),
        ({"system": [{"type": "text", "text": ""}]}, "text content blocks must be non-empty"),
        ({"system": [{**_TEXT, "cache_control": {**_MARK, "scope": "global"}}]},
         "system.0.cache_control.ephemeral.scope: Extra inputs are not permitted"),
        ({"cache_control": {**_MARK, "scope": "global"}},
         "cache_control.ephemeral.scope: Extra inputs are not permitted"),
        ({"messages": [_said({**_TEXT, "cache_control": {**_MARK, "scope": "x"}})]},
         "messages.0.content.0.cache_control.ephemeral.scope: Extra inputs"),
        ({"tools": [{**WEATHER, "cache_control": {**_MARK, "scope": "x"}}]},
         "tools.0.cache_control.ephemeral.scope: Extra inputs"),
        ({"cache_control": {"type": "ephemeral", "ttl": "2h"}}, "should be '5m' or '1h'"),
        ({"cache_control": {"type": "forever"}}, "'ephemeral'"),
        ({"system": [{**_TEXT, "cache_control": _MARK}] * 5}, "Found 5."),
        # tools
        ({"tools": ["x"]}, "tools.0: Input should be a valid dictionary"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0: Input tag 'function'"),
        ({"tools": [{"input_schema": {"type": "object"}}]}, "tools.0.custom.name: Field required"),
        ({"tools": [{**WEATHER, "name": "a.b"}]}, "custom.name: String should match pattern"),
        ({"tools": [{**WEATHER, "parameters": {}}]}, "custom.parameters: Extra inputs"),
        ({"tools": [{"name": "f"}]}, "custom.input_schema: Field required"),
        ({"tools": [{"name": "f", "input_schema": {}}]}, "input_schema.type: Field required"),
        ({"tools": [{"name": "f", "input_schema": {"type": "array"}}]}, "should be 'object'"),
        ({"tools": [WEATHER, WEATHER]}, "tools: Tool names must be unique."),
        ({"tools": [{**WEATHER, "strict": True}]}, "'additionalProperties' must be explicitly"),
        ({"tool_choice": {"type": "auto"}}, "only be specified while providing tools"),
        ({"tools": [WEATHER], "tool_choice": {"type": "required"}}, "tool_choice: Input tag"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found"),
        ({"tools": [WEATHER], "tool_choice": {"type": "auto", "name": "g"}}, None),
        ({"tools": [WEATHER], "tool_choice": {"type": "auto", "foo": 1}}, "auto.foo: Extra"),
        # output_config
        ({"output_config": {"foo": 1}}, "output_config.foo: Extra inputs are not permitted"),
        ({"output_config": {"format": {"type": "json_object"}}}, "should be 'json_schema'"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "schema: Field required"),
        ({"output_config": {"format": {"type": "json_schema", "name": "n", "schema": {}}}},
         "output_config.format.name: Extra inputs are not permitted"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
         "'additionalProperties' must be explicitly set to false"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {
            "type": "array", "items": {"anyOf": [{"type": "integer", "minimum": 1}]}}}}},
         "For 'integer' type, properties minimum are not supported"),
    ],
)  # fmt: skip
def test_bodies_are_judged_as_anthropic_does(
    claude: httpx.Client, given: dict[str, Any], message: str | None
) -> None:
    reply = ask(claude, **given)
    if message is None:
        assert reply.status_code == 200
    else:
        assert message in refusal(reply)


def test_a_body_that_is_not_json_is_refused(claude: httpx.Client) -> None:
    for content in (b"{", b"[]", b""):
        assert "not valid JSON" in refusal(claude.post(MESSAGES, content=content))


def test_good_bodies_are_accepted(claude: httpx.Client) -> None:
    results = [_said(_result("a"), _result("b", is_error=True), _TEXT)]
    called = _said(_TEXT, _use("a"), _use("b"), role="assistant")
    for fields in (
        {"messages": [*HELLO, called, *results]},
        # Two messages of a role in a row are one turn.
        {"messages": [*HELLO, called, _said(_result("a")), _said(_result("b")), *HELLO]},
        {"messages": [*HELLO, {"role": "assistant", "content": "x"}, *HELLO, *HELLO]},
        {"model": "claude-opus-4-8",
         "messages": [*HELLO, {"role": "system", "content": "Be brief."}, *HELLO]},
        {"metadata": {"user_id": "u"}, "service_tier": "auto", "stream": False},
        {"tools": [{**WEATHER, "type": "custom", "description": "d", "defer_loading": True},
                   {"type": "bash_20250124", "name": "bash"}]},
    ):  # fmt: skip
        assert ask(claude, **fields).status_code == 200


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["type", "text", "role", "content", "name", "input", "id", "cache_control",
                         "source", "tool_use_id", "thinking", "signature", "input_schema"]),
        inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
_BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "document", "search_result", "tool_result",
                              "tool_use", "thinking", "server_tool_use"])},
    optional={
        "text": _JSON, "citations": st.just({"enabled": True}) | _JSON,
        "title": st.just("t") | _JSON,
        "content": st.just([{"type": "text", "text": "x"}]) | st.just("x") | _JSON,
        "source": st.fixed_dictionaries(
            {"type": st.sampled_from(["text", "content", "base64", "url"])},
            optional={"media_type": st.just("text/plain"), "data": st.just("eA==") | _JSON,
                      "content": st.just([{"type": "text", "text": "x"}]) | _JSON, "url": _JSON},
        ) | st.just("https://a.example") | _JSON,
        "id": st.just("a"), "name": st.just("f"), "input": st.just({}) | _JSON,
        "tool_use_id": st.just("a"), "thinking": _JSON, "signature": _JSON,
    },
)  # fmt: skip
_FIELD = st.sampled_from(
    ["messages", "system", "tools", "tool_choice", "thinking", "output_config", "max_tokens",
     "temperature", "stop_sequences", "metadata", "cache_control", "stream", "model"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(_FIELD, _JSON, max_size=4), st.lists(_BLOCK | _JSON, max_size=3), st.booleans()
)
def test_any_json_is_answered_or_refused_in_anthropics_shape(
    fields: dict[str, Any], blocks: list[Any], is_counted: bool
) -> None:
    with open_claude(Emulator(clock=Clock(BEGIN))) as client:
        messages = [{"role": "user", "content": blocks}] if blocks else HELLO
        path = f"{MESSAGES}/count_tokens" if is_counted else MESSAGES
        reply = ask(client, **{"messages": messages, **fields, "path": path})
    if reply.status_code != 200:
        body = reply.json()
        assert reply.status_code in (400, 404), body
        assert body.get("type") == "error" or body["error"]["code"] in (
            "api_not_supported", "DeploymentNotFound",
        )  # fmt: skip


# --- streams --------------------------------------------------------------------------------------

PROMPTS = [
    "what is 2+3",
    "weather in Rome and Paris",
    "weather in Rome [[azure:say:Let me look.]] [[azure:say-after:Done.]]",
    "weather in Rome [[azure:reason:A]] [[azure:reason:B]] [[azure:redact]]",
    "[[azure:refuse]]",
    "[[azure:block-prompt]]",
    "[[azure:pause]] hello",
    "[[azure:length:40]]",
    "search the web for cats",
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("given", [{}, ADAPTIVE])
def test_a_stream_adds_up_to_the_whole_message(prompt: str, given: dict[str, Any]) -> None:
    tools = [WEATHER, {"type": "web_search_20250305", "name": "web_search"}]
    read = []
    for stream in (False, True):
        with open_claude(Emulator(clock=Clock(BEGIN))) as client:
            reply = ask(client, prompt, tools=tools, stream=stream, **given)
            read.append(collect(reply) if stream else reply.json())
    assert read[0] == read[1]


def test_events_come_in_anthropics_order(claude: httpx.Client) -> None:
    reply = ask(claude, "Say hello", stream=True)
    assert reply.headers["content-type"].startswith("text/event-stream")
    kinds = [event["type"] for event in events_of(reply)]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    named = [
        line.removeprefix("event: ") for line in reply.text.split("\n") if line[:6] == "event:"
    ]
    assert named == kinds


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("http-400", 400, "invalid_request_error"),
        ("http-429", 429, "rate_limit_error"),
        ("http-500", 500, "api_error"),
        ("http-503", 503, "api_error"),
        ("http-529", 529, "overloaded_error"),
    ],
)
def test_faults_are_told_in_anthropics_shape(
    emulator: Emulator, claude: httpx.Client, fault: str, status: int, kind: str
) -> None:
    emulator.faults.add(Fault(fault, operation="messages", retry_after=7, times=1))
    reply = ask(claude)
    refusal(reply, status)
    assert reply.json()["error"]["type"] == kind
    assert reply.headers.get("retry-after") == (None if status == 400 else "7")
    assert ask(claude).status_code == 200


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("stream-529", "overloaded_error"),
        ("stream-500", "api_error"),
        ("stream-429-A", "rate_limit_error"),
        ("stream-context-length", "invalid_request_error"),
    ],
)
def test_a_stream_fails_with_an_error_event(
    emulator: Emulator, claude: httpx.Client, fault: str, kind: str
) -> None:
    emulator.faults.add(Fault(fault, after_events=4))
    reply = ask(claude, stream=True)
    events = events_of(reply)
    assert (reply.status_code, len(events)) == (200, 5)
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["type"] == kind


def test_an_exhausted_deployment_is_a_429_of_anthropic() -> None:
    deployments = [EmulatedDeployment("claude-opus-4-6", requests_per_minute=1)]
    emulator = Emulator([Resource("emulator", deployments=deployments)], clock=Clock(BEGIN))
    with open_claude(emulator) as client:
        assert ask(client).status_code == 200
        reply = ask(client)
        refusal(reply, 429)
        assert reply.json()["error"]["type"] == "rate_limit_error"
        assert reply.headers["retry-after"] == "60"
        emulator.clock.advance(61)
        assert ask(client).status_code == 200
