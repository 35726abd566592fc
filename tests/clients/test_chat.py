"""Chat completions through both clients, over the emulator."""

import json
from typing import Any

import pytest

from azure_responses import (
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    ContentFilterError,
    RateLimitError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.bridge import ReasoningCache, accumulate_chunks
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from tests.clients.both import run
from tests.clients.conftest import read

_HELLO = [{"role": "user", "content": "Reply with exactly: pong"}]
_ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


def test_a_completion_has_the_shape_of_chat_completions(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        completion = await client.chat.completions.create(messages=_HELLO)
        assert completion.object == "chat.completion"
        assert completion.choices[0].message.content == "pong"
        assert completion["choices"][0]["message"]["content"] == "pong"
        assert completion.choices[0].finish_reason == "stop"
        assert completion.usage.total_tokens > 0
        assert completion.request_id
        assert completion.model_dump()["choices"][0]["message"]["role"] == "assistant"
        sent = next(iter(emulator.requests))
        assert sent.path == "/openai/v1/responses"

    run(runner, emulator, scenario)


def test_chunks_add_up_to_the_completion(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "Count from 1 to 20."}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[0].choices[0].delta.role == "assistant"
        assert chunks[-1].choices == []
        assert chunks[-1].usage.total_tokens > 0
        final = await stream.get_final_completion()
        accumulated = accumulate_chunks(chunks)
        assert accumulated.choices[0].message == final.choices[0].message
        assert final.choices[0].message.content.endswith("20")
        assert final.request_id == stream.request_id

    run(runner, emulator, scenario)


def test_a_chat_stream_left_half_read_still_gives_its_completion(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "Count from 1 to 20."}], stream=True
        )
        async with stream:
            async for _ in stream:
                break
            assert (await anext(stream)).choices
            final = await stream.get_final_completion()
        assert final.choices[0].message.content.endswith("20")

    run(runner, emulator, scenario)


async def _work(
    client: Any, messages: list[dict[str, Any]], keep: Any, *, stream: bool
) -> list[Any]:
    """Five turns of an agent: each asks for a tool, and is given its result."""
    answers = []
    for turn in range(5):
        messages.append({"role": "user", "content": f"Use add for {turn} and {turn + 1}."})
        for _ in range(2):
            reply = await client.chat.completions.create(
                messages=messages, tools=[_ADD], stream=stream, parallel_tool_calls=False
            )
            completion = await reply.get_final_completion() if stream else reply
            message = completion.choices[0].message
            messages.append(keep(message))
            if not message.tool_calls:
                answers.append(completion)
                break
            call = message.tool_calls[0]
            result = sum(json.loads(call.function.arguments).values())
            messages.append({"role": "tool", "tool_call_id": call.id, "content": str(result)})
    return answers


def _keep_all(message: Any) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(message.to_json())
    return kept


def _keep_standard_fields(message: Any) -> dict[str, Any]:
    whole = _keep_all(message)
    return {name: whole[name] for name in ("role", "content", "tool_calls") if name in whole}


def _replayed_reasoning(emulator: Emulator) -> list[int]:
    """How many encrypted reasoning items each request carried back."""
    inputs = [body["input"] for body in _bodies(emulator)]
    return [sum(1 for item in items if item.get("encrypted_content")) for items in inputs]


def _bodies(emulator: Emulator) -> list[dict[str, Any]]:
    return [json.loads(entry.body) for entry in emulator.requests]


@pytest.mark.parametrize("stream", [False, True])
def test_a_stateless_agent_keeps_its_encrypted_reasoning_valid_on_every_turn(
    runner: str, emulator: Emulator, stream: bool
) -> None:
    async def scenario(client: Any) -> None:
        answers = await _work(client, [], _keep_all, stream=stream)
        assert len(answers) == 5
        assert all(answer.choices[0].finish_reason == "stop" for answer in answers)

    run(runner, emulator, scenario, deployment="gpt-5-mini")
    replayed = _replayed_reasoning(emulator)
    assert len(replayed) == 10
    assert replayed[0] == 0
    assert replayed == sorted(replayed)
    assert replayed[-1] >= 5
    assert all(body["store"] is False for body in _bodies(emulator))


@pytest.mark.parametrize("cache", [True, ReasoningCache(capacity=100)])
def test_a_client_that_drops_unknown_fields_keeps_its_reasoning_with_the_cache(
    runner: str, emulator: Emulator, cache: Any
) -> None:
    async def scenario(client: Any) -> None:
        answers = await _work(client, [], _keep_standard_fields, stream=False)
        assert len(answers) == 5

    run(runner, emulator, scenario, deployment="gpt-5-mini", reasoning_cache=cache)
    replayed = _replayed_reasoning(emulator)
    assert replayed[-1] >= 5


def test_without_the_cache_such_a_client_loses_its_reasoning_and_nothing_else(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        assert len(await _work(client, [], _keep_standard_fields, stream=False)) == 5

    run(runner, emulator, scenario, deployment="gpt-5-mini")
    assert set(_replayed_reasoning(emulator)) == {0}


def test_reasoning_of_another_resource_is_left_out_with_a_warning(runner: str) -> None:
    messages: list[dict[str, Any]] = []
    east, west = Emulator([Resource("east")]), Emulator([Resource("west")])

    async def begin(client: Any) -> None:
        await _work(client, messages, _keep_all, stream=False)

    async def go_on(client: Any) -> None:
        messages.append({"role": "user", "content": "Reply with exactly: pong"})
        completion = await client.chat.completions.create(messages=messages, tools=[_ADD])
        assert completion.choices[0].message.content == "pong"

    run(runner, east, begin, deployment="gpt-5-mini")
    with pytest.warns(UserWarning, match="resource"):
        run(runner, west, go_on, deployment="gpt-5-mini")
    assert _replayed_reasoning(west) == [0]


def test_what_the_responses_api_cannot_do_is_refused_before_anything_is_sent(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="seed"):
            await client.chat.completions.create(messages=_HELLO, seed=1)
        assert not list(emulator.requests)
        with pytest.warns(UserWarning, match="seed"):
            await client.chat.completions.create(messages=_HELLO, seed=1, drop_params=True)

    run(runner, emulator, scenario)


def test_a_client_may_drop_parameters_by_default(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.warns(UserWarning, match="seed"):
            await client.chat.completions.create(messages=_HELLO, seed=1)

    run(runner, emulator, scenario, drop_params=True)


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_prompt_is_a_content_filter_error(
    runner: str, emulator: Emulator, stream: bool
) -> None:
    async def scenario(client: Any) -> None:
        messages = [{"role": "user", "content": "[[azure:block-prompt]]"}]
        with pytest.raises(ContentFilterError) as caught:
            await client.chat.completions.create(messages=messages, stream=stream)
        assert caught.value.content_filters

    run(runner, emulator, scenario)


def test_a_failure_before_the_first_chunk_is_that_failure(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "[[azure:fail:image_too_large]]"}], stream=True
        )
        seen: list[Any] = []
        with pytest.raises((ResponseFailedError, StreamInterruptedError)) as caught:
            await read(stream, seen)
        assert "image_too_large" in repr(vars(caught.value)) + repr(
            vars(caught.value.__cause__ or caught.value)
        )

    run(runner, emulator, scenario)


def test_a_rate_limit_inside_a_chat_stream_is_retried_and_then_raised(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("stream-429-A", retry_after=3))

    async def scenario(client: Any) -> None:
        stream = await client.chat.completions.create(messages=_HELLO, stream=True)
        with pytest.raises(RateLimitError) as caught:
            await read(stream, [])
        assert caught.value.retry_after == 3

    run(runner, emulator, scenario, max_retries=1)
    assert naps == [3]


def test_a_chat_stream_that_breaks_off_raises_with_the_completion_so_far(
    runner: str, emulator: Emulator
) -> None:
    emulator.faults.add(Fault("truncate", after_events=7))

    async def scenario(client: Any) -> None:
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "Count from 1 to 30."}], stream=True
        )
        seen: list[Any] = []
        with pytest.raises(StreamInterruptedError) as caught:
            await read(stream, seen)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in seen)
        assert text
        assert caught.value.partial.choices[0].message.content == text

    run(runner, emulator, scenario)


def test_a_chat_stream_that_breaks_off_before_output_fails_with_an_error_that_ends(
    runner: str, emulator: Emulator
) -> None:
    emulator.faults.add(Fault("truncate", after_events=1))

    async def scenario(client: Any) -> None:
        stream = await client.chat.completions.create(
            messages=[{"role": "user", "content": "Count from 1 to 30."}], stream=True
        )
        with pytest.raises(AzureResponsesError) as caught:
            await read(stream, [])
        causes: list[BaseException] = []
        error: BaseException | None = caught.value
        while error is not None:
            assert error not in causes
            causes.append(error)
            error = error.__cause__

    run(runner, emulator, scenario, max_retries=0)


def test_a_closed_chat_stream_has_no_completion(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.chat.completions.create(messages=_HELLO, stream=True)
        await stream.aclose()
        with pytest.raises(StreamInterruptedError, match="closed"):
            await stream.get_final_completion()

    run(runner, emulator, scenario)


def _included(emulator: Emulator) -> list[Any]:
    return [body.get("include") for body in _bodies(emulator)]


_ASKED = ["reasoning.encrypted_content"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_name_that_only_sounds_like_reasoning_is_found_out_once(
    runner: str, stream: bool
) -> None:
    emulator = Emulator(
        [Resource("r", deployments=[EmulatedDeployment("my-gpt-5", model="gpt-4.1")])]
    )

    async def scenario(client: Any) -> None:
        for _ in range(2):
            reply = await client.chat.completions.create(messages=_HELLO, stream=stream)
            completion = await reply.get_final_completion() if stream else reply
            assert completion.choices[0].message.content == "pong"

    run(runner, emulator, scenario, deployment="my-gpt-5")
    assert _included(emulator) == [_ASKED, None, None]


@pytest.mark.parametrize("stream", [False, True])
def test_a_name_that_says_nothing_is_seen_to_reason(runner: str, stream: bool) -> None:
    emulator = Emulator(
        [Resource("r", deployments=[EmulatedDeployment("prod", model="gpt-5-mini")])]
    )

    async def scenario(client: Any) -> None:
        for _ in range(2):
            reply = await client.chat.completions.create(messages=_HELLO, stream=stream)
            if stream:
                await read(reply, [])

    run(runner, emulator, scenario, deployment="prod")
    assert _included(emulator) == [None, _ASKED]


def test_a_refusal_of_what_the_caller_asked_for_is_passed_on(runner: str) -> None:
    emulator = Emulator(
        [Resource("r", deployments=[EmulatedDeployment("my-gpt-5", model="gpt-4.1")])]
    )

    async def scenario(client: Any) -> None:
        for given in ({"include": _ASKED}, {"extra_body": {"include": _ASKED}}):
            with pytest.raises(BadRequestError, match="Encrypted content"):
                await client.chat.completions.create(messages=_HELLO, **given)
        with pytest.raises(BadRequestError):
            await client.chat.completions.create(messages=_HELLO, temperature=99)

    run(runner, emulator, scenario, deployment="my-gpt-5")
