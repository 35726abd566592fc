"""What both clients do, one scenario each, over the emulator."""

from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from azure_responses import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ContentFilterError,
    DeploymentNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFailedError,
    ResponseNotFoundError,
    UnsupportedOperationError,
)
from azure_responses.emulator import EmulatedDeployment, Emulator, Latency, Resource
from azure_responses.types import ParsedResponse, Response
from tests.clients.both import run
from tests.clients.conftest import read


def test_create_answers_with_a_typed_response(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(input="Reply with exactly: pong")
        assert isinstance(response, Response)
        assert response.output_text == "pong"
        assert response.status == "completed"
        assert response.model == "gpt-4.1"
        assert response.usage is not None
        assert response.usage.total_tokens > 0
        assert response.request_id
        assert response.region == "East US 2"
        assert response.cost is None or response.cost > 0

    run(runner, emulator, scenario)


def test_a_stream_gives_typed_events_that_end_in_completed(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.responses.create(input="Count from 1 to 5.", stream=True)
        events = [event async for event in stream]
        assert events[0].type == "response.created"
        assert events[-1].type == "response.completed"
        numbers = [event.sequence_number for event in events]
        assert numbers == list(range(len(events)))
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == events[-1].response.output_text

    run(runner, emulator, scenario)


def test_the_stream_helper_gives_text_and_the_final_response(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.stream(input="Reply with exactly: pong") as stream:
            text = "".join([piece async for piece in stream.text_deltas()])
            final = await stream.get_final_response()
        assert text == "pong" == final.output_text
        assert final.request_id == stream.request_id

    run(runner, emulator, scenario)


def test_a_stream_left_half_read_still_gives_its_final_response(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.stream(input="Count from 1 to 20.") as stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    break
            final = await stream.get_final_response()
        assert final.output_text.endswith("20")

    run(runner, emulator, scenario)


class Colour(Enum):
    red = "red"
    blue = "blue"


class Wheel(BaseModel):
    inches: int
    colour: Colour | None


class Bicycle(BaseModel):
    owner: str
    wheels: list[Wheel]


def test_parse_gives_the_model_it_was_asked_for(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.parse(
            input="Describe Ada's bicycle.", text_format=Bicycle
        )
        assert isinstance(response, ParsedResponse)
        assert isinstance(response.output_parsed, Bicycle)
        streamed = client.responses.stream(input="Describe Ada's bicycle.", text_format=Bicycle)
        async with streamed as stream:
            final = await stream.get_final_response()
        assert final.output_parsed == response.output_parsed

    run(runner, emulator, scenario)


def test_a_refusal_parses_to_nothing_and_says_why(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.parse(input="[[azure:refuse]]", text_format=Bicycle)
        assert response.output_parsed is None
        assert response.refusal

    run(runner, emulator, scenario)


def test_an_answer_cut_short_parses_to_nothing(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.parse(
            input="Describe a hundred bicycles.", text_format=Bicycle, max_output_tokens=16
        )
        assert response.status == "incomplete"
        assert response.incomplete_details.reason == "max_output_tokens"
        assert response.output_parsed is None

    run(runner, emulator, scenario)


def test_a_conversation_continues_from_the_previous_response(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        first = await client.responses.create(input="My name is Ada.")
        second = await client.responses.create(
            input="What is my name?", previous_response_id=first.id
        )
        assert "Ada" in second.output_text

    run(runner, emulator, scenario)


def test_typed_output_items_can_be_sent_back_as_input(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        question = {"role": "user", "content": "My name is Ada."}
        first = await client.responses.create(
            model="gpt-5-mini",
            input=[question],
            store=False,
            include=["reasoning.encrypted_content"],
        )
        second = await client.responses.create(
            model="gpt-5-mini",
            input=[question, *first.output, {"role": "user", "content": "What is my name?"}],
            store=False,
        )
        assert "Ada" in second.output_text

    run(runner, emulator, scenario)


def test_stored_responses_are_retrieved_listed_and_deleted(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        created = await client.responses.create(input="Reply with exactly: pong")
        assert (await client.responses.retrieve(created.id)).to_dict() == created.to_dict()
        items = [item async for item in client.responses.input_items.list(created.id)]
        assert [item.type for item in items] == ["message"]
        deleted = await client.responses.delete(created.id)
        assert deleted.deleted is True
        assert deleted.id == created.id
        with pytest.raises(ResponseNotFoundError):
            await client.responses.retrieve(created.id)

    run(runner, emulator, scenario)


def test_input_items_are_listed_over_as_many_pages_as_needed(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        said = [f"line {number}" for number in range(7)]
        messages = [{"role": "user", "content": text} for text in said]
        created = await client.responses.create(input=messages)
        pages = client.responses.input_items.list(created.id, limit=3, order="asc")
        listed = [item.content[0].text async for item in pages]
        assert listed == said
        assert len([page async for page in pages.pages()]) == 3

    run(runner, emulator, scenario)


def test_a_background_response_is_waited_for(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        created = await client.responses.create(input="Reply with exactly: pong", background=True)
        assert created.status in ("queued", "in_progress")
        finished = await client.responses.wait(created.id, poll_interval=0.01)
        assert finished.status == "completed"
        assert finished.output_text == "pong"

    run(runner, emulator, scenario)


def test_a_background_response_is_cancelled_twice_alike(runner: str) -> None:
    emulator = Emulator(latency=Latency(running=60))

    async def scenario(client: Any) -> None:
        created = await client.responses.create(input="Write a long essay.", background=True)
        assert (await client.responses.cancel(created.id)).status == "cancelled"
        assert (await client.responses.cancel(created.id)).status == "cancelled"
        assert (await client.responses.wait(created.id)).status == "cancelled"

    run(runner, emulator, scenario)


def test_compaction_gives_the_input_of_the_next_response(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        compacted = await client.responses.compact(
            input=[{"role": "user", "content": "My name is Ada."}]
        )
        assert compacted.output
        follow_up = [*compacted.output, {"role": "user", "content": "What is my name?"}]
        response = await client.responses.create(input=follow_up)
        assert "Ada" in response.output_text

    run(runner, emulator, scenario)


def test_models_are_listed(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        models = await client.models.list()
        assert "gpt-4.1-2025-04-14" in [model.id for model in models.data]

    run(runner, emulator, scenario)


def test_raw_responses_give_status_headers_and_the_typed_body(runner: str) -> None:
    emulator = Emulator(latency=Latency(running=60))

    async def scenario(client: Any) -> None:
        raw = client.responses.with_raw_response
        created = await raw.create(input="Reply with exactly: pong")
        assert created.status_code == 200
        assert created.headers["apim-request-id"] == created.request_id
        assert created.parse().output_text == "pong"
        assert created.parse() is created.parse()
        assert (await raw.retrieve(created.parse().id)).parse().output_text == "pong"
        parsed = await raw.parse(input="Ada's bicycle", text_format=Bicycle)
        assert isinstance(parsed.parse().output_parsed, Bicycle)
        background = await raw.create(input="Write an essay.", background=True)
        assert (await raw.cancel(background.parse().id)).parse().status == "cancelled"
        assert (await raw.delete(created.parse().id)).parse().deleted is True
        assert (await raw.compact(input="hello")).parse().output

    run(runner, emulator, scenario)


def test_options_of_a_copy_leave_the_original_alone(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        copy = client.with_options(max_retries=0, default_headers={"x-team": "blue"})
        await copy.responses.create(input="hi")
        await client.responses.create(input="hi", extra_headers={"x-call": "one"})
        await copy.aclose()
        await client.responses.create(input="hi")
        assert [entry.headers.get("x-team") for entry in emulator.requests] == ["blue", None, None]
        assert [entry.headers.get("x-call") for entry in emulator.requests] == [None, "one", None]

    run(runner, emulator, scenario)


def test_extra_body_query_and_headers_are_sent_as_given(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(BadRequestError) as caught:
            await client.responses.create(
                input="hi", extra_body={"frobnicate": 1}, extra_query={"trace": True}
            )
        assert "frobnicate" in str(caught.value)
        assert "trace=true" in next(iter(emulator.requests)).query

    run(runner, emulator, scenario)


@pytest.mark.parametrize(
    ("resource", "arguments", "parameters", "expected", "hint"),
    [
        (Resource("r"), {"api_key": "wrong"}, {}, AuthenticationError, "key"),
        (Resource("r", keys_enabled=False), {}, {}, PermissionDeniedError, "Entra ID"),
        (Resource("r", network="firewall"), {}, {}, PermissionDeniedError, "firewall"),
        (Resource("r", deployments=[]), {}, {}, DeploymentNotFoundError, "deployment"),
        (Resource("r"), {}, {"input": "[[azure:block-prompt]]"}, ContentFilterError, "categor"),
        (
            Resource("r"),
            {},
            {"previous_response_id": "resp_" + "0" * 50},
            ResponseNotFoundError,
            "another resource",
        ),
        (
            Resource("r"),
            {},
            {"model": "gpt-5-mini", "temperature": 0.5},
            BadRequestError,
            "temperature",
        ),
    ],
)
def test_refusals_become_errors_that_say_what_to_change(
    runner: str,
    resource: Resource,
    arguments: dict[str, Any],
    parameters: dict[str, Any],
    expected: type[Exception],
    hint: str,
) -> None:
    emulator = Emulator([resource])

    async def scenario(client: Any) -> None:
        for stream in (False, True):
            with pytest.raises(expected) as caught:
                await client.responses.create(**{"input": "hi", "stream": stream, **parameters})
            assert hint in (caught.value.hint or "")  # type: ignore[attr-defined]
            assert caught.value.request_id  # type: ignore[attr-defined]

    run(runner, emulator, scenario, **arguments)


def test_a_failed_response_raises_with_the_response(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ResponseFailedError) as caught:
            await client.responses.create(input="[[azure:fail:image_too_large]]")
        assert caught.value.response.status == "failed"
        assert caught.value.code == "image_too_large"

    run(runner, emulator, scenario)


def test_a_failed_stream_hands_out_its_events_and_then_raises(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.responses.create(input="[[azure:fail:image_too_large]]", stream=True)
        seen: list[Any] = []
        with pytest.raises(ResponseFailedError):
            await read(stream, seen)
        assert seen[0].type == "response.created"
        assert seen[-1].type == "response.failed"

    run(runner, emulator, scenario)


def test_an_incomplete_response_is_an_answer_not_an_error(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.responses.create(
            input="Count from 1 to 500.", max_output_tokens=16, stream=True
        )
        events = [event async for event in stream]
        assert events[-1].type == "response.incomplete"

    run(runner, emulator, scenario)


def test_an_old_version_is_warned_about_and_called_with_preview(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        await client.responses.create(input="hi")
        request = next(iter(emulator.requests))
        assert request.path == "/openai/v1/responses"
        assert "api-version=preview" in request.query

    with pytest.warns(UserWarning, match="2023-03-15-preview"):
        run(runner, emulator, scenario, api_version="2023-03-15-preview")


@pytest.mark.parametrize("version", [None, "v1", "preview", "latest", "2025-04-01-preview"])
def test_every_accepted_version_reaches_the_service(
    runner: str, emulator: Emulator, version: str | None
) -> None:
    async def scenario(client: Any) -> None:
        created = await client.responses.create(input="Reply with exactly: pong")
        assert created.output_text == "pong"
        assert (await client.responses.retrieve(created.id)).output_text == "pong"

    run(runner, emulator, scenario, api_version=version)


def test_entra_tokens_are_sent_as_bearer_and_never_with_a_key(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        await client.responses.create(input="hi")
        headers = next(iter(emulator.requests)).headers
        assert "authorization" in headers
        assert "api-key" not in headers

    run(runner, emulator, scenario, credential=emulator.token_credential())


def test_a_project_endpoint_gets_a_token_for_the_foundry_audience(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        assert (await client.responses.create(input="hi")).output_text

    endpoint = "https://emulator.services.ai.azure.com/api/projects/p"
    run(runner, emulator, scenario, credential=emulator.token_credential(), endpoint=endpoint)


def test_a_refused_audience_is_exchanged_for_the_other_one_once_per_client(runner: str) -> None:
    emulator = Emulator([Resource("emulator", audiences=["https://ai.azure.com"])])
    credential = emulator.token_credential()

    async def scenario(client: Any) -> None:
        for _ in range(2):
            assert (await client.responses.create(input="hi")).output_text
        assert len(list(emulator.requests)) == 3

    run(runner, emulator, scenario, credential=credential)
    assert [scope for (scope,) in credential.calls] == [
        "https://cognitiveservices.azure.com/.default",
        "https://ai.azure.com/.default",
    ]


def test_a_token_of_the_wrong_audience_is_refreshed_once_and_then_reported(
    runner: str, emulator: Emulator
) -> None:
    calls = []

    def provide() -> str:
        calls.append(1)
        return str(emulator.issuer.mint(audience="https://graph.microsoft.com"))

    async def scenario(client: Any) -> None:
        with pytest.raises(AuthenticationError) as caught:
            await client.responses.create(input="hi")
        assert "cognitiveservices.azure.com/.default" in str(caught.value.hint)
        assert len(calls) == 2
        assert len(list(emulator.requests)) == 2

    run(runner, emulator, scenario, azure_ad_token_provider=provide)


def test_an_unknown_parameter_is_refused_before_anything_is_sent(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(TypeError, match="did you mean 'instructions'"):
            await client.responses.create(input="hi", instruction="be brief")
        with pytest.raises(TypeError, match="not `messages`"):
            await client.responses.create(messages=[])
        assert not list(emulator.requests)

    run(runner, emulator, scenario)


def test_a_call_without_a_model_is_refused_before_anything_is_sent(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="No model"):
            await client.responses.create(input="hi")

    run(runner, emulator, scenario, deployment=None)


@pytest.mark.parametrize("bad", ["", ".", ".."])
def test_an_id_cannot_leave_its_place_in_the_path(
    runner: str, emulator: Emulator, bad: str
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError):
            await client.responses.retrieve(bad)
        with pytest.raises(NotFoundError):
            await client.responses.retrieve("../models?x=1#y")
        assert next(iter(emulator.requests)).path.startswith("/openai/v1/responses/..%2F")

    run(runner, emulator, scenario)


def test_rate_limits_are_read_from_the_headers(runner: str) -> None:
    deployment = EmulatedDeployment(
        "gpt-4.1", tokens_per_minute=90_000, rate_limit_headers="present"
    )
    emulator = Emulator([Resource("r", deployments=[deployment])])

    async def scenario(client: Any) -> None:
        response = await client.responses.create(input="hi")
        assert response.rate_limit.limit_tokens == 90_000
        assert 0 < response.rate_limit.remaining_tokens < 90_000

    run(runner, emulator, scenario)


def test_a_used_up_limit_raises_with_the_time_to_wait(runner: str, naps: list[float]) -> None:
    deployment = EmulatedDeployment("gpt-4.1", requests_per_minute=1)
    emulator = Emulator([Resource("r", deployments=[deployment])])

    async def scenario(client: Any) -> None:
        await client.responses.create(input="hi")
        with pytest.raises(RateLimitError) as caught:
            await client.responses.create(input="hi")
        assert 0 < (caught.value.retry_after or 0) <= 60

    run(runner, emulator, scenario, max_retries=1)
    assert len(naps) == 1
    assert 0 < naps[0] <= 60


def test_chat_only_refusals_name_the_responses_api(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(UnsupportedOperationError) as caught:
            await client.responses.create(input="hi")
        assert "v1" in (caught.value.hint or "")

    # A gateway that insists on the dated path meets Azure's own refusal.
    run(
        runner,
        emulator,
        scenario,
        endpoint="https://emulator.openai.azure.com",
        api_version=None,
        default_query={"api-version": "2024-05-01-preview"},
    )


def test_an_argument_that_would_be_lost_is_refused(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(input="Reply with exactly: pong")
        with pytest.raises(ConfigurationError, match="starting_after"):
            await client.responses.retrieve(response.id, starting_after=3)

    run(runner, emulator, scenario)


def test_what_a_model_refuses_on_the_responses_api_is_refused_before_it_is_sent(
    runner: str,
) -> None:
    deployment = EmulatedDeployment("DeepSeek-V3.2")
    emulator = Emulator([Resource("emulator", deployments=[deployment])])

    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"reasoning\.effort is not supported"):
            await client.responses.create(
                model="DeepSeek-V3.2", input="hi", reasoning={"effort": "low"}
            )
        assert not list(emulator.requests)
        answered = await client.responses.create(model="DeepSeek-V3.2", input="hi")
        assert answered.output_text
        assert next(iter(emulator.requests)).path == "/openai/v1/responses"

    run(runner, emulator, scenario, api="responses")


def test_the_image_deployment_of_a_client_goes_with_the_tool_only(
    runner: str, emulator: Emulator
) -> None:
    tool = {"type": "image_generation", "model": "gpt-image-1"}

    async def scenario(client: Any) -> None:
        made = await client.responses.create(input="Draw a cat", tools=[tool])
        assert "image_generation_call" in [item.type for item in made.output]
        await client.responses.create(
            input="Draw a cat", tools=[tool], extra_headers={_IMAGE_HEADER: "of-this-call"}
        )
        await client.responses.create(input="hi")
        with pytest.raises(ConfigurationError, match="gpt-image-9"):
            await client.responses.create(input="Draw", tools=[{**tool, "model": "gpt-image-9"}])
        found = [request.headers.get(_IMAGE_HEADER) for request in emulator.requests]
        assert found == ["images", "of-this-call", None]

    run(runner, emulator, scenario, image_deployment={"gpt-image-1": "images"})


_IMAGE_HEADER = "x-ms-oai-image-generation-deployment"
