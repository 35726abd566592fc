"""The emulator, which shares no code with the conversion, takes what is sent."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Emulator
from tests.bridge.responses_over_messages.cases import events_of, make

_MODELS = ("claude-opus-4-8", "claude-opus-4-6", "claude-haiku-4-5")
_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
    {"type": "custom", "name": "note"},
    {"type": "shell"},
    {"type": "apply_patch"},
    {"type": "computer"},
    {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "find"}]},
]


class _Claude:
    """Sends the calls of one deployment."""

    def __init__(self, client: httpx.Client, model: str) -> None:
        self._client = client
        self._model = model

    def ask(
        self, parameters: dict[str, Any], history: list[dict[str, Any]], *, streams: bool = False
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The response, and the history with this turn."""
        conversion = make({**parameters, "stream": streams}, self._model)
        body = conversion.write(history)
        reply = self._client.post("/anthropic/v1/messages", json=body)
        assert reply.status_code == 200, reply.text
        if streams:
            state = conversion.stream()
            events = events_of(state.receive(reply.content) + state.end())
            assert state.final is not None
            assert events[-1]["response"] == state.final
            response = state.final
        else:
            response = conversion.read(reply.json())
        return response, [*history, *conversion.input_items, *response["output"]]


@pytest.fixture(params=_MODELS)
def claude(request: pytest.FixtureRequest) -> Iterator[_Claude]:
    emulator = Emulator()
    headers = {"x-api-key": emulator.api_key, "anthropic-version": "2023-06-01"}
    with httpx.Client(
        transport=emulator.httpx_transport(),
        base_url="https://emulator.services.ai.azure.com",
        headers=headers,
    ) as client:
        yield _Claude(client, request.param)


_TWICE = "[[azure:reason:A]] [[azure:reason:B]] [[azure:redact]]"


@pytest.mark.parametrize("streams", [False, True])
def test_five_turns_with_thinking_and_calls_are_accepted(claude: _Claude, streams: bool) -> None:
    history: list[dict[str, Any]] = []
    about = {"tools": _TOOLS, "reasoning": {"effort": "low", "summary": "auto"}}
    for place in ("Rome", "Paris", "Oslo", "Bern", "Lima"):
        asked = {"input": f"weather in {place} and Kyiv {_TWICE}", **about}
        called, history = claude.ask(asked, history, streams=streams)
        kinds = [item["type"] for item in called["output"]]
        assert kinds.count("function_call") == 2
        assert kinds[0] == "reasoning"
        outputs = [
            {
                "type": "function_call_output",
                "call_id": item["call_id"],
                "output": f"{place}: sunny",
            }
            for item in called["output"]
            if item["type"] == "function_call"
        ]
        answered, history = claude.ask({"input": outputs, **about}, history, streams=streams)
        assert answered["status"] == "completed"
        assert f"{place}: sunny" in answered["output"][-1]["content"][0]["text"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"instructions": "Be brief.", "temperature": 0.2, "user": "u", "metadata": {"a": "b"}},
        {"reasoning": {"effort": "none"}, "top_p": 1},
        {"reasoning": {"effort": "high"}, "temperature": 1, "prompt_cache_key": "k"},
        {"prompt_cache_retention": "24h", "max_output_tokens": 50},
        {"tools": _TOOLS, "tool_choice": "required", "reasoning": {"effort": "low"}},
        {"tools": _TOOLS, "tool_choice": {"type": "shell"}, "parallel_tool_calls": False},
        {"text": {"format": {"type": "json_object"}}},
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "city",
                    "schema": {"type": "object", "properties": {"city": {"type": "string"}}},
                }
            }
        },
        {
            "tools": [
                {
                    "type": "function",
                    "name": "limited",
                    "parameters": {
                        "type": "object",
                        "properties": {"n": {"type": "integer", "minimum": 1}},
                    },
                }
            ]
        },
    ],
)
def test_parameters_are_accepted(claude: _Claude, parameters: dict[str, Any]) -> None:
    if "temperature" in parameters and claude._model == "claude-opus-4-8":
        parameters = {**parameters, "temperature": 1}
    for streams in (False, True):
        response, _ = claude.ask({"input": "Hello", **parameters}, [], streams=streams)
        assert response["output"]


def test_items_of_every_kind_are_accepted(claude: _Claude) -> None:
    picture = "data:image/png;base64,iVBORw0KGgo="
    items: list[dict[str, Any]] = [
        {"role": "assistant", "content": "Welcome."},
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "See."},
                {"type": "input_image", "image_url": picture},
                {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain,Hello"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "JVBERi0xLjc="},
            ],
        },
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABo"},
        {"type": "custom_tool_call", "call_id": "call|1", "name": "note", "input": "x"},
        {
            "type": "function_call",
            "call_id": "b",
            "name": "find",
            "namespace": "crm",
            "arguments": "",
        },
        {"type": "custom_tool_call_output", "call_id": "call|1", "output": ""},
        {"role": "user", "content": "Go on."},
        {
            "type": "function_call_output",
            "call_id": "b",
            "output": [{"type": "input_image", "image_url": picture}],
        },
    ]
    response, _ = claude.ask({"input": items, "tools": _TOOLS}, [])
    assert response["status"] == "completed"


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("prompt", "reason"),
    [("[[azure:refuse]]", "content_filter"), ("[[azure:incomplete]]", "max_output_tokens")],
)
def test_an_answer_that_stops_early_says_why(
    claude: _Claude, prompt: str, reason: str, streams: bool
) -> None:
    response, _ = claude.ask({"input": f"Hello {prompt}"}, [], streams=streams)
    assert response["incomplete_details"] == {"reason": reason}
