"""What a router does with the ids it gave out, one scenario on each of its halves."""

import time
from typing import Any

import pytest
from pydantic import BaseModel

from azure_responses import (
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    ResponseNotFoundError,
    Router,
    UnsupportedOperationError,
)
from azure_responses.emulator import Assumptions, EmulatedDeployment, Emulator, Fault, Latency
from tests.router.both import emulate, rows_of, run


class City(BaseModel):
    name: str


def _raw_id(emulator: Emulator) -> str:
    """The id of the last stored response, as the service knows it."""
    found: str = emulator.requests[-1].path.split("/responses/")[1].split("/")[0]
    return found


def test_every_operation_finds_the_response_by_its_id(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        for _ in range(8):
            made = await router.responses(model="gpt", input="Reply with exactly: pong")
            assert made.output_text == "pong"
            assert made.id.startswith("resp_azr1_")
            again = await router.retrieve(made.id)
            assert (again.id, again.output_text) == (made.id, "pong")
            assert again.route.deployment == made.route.deployment
            items = [item async for item in router.input_items(made.id)]
            assert [part.text for item in items for part in item.content] == [
                "Reply with exactly: pong"
            ]
            deleted = await router.delete(made.id)
            assert (deleted.id, deleted.deleted) == (made.id, True)
            with pytest.raises(ResponseNotFoundError):
                await router.retrieve(made.id)

    run(runner, emulator, scenario)


def test_a_compaction_that_a_resource_does_not_offer_is_the_requests_fault(runner: str) -> None:
    emulator = emulate(assumptions=Assumptions(offers_compaction=False))

    async def scenario(router: Any) -> None:
        with pytest.raises(UnsupportedOperationError, match="compact") as caught:
            await router.compact(model="gpt", input="hi")
        assert (caught.value.status_code, caught.value.code) == (404, "unsupported_operation")
        assert "another one" in (caught.value.hint or "")
        assert len(emulator.requests) == 1
        assert router.router._routing.health.troubled == frozenset()

    run(runner, emulator, scenario)


def test_reading_a_stored_response_is_no_latency_of_its_deployment(runner: str) -> None:
    emulator = emulate()
    made: list[Any] = []

    async def create(router: Any) -> None:
        stream = await router.responses(model="gpt", input="hi", background=True, stream=True)
        made.append(await stream.get_final_response())
        assert _latencies(router)[stream.route.deployment] is not None

    async def read(router: Any) -> None:
        await router.retrieve(made[0].id)
        stream = await router.retrieve(made[0].id, stream=True)
        assert [event async for event in stream]
        assert set(_latencies(router).values()) == {None}

    for scenario in (create, read):
        run(runner, emulator, scenario, affinity_secret="s" * 32)


def _latencies(router: Any) -> dict[str, float | None]:
    """The known latency of each deployment, of streams where there is one."""
    now, statuses = time.monotonic(), router.router._routing.health.statuses
    return {
        name: status.latency(now, is_stream=True) or status.latency(now, is_stream=False)
        for name, status in statuses.items()
    }


def test_pages_of_input_items_follow_one_another(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        texts = [f"part {number}" for number in range(7)]
        made = await router.responses(
            model="gpt", input=[{"role": "user", "content": text} for text in texts]
        )
        pages = router.input_items(made.id, limit=3, order="asc")
        items = [item async for item in pages]
        assert [item.content[0].text for item in items] == texts
        rest = router.input_items(made.id, order="asc", after=items[4].id)
        assert [item.content[0].text async for item in rest] == texts[5:]

    run(runner, emulator, scenario)


def test_a_background_response_is_waited_for_and_cancelled(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(
        2, EmulatedDeployment("gpt-5", latency=Latency(queued=2, running=5)), clock=clock
    )

    async def scenario(router: Any) -> None:
        queued = await router.responses(model="gpt", input="hi", background=True)
        assert queued.status == "queued"
        done = await router.wait(queued.id)
        assert (done.id, done.status) == (queued.id, "completed")
        other = await router.responses(model="gpt", input="hi", background=True)
        assert (await router.cancel(other.id)).status == "cancelled"

    run(runner, emulator, scenario)


def test_a_wait_that_is_limited_does_not_wait_longer_for_one_answer(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(2, EmulatedDeployment("gpt-5", latency=Latency(queued=100)), clock=clock)

    async def scenario(router: Any) -> None:
        queued = await router.responses(model="gpt", input="hi", background=True)
        emulator.faults.add(Fault("stall-before-headers", operation="retrieve"))
        began = clock.now()
        with pytest.raises(APITimeoutError):
            await router.wait(queued.id, timeout=5)
        assert clock.now() - began <= 7

    run(runner, emulator, scenario)


def test_a_background_stream_shows_its_id_at_once_and_is_taken_up_again(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(
        2, EmulatedDeployment("gpt-5", latency=Latency(queued=1, running=3)), clock=clock
    )

    async def scenario(router: Any) -> None:
        stream = await router.responses(
            model="gpt", input="Count from 1 to 5.", background=True, stream=True
        )
        first = await anext(stream)
        assert first.type == "response.created"
        assert first.response.id == stream.response_id
        await stream.aclose()
        rest = await router.retrieve(
            stream.response_id, stream=True, starting_after=first.sequence_number
        )
        events = [event async for event in rest]
        assert events[0].sequence_number == first.sequence_number + 1
        assert events[-1].response.id == stream.response_id
        assert rest.route.deployment == stream.route.deployment

    run(runner, emulator, scenario)


def test_answers_are_parsed_and_conversations_compacted(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        parsed = await router.parse(model="gpt", input="A city, please.", text_format=City)
        assert isinstance(parsed.output_parsed, City)
        assert parsed.route.group == "gpt"
        compacted = await router.compact(model="gpt", input="My name is Ann.")
        after = await router.responses(
            model="gpt",
            input=[*compacted.output, {"role": "user", "content": "What is my name?"}],
        )
        assert after.route.deployment == compacted.route.deployment

    run(runner, emulator, scenario)


def test_the_stream_helper_gives_text_and_a_parsed_answer(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        async with router.stream(model="gpt", input="Reply with exactly: pong") as stream:
            text = "".join([piece async for piece in stream.text_deltas()])
            final = await stream.get_final_response()
        assert text == "pong" == final.output_text
        assert final.id == stream.response_id == stream.final_response.id
        assert final.route == stream.route
        assert stream.request_id == final.request_id
        assert stream.headers
        async with router.stream(model="gpt", input="A city.", text_format=City) as stream:
            final = await stream.get_final_response()
        assert isinstance(final.output_parsed, City)

    run(runner, emulator, scenario)


def test_a_chat_stream_tells_its_route(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        messages = [{"role": "user", "content": "Reply with exactly: pong"}]
        stream = await router.completion(model="gpt", messages=messages, stream=True)
        assert stream.route.attempts == 1
        assert stream.route.group == "gpt"
        chunks = [chunk async for chunk in stream]
        assert chunks
        assert stream.route.deployment in ("east", "west")

    run(runner, emulator, scenario)


def test_a_place_in_a_stream_is_not_lost_where_nothing_is_streamed(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi")
        with pytest.raises(ConfigurationError, match="stream=True"):
            await router.retrieve(made.id, starting_after=3)

    run(runner, emulator, scenario)


def test_all_events_of_a_stream_carry_the_ids_of_the_final_response(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(router: Any) -> None:
        stream = await router.responses(model="gpt", input="Count from 1 to 3.", stream=True)
        events = [event async for event in stream]
        final = events[-1].response
        of_responses = {e.response.id for e in events if getattr(e, "response", None)}
        of_items = {e.item_id for e in events if getattr(e, "item_id", None)}
        assert of_responses == {final.id}
        assert of_items <= {item.id for item in final.output}

    run(runner, emulator, scenario)


def test_an_owner_alone_can_use_what_was_made_for_it(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi", owner="ann")
        assert (await router.retrieve(made.id, owner="ann")).id == made.id
        for stranger in ("bob", None):
            with pytest.raises(ResponseNotFoundError):
                await router.retrieve(made.id, owner=stranger)
            with pytest.raises(ResponseNotFoundError):
                await router.responses(
                    model="gpt", input="hi", previous_response_id=made.id, owner=stranger
                )

    run(runner, emulator, scenario)


def test_a_tampered_id_is_unknown(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi")
        forged = made.id[:-1] + ("A" if made.id[-1] != "A" else "B")
        with pytest.raises(ResponseNotFoundError):
            await router.retrieve(forged)

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 1


def test_an_id_of_the_service_is_imported_or_refused(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="My name is Ann.")
        await router.retrieve(made.id)
        raw, home = _raw_id(emulator), made.route.deployment
        with pytest.raises(BadRequestError, match="import_id"):
            await router.retrieve(raw)
        with pytest.raises(BadRequestError):
            await router.responses(model="gpt", input="Who?", previous_response_id=raw)
        imported = router.import_id(raw, deployment=home)
        assert imported == made.id
        with pytest.warns(DeprecationWarning, match="import_id"):
            assert router.adopt(raw, deployment=home) == imported
        follow_up = await router.responses(
            model="gpt", input="What is my name?", previous_response_id=imported
        )
        assert "Ann" in follow_up.output_text
        with pytest.raises(ConfigurationError, match="east"):
            router.import_id(raw, deployment="nowhere")

    run(runner, emulator, scenario)


def test_the_loop_under_its_old_name_warns(emulator: Emulator) -> None:
    router = Router(model_list=rows_of(emulator))
    with router, pytest.warns(DeprecationWarning, match=r"parts\.calls"):
        assert router.calls is router.parts.calls


def test_where_there_is_one_resource_its_own_ids_will_do(runner: str) -> None:
    emulator = emulate(1)

    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="My name is Ann.")
        await router.retrieve(made.id)
        raw = _raw_id(emulator)
        assert (await router.retrieve(raw)).id == raw
        follow_up = await router.responses(
            model="gpt", input="What is my name?", previous_response_id=raw
        )
        assert "Ann" in follow_up.output_text

    run(runner, emulator, scenario, rows_of(emulator, 1))


def test_ids_that_litellm_gave_out_are_understood_when_asked(
    runner: str, emulator: Emulator
) -> None:
    import base64

    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="My name is Ann.")
        await router.retrieve(made.id)
        text = (
            "litellm:custom_llm_provider:azure;"
            f"model_id:{made.route.deployment};response_id:{_raw_id(emulator)}"
        )
        theirs = "resp_" + base64.b64encode(text.encode()).decode()
        follow_up = await router.responses(
            model="gpt", input="What is my name?", previous_response_id=theirs
        )
        assert "Ann" in follow_up.output_text

    run(runner, emulator, scenario, accept_litellm_ids=True)


def test_two_routers_that_share_nothing_but_rows_know_each_others_ids(
    runner: str, emulator: Emulator
) -> None:
    given: list[str] = []

    async def first(router: Any) -> None:
        given.append((await router.responses(model="gpt", input="My name is Ann.")).id)

    async def second(router: Any) -> None:
        answer = await router.responses(
            model="gpt", input="What is my name?", previous_response_id=given[-1]
        )
        assert "Ann" in answer.output_text

    async def stranger(router: Any) -> None:
        with pytest.raises(ResponseNotFoundError, match="affinity_secret"):
            await router.retrieve(given[-1])

    run(runner, emulator, first)
    run(runner, emulator, second)
    run(runner, emulator, stranger, affinity_secret="another secret of some length")
    run(runner, emulator, first, affinity_secret="the old secret of the router")
    secrets = ["the new secret of the router", "the old secret of the router"]
    run(runner, emulator, second, affinity_secret=secrets)


def test_everything_of_an_end_user_is_deleted(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        kept = await router.responses(model="gpt", input="hi", user="bob")
        gone = [
            await router.responses(model="gpt", input="hi", safety_identifier="ann")
            for _ in range(4)
        ]
        stream = await router.responses(model="gpt", input="hi", user="ann", stream=True)
        gone.append(await stream.get_final_response())
        await router.delete(gone[0].id)
        receipt = await router.purge(end_user="ann")
        assert len(receipt.deleted) == 4
        assert receipt.is_complete
        for response in gone:
            with pytest.raises(ResponseNotFoundError):
                await router.retrieve(response.id)
        assert (await router.retrieve(kept.id)).id == kept.id
        assert (await router.purge(end_user="ann")).deleted == ()

    run(runner, emulator, scenario)


def test_a_call_is_explained_without_being_made(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi")
        home = made.route.deployment
        told = router.explain(model="gpt", input="x", previous_response_id=made.id)
        assert told.deployment == home
        assert {verdict.deployment: verdict.serves for verdict in told.verdicts}[home]
        assert router.explain(model="gpt", messages=[]).deployment in ("east", "west")

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 1


def test_a_row_whose_limit_is_used_up_is_explained_as_full(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="hi")
        told = router.explain(model="gpt", input="hi")
        assert told.deployment not in (None, first.route.deployment)
        await router.responses(model="gpt", input="hi")
        told = router.explain(model="gpt", input="hi")
        assert told.deployment is None
        assert 0 < told.wait <= 61
        assert all("full for another" in verdict.reason for verdict in told.verdicts)

    run(runner, emulator, scenario, rows_of(emulator, rpm=1))


def test_a_router_passes_everything_on_to_one_client(emulator: Emulator) -> None:
    import httpx

    from azure_responses import AzureResponses

    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(
            "https://east.openai.azure.com", api_key=emulator.api_key, http_client=http_client
        ) as client,
        Router.of(client) as router,
    ):
        made = router.responses(model="gpt-5", input="My name is Ann.")
        again = router.responses(
            model="gpt-5", input="What is my name?", previous_response_id=made.id
        )
        assert "Ann" in again.output_text
        assert emulator.requests[-1].deployment == "gpt-5"


def test_the_image_deployment_of_an_entry_goes_with_the_tool_only(runner: str) -> None:
    emulator = emulate(1)
    tool = {"type": "image_generation"}
    entry = {**rows_of(emulator)[0]}
    entry["litellm_params"] = {**entry["litellm_params"], "image_deployment": "images"}

    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="Draw a cat", tools=[tool])
        assert "image_generation_call" in [item.type for item in made.output]
        assert emulator.requests[-1].headers[_IMAGE_HEADER] == "images"
        await router.responses(
            model="gpt", input="Draw a cat", tools=[tool], extra_body={"user": "u"}
        )
        assert emulator.requests[-1].headers[_IMAGE_HEADER] == "images"
        await router.responses(model="gpt", input="hi")
        assert _IMAGE_HEADER not in emulator.requests[-1].headers

    run(runner, emulator, scenario, [entry])


_IMAGE_HEADER = "x-ms-oai-image-generation-deployment"
