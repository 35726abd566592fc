"""The LiteLLM proxy with the plug-in in its configuration, driven by the OpenAI SDK."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from azure_responses.emulator import Emulator, Fault
from tests.litellm_plugin.conftest import PING
from tests.litellm_plugin.proxy import KEY, serve_proxy

# LiteLLM answers with shapes that the SDK's models do not expect to be dumped.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

_TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
_FLAT_TOOL: Any = {"type": "function", "strict": False, **_TOOL["function"]}
_ROUTES = pytest.mark.parametrize("route", ["chat", "chat-stream", "responses", "responses-stream"])


@dataclass
class Served:
    """The SDK's client of the proxy, and the resource behind it."""

    client: openai.OpenAI
    emulator: Emulator

    @property
    def sent(self) -> Any:
        """The body of the latest request that reached Azure."""
        return self.emulator.requests[-1].json()

    def ask(self, route: str, model: str, text: str) -> Any:
        """Ask by one of the four routes; a stream is read to its end."""
        if route.startswith("chat"):
            messages: Any = [{"role": "user", "content": text}]
            create: Any = self.client.chat.completions.create
            answer = create(model=model, messages=messages, stream=route.endswith("stream"))
        else:
            create = self.client.responses.create
            answer = create(model=model, input=text, stream=route.endswith("stream"))
        return list(answer) if route.endswith("stream") else answer


@pytest.fixture(scope="module")
def proxy(served: tuple[Emulator, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy, with the plug-in as the configuration file names it."""
    base = {"api_base": served[1], "api_key": "east-key"}
    models = {
        "gpt": {"model": "azure_responses/gpt-5-mini"},
        "plain": {"model": "azure_responses/gpt-4.1"},
        "limited": {"model": "azure_responses/limited"},
        "locked": {"model": "azure_responses/gpt-4.1", "api_key": "wrong"},
        "missing": {"model": "azure_responses/nowhere"},
        "azure-gpt": {"model": "azure/gpt-5-mini", "api_base": served[1] + "/openai/v1/"},
    }
    config = {
        "model_list": [
            {"model_name": name, "litellm_params": {**base, **params}}
            for name, params in models.items()
        ],
        "litellm_settings": {
            "custom_provider_map": [
                {
                    "provider": "azure_responses",
                    "custom_handler": "azure_responses.litellm_plugin.azure_override",
                }
            ]
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": KEY},
    }
    with serve_proxy(tmp_path_factory.mktemp("proxy"), config) as url:
        yield url


@pytest.fixture
def api(proxy: str, served: tuple[Emulator, str]) -> Iterator[Served]:
    """A client of the proxy, with nothing left of earlier tests."""
    emulator = served[0]
    emulator.reset()
    with openai.OpenAI(base_url=f"{proxy}/v1", api_key=KEY, max_retries=0) as client:
        yield Served(client, emulator)


def test_chat_is_answered_with_its_cost_in_a_header(api: Served) -> None:
    raw = api.client.chat.completions.with_raw_response.create(
        model="gpt",
        messages=PING,
        reasoning_effort="low",
        verbosity="low",
        user="ann",
    )
    completion = raw.parse()
    assert completion.choices[0].message.content == "pong"
    assert float(raw.headers["x-litellm-response-cost"]) == pytest.approx(0.000139, rel=0.2)
    assert raw.headers["llm_provider-x-ms-region"] == "East US 2"
    assert completion.usage is not None
    assert completion.usage.completion_tokens_details is not None
    assert completion.usage.completion_tokens_details.reasoning_tokens
    assert api.sent["reasoning"] == {"effort": "low"}
    assert (api.sent["text"], api.sent["user"]) == ({"verbosity": "low"}, "ann")
    assert api.sent["store"] is False


def test_chat_streams_with_usage_and_cost_at_the_end(api: Served) -> None:
    chunks = list(
        api.client.chat.completions.create(
            model="gpt",
            messages=PING,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(text) == "pong"
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
    usage: Any = chunks[-1].usage
    assert usage.completion_tokens_details.reasoning_tokens > 0
    assert usage.cost == pytest.approx(0.000139, rel=0.2)


def test_a_tool_is_called_by_chat_and_reasoning_goes_back_with_its_answer(api: Served) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = api.client.chat.completions.create(model="gpt", messages=messages, tools=[_TOOL])
    message = first.choices[0].message
    assert message.tool_calls is not None
    call: Any = message.tool_calls[0]
    assert (first.choices[0].finish_reason, call.function.name) == ("tool_calls", "get_weather")
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    messages += [message.model_dump(exclude_none=True), result]
    second = api.client.chat.completions.create(model="gpt", messages=messages, tools=[_TOOL])
    assert "18" in (second.choices[0].message.content or "")
    kinds = [item["type"] for item in api.sent["input"]]
    assert kinds == ["message", "reasoning", "function_call", "function_call_output"]
    assert api.sent["input"][1]["encrypted_content"]


def test_a_streamed_tool_call_arrives_whole(api: Served) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    with api.client.chat.completions.stream(
        model="gpt", messages=messages, tools=[_TOOL]
    ) as stream:
        completion = stream.get_final_completion()
    calls: Any = completion.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather"]
    assert "Paris" in calls[0].function.arguments


def test_a_stream_brings_reasoning_and_hosted_items(api: Served) -> None:
    messages: Any = [{"role": "user", "content": "Use python to compute 2+2"}]
    tools: Any = [{"type": "code_interpreter", "container": {"type": "auto"}}]
    create = api.client.chat.completions.create
    chunks = create(model="gpt", messages=messages, tools=tools, stream=True)
    deltas = [c.choices[0].delta.model_dump() for c in chunks if c.choices]
    items = {name: value for delta in deltas for name, value in delta.items() if "_items" in name}
    assert items["reasoning_items"][0]["encrypted_content"]
    assert items["hosted_items"][0]["type"] == "code_interpreter_call"
    assert any(delta.get("hosted_events") for delta in deltas)


def test_a_refusal_survives_both_ways(api: Served) -> None:
    whole = api.ask("chat", "plain", "[[azure:refuse]]").choices[0].message
    chunks = api.ask("chat-stream", "plain", "[[azure:refuse]]")
    streamed = "".join(c.choices[0].delta.refusal or "" for c in chunks if c.choices)
    assert whole.refusal
    assert whole.refusal == streamed


@pytest.mark.parametrize("model", ["gpt", "azure-gpt"])
class TestResponses:
    """By our provider name, and for `azure/` taken over."""

    def test_a_response_is_native_and_has_its_cost_in_a_header(
        self, api: Served, model: str
    ) -> None:
        raw = api.client.responses.with_raw_response.create(
            model=model, input="Reply with exactly: pong", include=["reasoning.encrypted_content"]
        )
        response: Any = raw.parse()
        assert response.output_text == "pong"
        assert response.output[0].encrypted_content
        assert float(raw.headers["x-litellm-response-cost"]) == pytest.approx(0.000139, rel=0.2)
        assert api.emulator.requests[-1].path.endswith("/openai/v1/responses")
        assert api.emulator.requests[-1].query == ""

    def test_a_stream_is_the_services_own(self, api: Served, model: str) -> None:
        events = list(
            api.client.responses.create(model=model, input="Reply with exactly: pong", stream=True)
        )
        assert [events[0].type, events[-1].type] == ["response.created", "response.completed"]
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == "pong"
        end: Any = events[-1]
        assert end.response.usage.cost == pytest.approx(0.000139, rel=0.2)

    def test_a_conversation_goes_on_by_id(self, api: Served, model: str) -> None:
        first = api.client.responses.create(model=model, input="My name is Bo.")
        second = api.client.responses.create(
            model=model, input="What is my name?", previous_response_id=first.id
        )
        assert "Bo" in second.output_text

    def test_a_conversation_without_storage_keeps_its_reasoning(
        self, api: Served, model: str
    ) -> None:
        options: Any = {"store": False, "include": ["reasoning.encrypted_content"]}
        first = api.client.responses.create(model=model, input="My name is Bo.", **options)
        items: list[Any] = [
            {"role": "user", "content": "My name is Bo."},
            *(item.model_dump(exclude_none=True) for item in first.output),
            {"role": "user", "content": "What is my name?"},
        ]
        second = api.client.responses.create(model=model, input=items, **options)
        assert "Bo" in second.output_text
        assert api.sent["input"][1]["encrypted_content"]

    def test_a_tool_is_called_and_answered(self, api: Served, model: str) -> None:
        question = "What is the weather in Paris?"
        first = api.client.responses.create(model=model, input=question, tools=[_FLAT_TOOL])
        call: Any = first.output[-1]
        assert (call.type, call.name) == ("function_call", "get_weather")
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "18"}
        second = api.client.responses.create(
            model=model, input=[result], previous_response_id=first.id, tools=[_FLAT_TOOL]
        )
        assert "18" in second.output_text

    def test_a_stored_response_is_read_listed_and_deleted(self, api: Served, model: str) -> None:
        made = api.client.responses.create(model=model, input="Reply with exactly: pong")
        assert api.client.responses.retrieve(made.id).output_text == "pong"
        items: Any = api.client.responses.input_items.list(made.id).data
        assert items[0].content[0].text == "Reply with exactly: pong"
        api.client.responses.delete(made.id)
        with pytest.raises(openai.NotFoundError):
            api.client.responses.retrieve(made.id)

    def test_a_background_response_is_polled_and_cancelled(self, api: Served, model: str) -> None:
        made = api.client.responses.create(model=model, input="hi", background=True)
        assert made.status == "queued"
        assert api.client.responses.cancel(made.id).status in ("cancelled", "completed")
        assert api.client.responses.retrieve(made.id).status in ("cancelled", "completed")

    def test_a_conversation_is_compacted(self, api: Served, model: str) -> None:
        compacted = api.client.responses.compact(model=model, input="My name is Bo.")
        assert compacted.output[-1].type == "compaction"


@_ROUTES
def test_a_wrong_key_is_401(api: Served, route: str) -> None:
    with pytest.raises(openai.AuthenticationError, match="invalid subscription key"):
        api.ask(route, "locked", "hi")


@_ROUTES
def test_a_deployment_that_is_not_there_is_404(api: Served, route: str) -> None:
    with pytest.raises(openai.NotFoundError, match="DeploymentNotFound"):
        api.ask(route, "missing", "hi")


@_ROUTES
def test_a_used_up_quota_is_429_at_once(api: Served, route: str) -> None:
    api.ask("responses", "limited", "hi")
    with pytest.raises(openai.RateLimitError, match="exceeded the call rate limit"):
        api.ask(route, "limited", "hi")
    assert [request.status for request in api.emulator.requests] == [200, 429]


@_ROUTES
def test_a_blocked_prompt_is_400_with_the_verdicts(api: Served, route: str) -> None:
    with pytest.raises(openai.BadRequestError, match="ContentPolicyViolationError") as caught:
        api.ask(route, "plain", "[[azure:block-prompt]]")
    assert caught.value.param == "prompt"
    if not route.endswith("stream"):
        assert "jailbreak" in str(caught.value.body)


def test_a_bad_value_is_400_and_names_the_parameter(api: Served) -> None:
    with pytest.raises(openai.BadRequestError) as chat:
        api.client.chat.completions.create(model="plain", messages=PING, temperature=5)
    with pytest.raises(openai.BadRequestError) as native:
        api.client.responses.create(model="plain", input="hi", temperature=5)
    assert (chat.value.param, native.value.param) == ("temperature", "temperature")


def test_a_parameter_without_a_counterpart_is_refused_and_not_lost(api: Served) -> None:
    with pytest.raises(openai.BadRequestError, match="'seed' has no counterpart"):
        api.client.chat.completions.create(model="plain", messages=PING, seed=1)


def test_images_are_refused_with_a_word_on_who_serves_them(api: Served) -> None:
    with pytest.raises(openai.BadRequestError, match="as azure/<deployment>"):
        api.client.images.generate(model="gpt", prompt="a unicorn")


@pytest.mark.parametrize("route", ["chat", "responses"])
def test_a_service_that_is_down_is_503(api: Served, route: str) -> None:
    api.emulator.faults.add(Fault("http-503"))
    with pytest.raises(openai.InternalServerError) as caught:
        api.ask(route, "plain", "hi")
    assert caught.value.status_code == 503


def test_a_limit_inside_a_chat_stream_is_told_by_its_name(api: Served) -> None:
    api.emulator.faults.add(Fault("stream-429-A"))
    # The role had been sent, and with it the status 200.
    with pytest.raises(openai.APIError, match="RateLimitError: 429 rate_limit_exceeded"):
        api.ask("chat-stream", "plain", "hi")


def test_a_limit_inside_a_native_stream_is_told_by_its_last_event(api: Served) -> None:
    api.emulator.faults.add(Fault("stream-429-A"))
    events = api.ask("responses-stream", "plain", "hi")
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "rate_limit_exceeded"
