"""A LiteLLM file with `azure_ai/` entries, served: each API, over each kind of deployment.

The entries are written as people's configurations have them. The gateway is a process of its own,
its callers are the openai and anthropic packages, and the emulator is the Foundry resource.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest
import yaml

from azure_responses.emulator import Emulator, Resource
from azure_responses.gateway.config_file import validate
from tests.gateway.gateways import KEY, run_process

CONFIG = """
model_list:
  - model_name: kimi-k2.5
    litellm_params:
      model: azure_ai/kimi-k2.5
      api_base: {url}/resources/foundry/models/chat/completions?api-version=2024-05-01-preview
      api_key: os.environ/AZURE_AI_API_KEY
  - model_name: mistral-large
    litellm_params:
      model: azure_ai/Mistral-Large-3
      api_base: {url}/resources/foundry
      api_key: os.environ/AZURE_AI_API_KEY
  - model_name: deepseek
    litellm_params:
      model: azure_ai/DeepSeek-V3.2
      api_base: {url}/resources/foundry/openai/deployments/DeepSeek-V3.2
      api_key: os.environ/AZURE_AI_API_KEY
    model_info:
      base_model: azure_ai/deepseek-v3.2
  - model_name: grok
    litellm_params:
      model: azure_ai/grok-4.3
      api_key: os.environ/AZURE_AI_API_KEY
  - model_name: claude-sonnet
    litellm_params:
      model: azure_ai/claude-sonnet-4-5
      api_base: {url}/resources/foundry/anthropic
      api_key: os.environ/AZURE_AI_API_KEY
  - model_name: gpt-5-mini
    litellm_params:
      model: azure_ai/gpt-5-mini
      api_base: {url}/resources/foundry/openai/v1/
      api_key: os.environ/AZURE_AI_API_KEY
  - model_name: weather-agent
    litellm_params:
      model: azure_ai/agents/weather-agent:3
      api_base: {url}/resources/foundry/api/projects/team-a
      azure_ad_token: os.environ/AZURE_AI_AD_TOKEN
litellm_settings:
  drop_params: true
general_settings:
  master_key: {key}
"""
MODELS = ("kimi-k2.5", "mistral-large", "deepseek", "grok", "claude-sonnet", "gpt-5-mini")
# Mistral does not reason, and Grok and GPT do not show it in chat completions.
THINKERS = {
    "responses": ("kimi-k2.5", "deepseek", "claude-sonnet", "gpt-5-mini"),
    "chat": ("kimi-k2.5", "deepseek", "claude-sonnet"),
    "messages": ("kimi-k2.5", "deepseek", "claude-sonnet", "gpt-5-mini"),
}
# What the emulator calls the operations by which each is called, whatever the caller's API.
OPERATIONS = {
    "kimi-k2.5": "chat",
    "mistral-large": "chat",
    "deepseek": "chat",
    "grok": "create",
    "claude-sonnet": "messages",
    "gpt-5-mini": "create",
}
CITIES = ("Paris", "Rome", "Oslo", "Lima", "Kyiv")
NAME, ABOUT = "get_weather", "The weather of a city."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@dataclass
class Turn:
    """What one reply said: its call of a function, its text, and whether it showed thinking."""

    call_id: str | None
    arguments: Any
    text: str
    has_thought: bool


@dataclass(frozen=True)
class Served:
    """A gateway and the resource behind it."""

    url: str
    emulator: Emulator

    def new_requests(self) -> list[Any]:
        """What the resource has got since the last call of this."""
        found = list(self.emulator.requests)
        self.emulator.requests.clear()
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("gateway")
    emulator = Emulator([Resource("foundry", keys=["key-of-foundry"], projects=["team-a"])])
    with emulator.serve() as server:
        config = yaml.safe_load(CONFIG.format(url=server.url, key=KEY))
        environment = {
            "AZURE_AI_API_BASE": f"{server.url}/resources/foundry",
            "AZURE_AI_API_KEY": "key-of-foundry",
            "AZURE_AI_AD_TOKEN": emulator.issuer.mint("https://ai.azure.com"),
        }
        with run_process(config, folder, environment=environment) as (url, _):
            yield Served(url, emulator)


class ResponsesCaller:
    """Sends the items of the conversation back, as a program without stored responses does."""

    def __init__(self, url: str, model: str, *, is_stream: bool) -> None:
        self._client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
        self._model, self._is_stream = model, is_stream
        self._items: list[Any] = []

    def ask(self, text: str) -> Turn:
        return self._send({"role": "user", "content": text})

    def give(self, call_id: str, output: str) -> Turn:
        return self._send({"type": "function_call_output", "call_id": call_id, "output": output})

    def close(self) -> None:
        self._client.close()

    def _send(self, item: Mapping[str, Any]) -> Turn:
        self._items.append(item)
        response = self._create(
            model=self._model,
            input=self._items,
            tools=[{"type": "function", "name": NAME, "description": ABOUT, "parameters": SCHEMA}],
            reasoning={"effort": "medium", "summary": "auto"},
            include=["reasoning.encrypted_content"],
            store=False,
        )
        self._keep(response)
        calls = [one for one in response.output if one.type == "function_call"]
        assert response.status == "completed"
        assert response.usage.output_tokens > 0
        return Turn(
            calls[0].call_id if calls else None,
            json.loads(calls[0].arguments) if calls else None,
            response.output_text,
            any(one.type == "reasoning" and one.encrypted_content for one in response.output),
        )

    def _keep(self, response: Any) -> None:
        self._items += [one.model_dump(exclude_none=True) for one in response.output]

    def _create(self, **parameters: Any) -> Any:
        if not self._is_stream:
            return self._client.responses.create(**parameters)
        with self._client.responses.stream(**parameters) as stream:
            return stream.get_final_response()


class StoredCaller(ResponsesCaller):
    """Continues by `previous_response_id`."""

    _previous: str | None = None

    def _keep(self, response: Any) -> None:
        self._items, self._previous = [], response.id

    def _create(self, **parameters: Any) -> Any:
        del parameters["store"]
        if self._previous is not None:
            parameters["previous_response_id"] = self._previous
        return super()._create(**parameters)


class ChatCaller:
    """Sends the messages back as they came."""

    def __init__(self, url: str, model: str, *, is_stream: bool) -> None:
        self._client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
        self._model, self._is_stream = model, is_stream
        self._messages: list[Any] = []

    def ask(self, text: str) -> Turn:
        return self._send({"role": "user", "content": text})

    def give(self, call_id: str, output: str) -> Turn:
        return self._send({"role": "tool", "tool_call_id": call_id, "content": output})

    def close(self) -> None:
        self._client.close()

    def _send(self, message: Mapping[str, Any]) -> Turn:
        self._messages.append(message)
        function = {"name": NAME, "description": ABOUT, "parameters": SCHEMA}
        answer = self._create(
            model=self._model,
            messages=self._messages,
            tools=[{"type": "function", "function": function}],
            reasoning_effort="medium",
        )
        said = answer.choices[0].message.model_dump(
            exclude_none=True, exclude={"parsed": True, "tool_calls": {"__all__": {"index"}}}
        )
        for call in said.get("tool_calls", ()):
            call["function"].pop("parsed_arguments", None)
        self._messages.append(said)
        calls = said.get("tool_calls")
        assert answer.choices[0].finish_reason == ("tool_calls" if calls else "stop")
        assert answer.usage.completion_tokens > 0
        return Turn(
            calls[0]["id"] if calls else None,
            json.loads(calls[0]["function"]["arguments"]) if calls else None,
            said.get("content") or "",
            bool(said.get("reasoning_content")),
        )

    def _create(self, **parameters: Any) -> Any:
        if not self._is_stream:
            return self._client.chat.completions.create(**parameters)
        with self._client.chat.completions.stream(
            **parameters, stream_options={"include_usage": True}
        ) as stream:
            return stream.get_final_completion()


class MessagesCaller:
    """Sends the blocks back as they came, thinking with its signature among them."""

    def __init__(self, url: str, model: str, *, is_stream: bool) -> None:
        self._client = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0)
        self._model, self._is_stream = model, is_stream
        self._messages: list[Any] = []

    def ask(self, text: str) -> Turn:
        return self._send(text)

    def give(self, call_id: str, output: str) -> Turn:
        return self._send([{"type": "tool_result", "tool_use_id": call_id, "content": output}])

    def close(self) -> None:
        self._client.close()

    def _send(self, content: Any) -> Turn:
        self._messages.append({"role": "user", "content": content})
        message = self._create(
            model=self._model,
            max_tokens=4000,
            messages=self._messages,
            tools=[{"name": NAME, "description": ABOUT, "input_schema": SCHEMA}],
            thinking={"type": "enabled", "budget_tokens": 2000},
        )
        self._messages.append({"role": "assistant", "content": message.content})
        calls = [one for one in message.content if one.type == "tool_use"]
        assert message.stop_reason == ("tool_use" if calls else "end_turn")
        assert message.usage.output_tokens > 0
        return Turn(
            calls[0].id if calls else None,
            calls[0].input if calls else None,
            "".join(one.text for one in message.content if one.type == "text"),
            any(one.type == "thinking" and one.signature for one in message.content),
        )

    def _create(self, **parameters: Any) -> Any:
        if not self._is_stream:
            return self._client.messages.create(**parameters)
        with self._client.messages.stream(**parameters) as stream:
            return stream.get_final_message()


Caller = ResponsesCaller | ChatCaller | MessagesCaller
CALLERS: Mapping[str, type[Caller]] = {
    "responses": ResponsesCaller,
    "stored responses": StoredCaller,
    "chat": ChatCaller,
    "messages": MessagesCaller,
}


@contextmanager
def calling(api: str, served: Served, model: str, *, is_stream: bool) -> Iterator[Caller]:
    caller = CALLERS[api](served.url, model, is_stream=is_stream)
    try:
        yield caller
    finally:
        caller.close()


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", CALLERS)
@pytest.mark.parametrize("model", MODELS)
def test_five_turns_with_a_tool_and_reasoning(
    served: Served, model: str, api: str, is_stream: bool
) -> None:
    served.new_requests()
    with calling(api, served, model, is_stream=is_stream) as caller:
        for city in CITIES:
            asked = caller.ask(f"[[azure:reason:About {city}.]] Call get_weather for {city}.")
            assert asked.call_id is not None
            assert asked.arguments == {"city": city}
            answered = caller.give(asked.call_id, f"It is 20 degrees in {city}.")
            assert answered.call_id is None
            assert f"20 degrees in {city}" in answered.text
            if model in THINKERS[api.split()[-1]]:
                assert asked.has_thought
    requests = served.new_requests()
    # One request for each call: nothing was tried in vain, and nothing was sent twice.
    assert [request.status for request in requests] == [200] * 2 * len(CITIES)
    assert {request.operation for request in requests} == {OPERATIONS[model]}


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
def test_an_agent_answers_and_goes_on(served: Served, is_stream: bool) -> None:
    served.new_requests()
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=KEY, max_retries=0) as client:

        def ask(text: str, **more: Any) -> Any:
            # The agent has a model and tools of its own: what the request says of them is left out.
            parameters = {"model": "weather-agent", "input": text, "temperature": 0.2, **more}
            if not is_stream:
                return client.responses.create(**parameters)
            with client.responses.stream(**parameters) as stream:
                return stream.get_final_response()

        first = ask("My name is Ada. Say hello.")
        second = ask("What is my name?", previous_response_id=first.id)
    assert "Ada" in second.output_text
    assert second.previous_response_id == first.id
    bodies = [json.loads(request.body) for request in served.new_requests()]
    agent = {"type": "agent_reference", "name": "weather-agent", "version": "3"}
    assert [body["agent_reference"] for body in bodies] == [agent] * 2
    assert not {"model", "temperature"} & {name for body in bodies for name in body}


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", ["chat", "messages"])
def test_an_agent_answers_callers_of_other_apis(served: Served, api: str, is_stream: bool) -> None:
    served.new_requests()
    with calling(api, served, "weather-agent", is_stream=is_stream) as caller:
        caller.ask("My name is Ada. Say hello.")
        assert "Ada" in caller.ask("What is my name?").text
    bodies = [json.loads(request.body) for request in served.new_requests()]
    assert {body["agent_reference"]["name"] for body in bodies} == {"weather-agent"}


@pytest.mark.parametrize("model", MODELS)
def test_each_api_names_the_cost_and_counts_the_same_tokens(served: Served, model: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "responses": {"input": "Say hello"},
        "chat/completions": {"messages": [{"role": "user", "content": "Say hello"}]},
        "messages": {"max_tokens": 500, "messages": [{"role": "user", "content": "Say hello"}]},
    }
    costs, used = set(), set()
    for path, body in bodies.items():
        reply = httpx.post(
            f"{served.url}/v1/{path}", json={"model": model, **body}, headers={"x-api-key": KEY}
        )
        assert reply.status_code == 200, reply.text
        costs.add(float(reply.headers["x-litellm-response-cost"]))
        usage = reply.json()["usage"]
        used.add(usage.get("prompt_tokens") or usage["input_tokens"])
    assert len(used) == 1
    assert len(costs) == 1
    assert costs.pop() > 0


@pytest.mark.parametrize("model", [model for model in MODELS if OPERATIONS[model] != "create"])
def test_what_was_left_out_is_told_in_a_header(served: Served, model: str) -> None:
    reply = httpx.post(
        f"{served.url}/v1/responses",
        json={"model": model, "input": "Say hello", "tools": [{"type": "web_search"}]},
        headers={"x-api-key": KEY},
    )
    assert reply.status_code == 200
    assert "web_search" in reply.headers["x-azure-responses-warning"]


def test_the_file_is_one_that_the_check_finds_nothing_wrong_with() -> None:
    names = ("AZURE_AI_API_BASE", "AZURE_AI_API_KEY", "AZURE_AI_AD_TOKEN")
    environ = dict.fromkeys(names, "https://foundry.services.ai.azure.com")
    text = CONFIG.format(url="http://127.0.0.1:8080", key=KEY)
    assert [str(problem) for problem in validate(text, environ)] == []


@pytest.mark.parametrize(
    ("model", "api"),
    [
        (model, api)
        for model in MODELS
        for api in ("responses", "chat", "messages")
        # What goes from Messages to Messages passes as it is, and Claude itself refuses this.
        if (model, api) != ("claude-sonnet", "messages")
    ],
)
def test_a_model_takes_over_the_tool_loop_of_another(served: Served, model: str, api: str) -> None:
    """As after a fallback: the new model has none of the reasoning before the call."""
    with calling(api, served, "mistral-large", is_stream=False) as caller:
        asked = caller.ask("Call get_weather for Paris.")
        assert asked.call_id is not None
        caller._model = model
        assert "20 degrees" in caller.give(asked.call_id, "It is 20 degrees in Paris.").text
