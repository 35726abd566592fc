"""Forms of chat calls that other programs send."""

from typing import Any

import pytest

from azure_responses import ConfigurationError
from tests.canned import Canned, message, response
from tests.clients import both

PARAMETERS = {"type": "object", "properties": {"a": {"type": "string"}}}
FLAT = {"type": "function", "name": "f", "description": "d", "parameters": PARAMETERS}
NESTED = {"type": "function", "function": {name: FLAT[name] for name in FLAT if name != "type"}}
GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}
MESSAGES = [{"role": "user", "content": "x"}]


def _service() -> Canned:
    return Canned(response(message("pong")))


@pytest.mark.parametrize("runner", both.RUNNERS)
def test_flat_tools_are_sent_as_nested_ones(runner: str) -> None:
    service = _service()
    flat_custom = {"type": "custom", "name": "c", "format": GRAMMAR}
    nested_custom = {"type": "custom", "custom": {"name": "c", "format": GRAMMAR}}
    bare = {"type": "function", "name": "g"}
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [NESTED, FLAT]}

    async def scenario(client: Any) -> None:
        create = client.chat.completions.create
        await create(messages=MESSAGES, tools=[FLAT, flat_custom, bare], tool_choice=FLAT)
        nested = [NESTED, nested_custom, {"type": "function", "function": {"name": "g"}}]
        await create(messages=MESSAGES, tools=nested, tool_choice=NESTED)
        await create(messages=MESSAGES, tools=[FLAT, NESTED], tool_choice=allowed)
        with pytest.raises(ConfigurationError, match="no name") as caught:
            await create(messages=MESSAGES, tools=[{"type": "function", "parameters": PARAMETERS}])
        assert caught.value.param == "tools[0]"

    both.run(runner, service, scenario)  # type: ignore[arg-type]
    flat, nested, mixed = service.sent
    assert flat["tools"] == nested["tools"]
    assert flat["tools"][0] == {**FLAT, "strict": False}
    assert flat["tools"][2]["parameters"] == {"type": "object", "properties": {}}
    assert flat["tool_choice"]["name"] == nested["tool_choice"]["name"] == "f"
    assert mixed["tools"][0] == mixed["tools"][1]
    assert [tool["name"] for tool in mixed["tool_choice"]["tools"]] == ["f", "f"]


@pytest.mark.parametrize("runner", both.RUNNERS)
def test_a_responses_body_is_answered_as_a_completion_and_as_chunks(runner: str) -> None:
    service = _service()
    body = {
        "input": [{"role": "user", "content": "x"}],
        "instructions": "Be brief.",
        "tools": [FLAT],
        "max_output_tokens": 100,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low"},
        "truncation": "auto",
        "include": ["reasoning.encrypted_content"],
        "store": False,
    }

    async def scenario(client: Any) -> None:
        create = client.chat.completions.create
        completion = await create(**body)
        assert completion.object == "chat.completion"
        assert completion.choices[0].message.content == "pong"
        chunks = [chunk async for chunk in await create(**body, stream=True)]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "pong"
        assert (await create(input="x")).choices[0].message.content == "pong"
        with pytest.raises(ConfigurationError, match="both") as caught:
            await create(input="x", messages=MESSAGES)
        assert caught.value.param == "input"

    both.run(runner, service, scenario)  # type: ignore[arg-type]
    whole, streamed, text = service.sent
    assert whole == {**body, "model": "gpt-4.1", "tools": [{**FLAT, "strict": False}]}
    assert streamed == {**whole, "stream": True}
    assert text["input"] == "x"


@pytest.mark.parametrize("runner", both.RUNNERS)
def test_the_default_of_sampling_is_not_sent_to_a_model_that_reasons(runner: str) -> None:
    service = _service()
    asked: dict[str, Any] = {"model": "gpt-5-mini", "messages": MESSAGES}

    async def scenario(client: Any) -> None:
        create = client.chat.completions.create
        await create(**asked, temperature=1, top_p=1.0)
        with pytest.warns(UserWarning, match="dropped"):
            await create(**asked, drop_params=True, temperature=0.5, logprobs=True, top_logprobs=1)
        await create(**asked, drop_params=True, reasoning_effort="none", top_logprobs=1)
        await create(model="gpt-4.1", messages=MESSAGES, temperature=1)

    both.run(runner, service, scenario)  # type: ignore[arg-type]
    names = {"temperature", "top_p", "top_logprobs"}
    assert [names & sent.keys() for sent in service.sent] == [
        set(),
        set(),
        {"top_logprobs"},
        {"temperature"},
    ]
    assert "message.output_text.logprobs" not in service.sent[1]["include"]


@pytest.mark.parametrize("runner", both.RUNNERS)
def test_replayed_parts_bring_their_citations(runner: str) -> None:
    service = _service()
    citation = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}
    parts = [
        {"type": "text", "text": "Hi ", "annotations": []},
        {"type": "text", "text": "you", "annotations": [citation]},
    ]

    async def scenario(client: Any) -> None:
        said = {"role": "assistant", "content": parts}
        await client.chat.completions.create(messages=[*MESSAGES, said, *MESSAGES])

    both.run(runner, service, scenario)  # type: ignore[arg-type]
    (part,) = service.sent[0]["input"][1]["content"]
    assert part["text"] == "Hi you"
    assert part["annotations"] == [{**citation, "start_index": 3, "end_index": 4}]


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"n": 2}, "n"),
        ({"stop": ["x"]}, "stop"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"telepathy": True}, "telepathy"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0]"),
        ({"tools": "all"}, "tools"),
        ({"tools": [{"type": "function", "function": 7}]}, "tools[0].function"),
        ({"tool_choice": "perhaps"}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"max_tokens": 20, "max_completion_tokens": 30}, "max_tokens"),
        ({"functions": []}, "functions"),
        ({"messages": "x"}, "messages"),
        ({"messages": [*MESSAGES, {"role": "robot"}]}, "messages[1].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
            "messages[0].content[0]",
        ),
        (
            {"messages": [*MESSAGES, {"role": "assistant", "tool_calls": [{"type": "function"}]}]},
            "messages[1].tool_calls[0]",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "assistant", "output_order": [7]}]}, "output_order"),
        ({"input": [7], "messages": None}, "input[0]"),
    ],
)
def test_a_refusal_names_its_parameter(asked: dict[str, Any], param: str) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError) as caught:
            await client.chat.completions.create(**{"messages": MESSAGES, **asked})
        assert caught.value.param == param

    both.run("sync", _service(), scenario)  # type: ignore[arg-type]
