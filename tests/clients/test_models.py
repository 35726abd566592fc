"""One table of scenarios over deployments of each of the three APIs."""

import json
import logging
import warnings
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
from pydantic import BaseModel

from azure_responses import AzureResponses
from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    ConfigurationError,
    ResponseNotFoundError,
)
from azure_responses.telemetry import CallRecord
from tests.clients.both import run
from tests.clients.conftest import names
from tests.clients.listeners import Collector

DEPLOYMENTS = ("gpt-4.1", "kimi-k2.5", "mistral-large-3", "deepseek-v3.2", "claude-sonnet-4-5")
OF_ANOTHER_API = DEPLOYMENTS[1:]

every = pytest.mark.parametrize("deployment", DEPLOYMENTS)
bridged = pytest.mark.parametrize("deployment", OF_ANOTHER_API)

HI = [{"role": "user", "content": "hi"}]
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


class Answer(BaseModel):
    """A typed answer."""

    number: int


@every
def test_a_response_has_its_text_usage_and_cost(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(model=deployment, input="hi")
        assert response.output_text == "Hello! How can I help you today?"
        assert response.status == "completed"
        assert response.usage.input_tokens == 8
        assert response.cost > 0
        assert response.request_id
        assert response.model

    run(runner, emulator, scenario)


@every
def test_a_stream_ends_with_what_a_whole_reply_has(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        whole = await client.responses.create(model=deployment, input="hi")
        async with client.responses.stream(model=deployment, input="hi") as stream:
            events = [event async for event in stream]
            final = await stream.get_final_response()
        assert names(events)[:2] == ["response.created", "response.in_progress"]
        assert names(events)[-1] == "response.completed"
        numbers = [event.sequence_number for event in events]
        assert numbers == list(range(len(numbers)))
        assert final.output_text == whole.output_text
        assert [item.type for item in final.output] == [item.type for item in whole.output]
        assert final.usage == whole.usage

    run(runner, emulator, scenario)


@every
def test_an_answer_is_parsed(runner: str, emulator: Emulator, deployment: str) -> None:
    async def scenario(client: Any) -> None:
        parsed = await client.responses.parse(
            model=deployment, input="a number", text_format=Answer
        )
        assert isinstance(parsed.output_parsed, Answer)
        async with client.responses.stream(
            model=deployment, input="a number", text_format=Answer
        ) as stream:
            final = await stream.get_final_response()
        assert final.output_parsed == parsed.output_parsed

    run(runner, emulator, scenario)


@every
def test_a_raw_response_has_the_body_that_a_caller_of_responses_expects(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        raw = await client.responses.with_raw_response.create(model=deployment, input="hi")
        body = json.loads(raw.content)
        assert body["object"] == "response"
        assert raw.parse().id == body["id"]
        assert raw.request_id

    run(runner, emulator, scenario)


@every
def test_tools_are_called_and_answered_over_five_turns(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        previous: str | None = None
        for turn in range(5):
            response = await client.responses.create(
                model=deployment,
                input=f"Turn {turn}: what is the weather in Paris?",
                tools=[WEATHER],
                tool_choice={"type": "function", "name": "get_weather"},
                previous_response_id=previous,
            )
            [call] = [item for item in response.output if item.type == "function_call"]
            assert json.loads(call.arguments).keys() == {"city"}
            answer = {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": "sunny",
            }
            response = await client.responses.create(
                model=deployment, input=[answer], tools=[WEATHER], previous_response_id=response.id
            )
            previous = response.id
        assert response.output_text

    run(runner, emulator, scenario)


@bridged
def test_a_response_of_another_api_is_stored_listed_and_deleted(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        made = await client.responses.create(model=deployment, input="hi")
        assert made.id.startswith("resp_bridged_")
        found = await client.responses.retrieve(made.id)
        assert found.to_dict() == made.to_dict()
        items = [item async for item in client.responses.input_items.list(made.id)]
        assert [(item.role, item.content[0].text) for item in items] == [("user", "hi")]
        requests = len(emulator.requests)
        deleted = await client.responses.delete(made.id)
        assert deleted.deleted
        assert deleted.id == made.id
        with pytest.raises(ResponseNotFoundError, match="not found"):
            await client.responses.retrieve(made.id)
        with pytest.raises(ResponseNotFoundError, match="not found"):
            await client.responses.delete(made.id)
        assert len(emulator.requests) == requests

    run(runner, emulator, scenario)


def test_a_response_that_has_ended_cannot_be_cancelled_or_streamed_again(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        made = await client.responses.create(model="kimi-k2.5", input="hi")
        with pytest.raises(BadRequestError, match="Cannot cancel a synchronous response"):
            await client.responses.cancel(made.id)
        with pytest.raises(BadRequestError, match="cannot be streamed"):
            await client.responses.retrieve(made.id, stream=True)
        assert (await client.responses.wait(made.id)).id == made.id

    run(runner, emulator, scenario)


def test_input_items_come_in_pages(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        messages = [{"role": "user", "content": f"message {number}"} for number in range(5)]
        made = await client.responses.create(model="kimi-k2.5", input=messages)
        listing = client.responses.input_items.list(made.id, limit=2, order="asc")
        texts = [item.content[0].text async for item in listing]
        assert texts == [f"message {number}" for number in range(5)]
        latest = client.responses.input_items.list(made.id, limit=2)
        assert [item.content[0].text async for item in latest] == texts[::-1]
        with pytest.raises(BadRequestError) as caught:
            [item async for item in client.responses.input_items.list(made.id, limit=101)]
        assert caught.value.param == "limit"
        with pytest.raises(BadRequestError, match="msg_none"):
            [item async for item in client.responses.input_items.list(made.id, after="msg_none")]

    run(runner, emulator, scenario)


@bridged
def test_what_is_not_to_be_stored_cannot_be_continued(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        made = await client.responses.create(model=deployment, input="hi", store=False)
        assert made.id.startswith("resp_bridged_")
        with pytest.raises(ResponseNotFoundError) as caught:
            await client.responses.create(
                model=deployment, input="on", previous_response_id=made.id
            )
        assert caught.value.code == "previous_response_not_found"
        assert caught.value.status_code == 400
        assert caught.value.param == "previous_response_id"

    run(runner, emulator, scenario)


def test_a_stream_is_stored_before_its_last_event_is_handed_out(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.stream(model="kimi-k2.5", input="hi") as stream:
            async for event in stream:
                if event.type == "response.completed":
                    found = await client.responses.retrieve(event.response.id)
                    assert found.output_text == event.response.output_text

    run(runner, emulator, scenario)


def test_a_follow_up_sends_the_whole_conversation_also_after_deletions(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        first = await client.responses.create(model="kimi-k2.5", input="one")
        second = await client.responses.create(
            model="kimi-k2.5", input="two", previous_response_id=first.id, instructions="Be brief."
        )
        await client.responses.delete(first.id)
        await client.responses.create(
            model="kimi-k2.5", input="three", previous_response_id=second.id
        )
        messages = emulator.requests[-1].json()["messages"]
        # Instructions are not carried on by previous_response_id.
        assert [message["role"] for message in messages] == [
            "user",
            "assistant",
            "user",
            "assistant",
            "user",
        ]
        assert messages[0]["content"] == "one"
        assert messages[-1]["content"] == "three"

    run(runner, emulator, scenario)


def test_an_item_is_referred_to_by_its_id(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        made = await client.responses.create(model="mistral-large-3", input="hi")
        reference = {"type": "item_reference", "id": made.output[-1].id}
        own = {"role": "user", "content": "and then?"}
        await client.responses.create(model="mistral-large-3", input=[reference, own])
        messages = emulator.requests[-1].json()["messages"]
        assert [message["role"] for message in messages] == ["assistant", "user"]
        for store in (True, False):
            with pytest.raises(BadRequestError, match="Item with id 'msg_none' not found"):
                await client.responses.create(
                    model="mistral-large-3", input=[{"id": "msg_none"}, own], store=store
                )

    run(runner, emulator, scenario)


def test_a_conversation_goes_on_over_a_deployment_of_another_api(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        first = await client.responses.create(model="gpt-4.1", input="one")
        second = await client.responses.create(
            model="gpt-4.1", input="two", previous_response_id=first.id
        )
        third = await client.responses.create(
            model="kimi-k2.5", input="three", previous_response_id=second.id
        )
        sent = emulator.requests[-1].json()["messages"]
        assert [message["content"] for message in sent if message["role"] == "user"] == [
            "one",
            "two",
            "three",
        ]
        fourth = await client.responses.create(
            model="gpt-4.1", input="four", previous_response_id=third.id
        )
        body = emulator.requests[-1].json()
        assert "previous_response_id" not in body
        assert body["input"][-1] == {"role": "user", "content": "four"}
        assert len(body["input"]) == 7
        assert fourth.output_text

    run(runner, emulator, scenario)


def test_a_response_that_is_not_known_cannot_be_continued_over_chat(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ResponseNotFoundError) as caught:
            await client.responses.create(
                model="kimi-k2.5", input="on", previous_response_id="resp_unknown"
            )
        assert caught.value.code == "previous_response_not_found"
        assert caught.value.hint

    run(runner, emulator, scenario)


@pytest.mark.parametrize("deployment", ["kimi-k2.5", "deepseek-v3.2", "claude-sonnet-4-5"])
@pytest.mark.parametrize("include", [[], ["reasoning.encrypted_content"]])
def test_output_with_reasoning_is_carried_to_a_deployment_of_openai(
    runner: str, emulator: Emulator, deployment: str, include: list[str]
) -> None:
    async def scenario(client: Any) -> None:
        made = await client.responses.create(
            model=deployment, input="hi", reasoning={"effort": "high"}, include=include
        )
        assert [item.type for item in made.output] == ["reasoning", "message"]
        items = [*HI, *(item.to_dict() for item in made.output), *HI]
        with pytest.warns(UserWarning, match="Encrypted reasoning was left out"):
            following = await client.responses.create(model="gpt-4.1", input=items)
        assert following.output_text
        with pytest.warns(UserWarning, match="Encrypted reasoning was left out"):
            assert (await client.responses.compact(model="gpt-4.1", input=items)).output

    run(runner, emulator, scenario)


@bridged
def test_encrypted_reasoning_of_openai_is_not_sent_to_other_models(
    runner: str, deployment: str
) -> None:
    emulator = Emulator(
        [Resource("test", deployments=[*map(EmulatedDeployment, ("gpt-5", deployment))])]
    )

    async def scenario(client: Any) -> None:
        made = await client.responses.create(
            model="gpt-5", input="hi", include=["reasoning.encrypted_content"]
        )
        ciphertext = made.output[0].encrypted_content
        items = [*HI, *(item.to_dict() for item in made.output), *HI]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert (await client.responses.create(model=deployment, input=items)).output_text
        # Mistral reads no reasoning at all.
        assert len(told) == (not deployment.startswith("mistral"))
        assert ciphertext not in json.dumps(emulator.requests[-1].json())

    run(runner, emulator, scenario)


@bridged
def test_an_item_that_is_stored_here_is_referred_to_on_a_deployment_of_openai(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        made = await client.responses.create(model=deployment, input="hi")
        reference = {"type": "item_reference", "id": made.output[-1].id}
        given = [*HI, reference, *HI]
        following = await client.responses.create(model="gpt-4.1", input=given)
        assert following.output_text
        async with client.responses.stream(model="gpt-4.1", input=given) as stream:
            assert (await stream.get_final_response()).output_text
        unknown = {"type": "item_reference", "id": "msg_bridged_none"}
        with pytest.raises(BadRequestError, match="Item with id 'msg_bridged_none' not found"):
            await client.responses.create(model="gpt-4.1", input=[unknown])

    run(runner, emulator, scenario)


@every
@pytest.mark.parametrize("api", ["responses", "chat"])
def test_a_whole_answer_to_a_request_for_a_stream_is_an_error(deployment: str, api: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"object": "chat.completion", "choices": []})

    http_client = httpx.Client(transport=httpx.MockTransport(answer))
    endpoint = "https://test.openai.azure.com"
    client = AzureResponses(endpoint=endpoint, api_key="k" * 32, http_client=http_client)
    calls: dict[str, Any] = {
        "responses": partial(client.responses.create, input="hi"),
        "chat": partial(client.chat.completions.create, messages=HI),
    }
    with http_client, pytest.raises(APIStatusError, match="200 with an unexpected JSON") as caught:
        calls[api](model=deployment, stream=True)
    assert caught.value.status_code == 200
    # It was paid for, and would be the same again.
    assert len(seen) == 1


def unnamed(model: str) -> Emulator:
    """A deployment whose name does not say what runs there."""
    deployments = [EmulatedDeployment("mine", model=model), EmulatedDeployment("gpt-4.1")]
    return Emulator([Resource("test", deployments=deployments)])


def test_what_a_deployment_speaks_is_learned_from_one_refusal(runner: str) -> None:
    emulator = unnamed("kimi-k2.5")

    async def scenario(client: Any) -> None:
        first = await client.responses.create(model="mine", input="hi")
        assert first.id.startswith("resp_bridged_")
        assert len(emulator.requests) == 2
        async with client.responses.stream(model="mine", input="hi") as stream:
            assert (await stream.get_final_response()).output_text
        completion = await client.chat.completions.create(model="mine", messages=HI)
        assert completion.choices[0].message.content
        copied = await client.with_options(max_retries=0).responses.create(model="mine", input="x")
        assert copied.output_text
        assert len(emulator.requests) == 5

    run(runner, emulator, scenario)


def test_a_deployment_of_claude_is_learned_too(runner: str) -> None:
    async def with_responses(client: Any) -> None:
        for _ in range(2):
            response = await client.responses.create(model="mine", input="hi")
            assert response.output_text

    async def with_chat(client: Any) -> None:
        for _ in range(2):
            completion = await client.chat.completions.create(model="mine", messages=HI)
            assert completion.choices[0].message.content

    for scenario in (with_responses, with_chat):
        emulator = unnamed("claude-sonnet-4-5")
        # The model that answers is not known, and with it how much it can write.
        with pytest.warns(UserWarning, match="was sent as 4096"):
            run(runner, emulator, scenario)
        assert [request.status for request in emulator.requests] == [404, 200, 200]


def test_a_stream_and_a_chat_caller_learn_what_a_deployment_speaks(runner: str) -> None:
    async def with_stream(client: Any) -> None:
        async with client.responses.stream(model="mine", input="hi") as stream:
            final = await stream.get_final_response()
        assert final.id.startswith("resp_bridged_")

    async def with_chat(client: Any) -> None:
        for _ in range(2):
            stream = await client.chat.completions.create(model="mine", messages=HI, stream=True)
            assert [chunk async for chunk in stream]

    for scenario in (with_stream, with_chat):
        emulator = unnamed("kimi-k2.5")
        run(runner, emulator, scenario)
        refused = [request for request in emulator.requests if request.status == 400]
        assert len(refused) == 1


def test_first_calls_at_the_same_time_all_succeed() -> None:
    emulator = unnamed("kimi-k2.5")

    async def scenario(client: Any) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(partial(client.responses.create, model="mine", input="hi"))

    run("asyncio", emulator, scenario)
    assert sum(request.status == 200 for request in emulator.requests) == 8


def test_a_wrong_api_in_the_configuration_is_the_error_of_the_service(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(BadRequestError, match="not supported by the Responses API"):
            await client.responses.create(model="kimi-k2.5", input="hi")

    run(runner, emulator, scenario, api="responses")


def test_the_api_of_one_deployment_can_be_configured(runner: str) -> None:
    emulator = unnamed("kimi-k2.5")

    async def scenario(client: Any) -> None:
        assert (await client.responses.create(model="mine", input="hi")).output_text
        assert (await client.responses.create(model="gpt-4.1", input="hi")).output_text
        assert len(emulator.requests) == 2

    run(runner, emulator, scenario, api={"mine": "chat"})


@every
def test_a_chat_completion_has_its_text_usage_and_cost(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        create = client.chat.completions.create
        completion = await create(model=deployment, messages=HI)
        assert completion.choices[0].message.content == "Hello! How can I help you today?"
        assert completion.choices[0].finish_reason == "stop"
        assert completion.usage.prompt_tokens == 8
        assert completion.cost > 0
        assert completion.request_id
        stream = await create(
            model=deployment, messages=HI, stream=True, stream_options={"include_usage": True}
        )
        async with stream:
            chunks = [chunk async for chunk in stream]
            final = await stream.get_final_completion()
        assert chunks[-1].usage is not None
        assert final.choices[0].message.content == completion.choices[0].message.content
        assert final.usage == completion.usage
        assert final.cost == completion.cost
        assert stream.request_id
        assert stream.route is None

    run(runner, emulator, scenario)


@every
def test_a_chat_answer_of_a_type_is_asked_for_by_its_class(
    runner: str, emulator: Emulator, deployment: str
) -> None:
    async def scenario(client: Any) -> None:
        completion = await client.chat.completions.create(
            model=deployment, messages=HI, response_format=Answer
        )
        Answer.model_validate_json(completion.choices[0].message.content)

    run(runner, emulator, scenario)


def test_an_answer_of_the_bridge_is_sent_back_to_a_chat_deployment(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        create = client.chat.completions.create
        first = await create(model="o4-mini", messages=HI)
        messages = [*HI, first.choices[0].message, *HI]
        await create(model="kimi-k2.5", messages=messages)
        sent = emulator.requests[-1].json()["messages"]
        assert sent[1].keys() <= {"role", "content", "refusal", "reasoning_content"}

    run(runner, emulator, scenario)


def test_what_a_model_refuses_is_refused_by_name_or_left_out(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        create = client.chat.completions.create
        with pytest.raises(ConfigurationError, match="presence_penalty") as caught:
            await create(model="mistral-large-3", messages=HI, presence_penalty=1)
        assert caught.value.param == "presence_penalty"
        with pytest.raises(ConfigurationError, match="previous_response_id"):
            await create(model="mistral-large-3", messages=HI, previous_response_id="resp_1")
        assert not len(emulator.requests)
        # The service's default changes nothing.
        await create(
            model="mistral-large-3", messages=HI, presence_penalty=0, max_completion_tokens=50
        )
        assert emulator.requests[-1].json()["max_tokens"] == 50
        with pytest.warns(UserWarning, match="presence_penalty was left out"):
            await create(model="mistral-large-3", messages=HI, presence_penalty=1, drop_params=True)

    run(runner, emulator, scenario)


def test_drop_params_of_the_client_leaves_out_what_a_deployment_cannot_do(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        search = {"model": "kimi-k2.5", "input": "hi", "tools": [{"type": "web_search"}]}
        with pytest.warns(UserWarning, match="web_search"):
            assert (await client.responses.create(**search)).output_text

    async def strict(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="web_search"):
            await client.responses.create(
                model="kimi-k2.5", input="hi", tools=[{"type": "web_search"}]
            )
        assert len(emulator.requests) == 1

    run(runner, emulator, scenario, drop_params=True)
    run(runner, emulator, strict)


def test_a_compaction_of_a_chat_deployment_is_refused_with_a_hint(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError) as caught:
            await client.responses.compact(model="kimi-k2.5", input="hi")
        assert "chat" in caught.value.message
        assert caught.value.hint

    run(runner, emulator, scenario)


def test_a_converted_call_says_which_api_was_spoken(runner: str, collector: Collector) -> None:
    emulator = Emulator()

    async def scenario(client: Any) -> None:
        await client.responses.create(model="kimi-k2.5", input="hi")
        attributes = collector.attributes()
        assert attributes["azure_responses.api"] == "chat"
        assert attributes["openai.api.type"] == "responses"
        assert attributes["gen_ai.usage.input_tokens"] == 8
        assert attributes["azure_responses.cost"] > 0

    run(runner, emulator, scenario, **collector.arguments)


def test_callbacks_hear_of_native_chat_completions(runner: str, emulator: Emulator) -> None:
    records: list[CallRecord] = []

    async def scenario(client: Any) -> None:
        create = client.chat.completions.create
        await create(model="kimi-k2.5", messages=HI)
        stream = await create(
            model="kimi-k2.5", messages=HI, stream=True, stream_options={"include_usage": True}
        )
        assert [chunk async for chunk in stream]
        for record in records:
            assert (record.api, record.call_type) == ("chat", "chat_completions")
            assert record.usage is not None
            assert record.usage.input_tokens == 8
            assert record.cost
        assert [record.is_stream for record in records] == [False, True]

    run(runner, emulator, scenario, on_response=records.append)


class _Unreachable:
    """A store whose database cannot be reached."""

    async def save(self, stored: Any) -> None:
        raise APIConnectionError("the database cannot be reached")

    # A client takes only what has all of a store's methods.
    load = delete = save


def test_an_answer_is_not_lost_to_a_store_that_cannot_be_reached(
    emulator: Emulator, log: list[logging.LogRecord]
) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(model="kimi-k2.5", input="hi")
        assert response.output_text
        assert len(emulator.requests) == 1
        assert any("was not stored" in record.getMessage() for record in log)

    run("asyncio", emulator, scenario, response_store=_Unreachable())


def test_a_model_may_be_named_as_an_entry_of_a_model_list_names_it(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(model="azure_ai/kimi-k2.5", input="hi")
        assert response.id.startswith("resp_bridged_")
        for model in ("azure_ai/kimi-k2.5", "azure_ai/gpt-4.1"):
            await client.chat.completions.create(model=model, messages=HI)
        sent = [request.json()["model"] for request in emulator.requests]
        assert sent == ["kimi-k2.5", "kimi-k2.5", "gpt-4.1"]

    run(runner, emulator, scenario)
