"""What both clients tell OpenTelemetry and callbacks of their streams, however those end."""

import gc
from typing import Any

import anyio
import pytest
from opentelemetry.trace import StatusCode

from azure_responses import (
    CallRecord,
    InternalServerError,
    StreamInterruptedError,
)
from azure_responses.emulator import Clock, Emulator, Fault
from tests.clients.both import run
from tests.clients.conftest import let_time_pass
from tests.clients.listeners import Collector, Told, read_all


def test_a_stream_that_is_read_ends_its_span_with_usage_and_times(
    runner: str, emulator: Emulator, collector: Collector, told: Told
) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.responses.create(input="Count from 1 to 20.", stream=True)
        assert collector.spans == []
        await read_all(stream)

    run(runner, emulator, scenario, **collector.arguments, **told.arguments)
    attributes = collector.attributes()
    record = told.last("on_response")
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert attributes["gen_ai.usage.output_tokens"] > 0
    assert attributes["azure_responses.cost"] > 0
    assert attributes["gen_ai.response.time_to_first_chunk"] == record.time_to_first_token
    assert record.time_to_first_token is not None
    assert 0 < record.time_to_first_token <= record.latency
    assert record.cost is not None
    assert record.is_stream
    (first,) = collector.points("gen_ai.client.operation.time_to_first_chunk")
    (gaps,) = collector.points("gen_ai.client.operation.time_per_output_chunk")
    assert first.count == 1
    assert gaps.count > 3


def test_a_stream_that_fails_ends_its_span_as_failed(
    runner: str, emulator: Emulator, collector: Collector, told: Told
) -> None:
    emulator.faults.add(Fault("truncate", after_events=6))

    async def scenario(client: Any) -> None:
        with pytest.raises(StreamInterruptedError):
            await read_all(await client.responses.create(input="Count from 1 to 20.", stream=True))

    run(runner, emulator, scenario, **collector.arguments, **told.arguments)
    (span,) = collector.spans
    assert span.status.status_code is StatusCode.ERROR
    assert collector.attributes()["error.type"] == "StreamInterruptedError"
    assert told.occasions == ["on_request", "on_error"]
    record = told.last("on_error")
    assert record.response_id is not None
    assert not record.is_abandoned


def test_a_stream_that_cannot_be_opened_ends_its_span(
    runner: str, emulator: Emulator, collector: Collector, told: Told
) -> None:
    emulator.faults.add(Fault("http-500"))

    async def scenario(client: Any) -> None:
        with pytest.raises(InternalServerError):
            await client.responses.create(input="hi", stream=True)
        with pytest.raises(InternalServerError):
            async with client.responses.stream(input="hi"):
                raise AssertionError("nothing to read")

    run(runner, emulator, scenario, max_retries=0, **collector.arguments, **told.arguments)
    assert [span.status.status_code for span in collector.spans] == [StatusCode.ERROR] * 2
    assert told.occasions == ["on_request", "on_error"] * 2


@pytest.mark.parametrize("order", ["A", "B", "C"])
def test_a_stream_sent_again_after_a_rate_limit_is_one_span(
    runner: str, emulator: Emulator, collector: Collector, naps: list[float], order: str
) -> None:
    emulator.faults.add(Fault(f"stream-429-{order}", times=1, retry_after=3))

    async def scenario(client: Any) -> None:
        await read_all(await client.responses.create(input="hi", stream=True))

    run(runner, emulator, scenario, **collector.arguments)
    (span,) = collector.spans
    (event,) = span.events
    assert dict(event.attributes or {})["azure_responses.retry_delay"] == 3
    assert collector.attributes()["azure_responses.attempts"] == 2
    assert span.status.status_code is StatusCode.UNSET


def test_a_background_stream_taken_up_again_is_one_span(
    runner: str, emulator: Emulator, collector: Collector, naps: list[float], told: Told
) -> None:
    emulator.faults.add(Fault("truncate", operation="create", after_events=5))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(
            input="Count from 1 to 20.", stream=True, background=True, store=True
        )
        await read_all(stream)

    run(runner, emulator, scenario, **collector.arguments, **told.arguments)
    (span,) = collector.spans
    assert span.name == "chat gpt-4.1"
    assert told.occasions == ["on_request", "on_retry", "on_response"]
    assert told.last("on_response").status == "completed"


def test_a_background_stream_that_is_polled_is_one_span(
    runner: str, collector: Collector, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    clock = Clock(at=1_800_000_000)
    emulator = Emulator(clock=clock)
    let_time_pass(clock, monkeypatch, naps)
    emulator.faults.add(Fault("truncate", operation="create", after_events=5))
    emulator.faults.add(Fault("responses-unavailable", operation="retrieve", streamed=True))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(
            input="Count from 1 to 20.", stream=True, background=True, store=True
        )
        await read_all(stream)

    run(runner, emulator, scenario, **collector.arguments)
    (span,) = collector.spans
    assert {event.name for event in span.events} == {"azure_responses.retry"}


async def _leave_the_loop(client: Any) -> None:
    stream = await client.responses.create(input="Count from 1 to 20.", stream=True)
    iterator = aiter(stream)
    await anext(iterator)
    # What `break` does for a generator nobody else holds.
    if hasattr(iterator, "aclose"):
        await iterator.aclose()
    await stream.aclose()


async def _leave_the_block(client: Any) -> None:
    async with client.responses.stream(input="Count from 1 to 20.") as stream:
        await anext(stream)


async def _close_unread(client: Any) -> None:
    stream = await client.responses.create(input="Count from 1 to 20.", stream=True)
    await stream.aclose()


# Trio says of httpx that a generator of its own is not read to its end.
@pytest.mark.filterwarnings("ignore:Async generator.*httpx:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("leave", [_leave_the_loop, _leave_the_block, _close_unread])
def test_a_stream_that_is_given_up_ends_its_span_as_abandoned(
    runner: str, emulator: Emulator, collector: Collector, told: Told, leave: Any
) -> None:
    run(runner, emulator, leave, **collector.arguments, **told.arguments)
    (span,) = collector.spans
    assert span.status.status_code is StatusCode.UNSET
    assert collector.attributes()["azure_responses.abandoned"] is True
    assert told.occasions == ["on_request", "on_response"]
    assert told.last("on_response").is_abandoned


@pytest.mark.filterwarnings("ignore:Async generator.*httpx:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stream_left_at_its_last_event_is_not_abandoned(
    runner: str, emulator: Emulator, collector: Collector
) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.stream(input="hi") as stream:
            while stream.final_response is None:
                await anext(stream)

    run(runner, emulator, scenario, **collector.arguments)
    assert "azure_responses.abandoned" not in collector.attributes()
    assert collector.attributes()["gen_ai.usage.output_tokens"] > 0


def test_a_stream_nobody_holds_any_more_ends_its_span(
    emulator: Emulator, collector: Collector, told: Told
) -> None:
    async def scenario(client: Any) -> None:
        await client.responses.create(input="Count from 1 to 20.", stream=True)
        gc.collect()
        assert collector.attributes()["azure_responses.abandoned"] is True

    run("sync", emulator, scenario, **collector.arguments, **told.arguments)
    assert told.occasions == ["on_request", "on_response"]


def test_an_async_stream_nobody_holds_any_more_ends_its_span(
    emulator: Emulator, collector: Collector, told: Told
) -> None:
    async def scenario(client: Any) -> None:
        stream = await client.responses.create(input="Count from 1 to 20.", stream=True)
        reply = stream._reply
        del stream
        gc.collect()
        await reply.aclose()
        assert collector.attributes()["azure_responses.abandoned"] is True

    run("asyncio", emulator, scenario, **collector.arguments, **told.arguments)
    assert told.occasions == ["on_request", "on_response"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_call_ends_its_span_without_an_error(
    backend: str, emulator: Emulator, collector: Collector, stream: bool
) -> None:
    emulator.faults.add(
        Fault("slow-body", seconds=5.0) if stream else Fault("http-429", retry_after=60)
    )
    ended: list[CallRecord] = []

    async def note(record: CallRecord) -> None:
        await anyio.sleep(0)
        ended.append(record)

    async def scenario(client: Any) -> None:
        with anyio.move_on_after(0.1):
            answer = await client.responses.create(input="hi", stream=stream)
            await read_all(answer)

    run(backend, emulator, scenario, on_error=note, on_response=note, **collector.arguments)
    (span,) = collector.spans
    assert span.status.status_code is StatusCode.UNSET
    assert collector.attributes()["azure_responses.abandoned"] is True
    assert [record.is_abandoned for record in ended] == [True]
