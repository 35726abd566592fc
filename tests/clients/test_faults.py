"""What both clients do when things go wrong, over the emulator's scripted faults."""

import json
import pickle
import time
from typing import Any

import httpx
import pytest

from azure_responses import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AzureResponsesError,
    InternalServerError,
    RateLimitError,
    ResponseNotFoundError,
    StreamInterruptedError,
)
from azure_responses.emulator import (
    Clock,
    EmulatedDeployment,
    Emulator,
    Fault,
    Latency,
    ReadLag,
    Resource,
)
from tests.clients.both import run
from tests.clients.conftest import let_time_pass, names, read


def _ids(emulator: Emulator) -> list[str | None]:
    return [entry.headers.get("x-ms-client-request-id") for entry in emulator.requests]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "kind",
    [
        "connect-refused",
        "reset-before-headers",
        "disconnect-before-headers",
        "reset-during-headers",
        "http-408",
        "http-429",
        "http-500",
        "http-503",
        "html-502",
    ],
)
def test_a_passing_failure_is_retried_with_the_same_client_request_id(
    runner: str, emulator: Emulator, naps: list[float], kind: str, stream: bool
) -> None:
    emulator.faults.add(Fault(kind, operation="create", times=2))

    async def scenario(client: Any) -> None:
        answer = await client.responses.create(input="Reply with exactly: pong", stream=stream)
        if stream:
            events = [event async for event in answer]
            answer = events[-1].response
        assert answer.output_text == "pong"

    run(runner, emulator, scenario)
    assert len(naps) == 2
    assert len(set(_ids(emulator))) == 1


def test_retries_stop_when_they_are_used_up(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("http-503"))

    async def scenario(client: Any) -> None:
        with pytest.raises(InternalServerError):
            await client.responses.create(input="hi")

    run(runner, emulator, scenario, max_retries=1)
    assert len(naps) == 1
    assert len(list(emulator.requests)) == 2


def test_the_wait_the_service_asks_for_is_kept(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("http-429", times=1, retry_after=7))

    async def scenario(client: Any) -> None:
        await client.responses.create(input="hi")

    run(runner, emulator, scenario)
    assert naps == [7]


def test_a_wait_longer_than_the_timeout_is_raised_at_once(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("http-429", retry_after=86_400))

    async def scenario(client: Any) -> None:
        with pytest.raises(RateLimitError) as caught:
            await client.responses.create(input="hi")
        assert caught.value.retry_after == 86_400

    run(runner, emulator, scenario, timeout=30)
    assert naps == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("timeout", [30, httpx.Timeout(900, read=30)])
def test_a_call_waits_no_longer_than_its_own_timeout(
    runner: str, emulator: Emulator, naps: list[float], timeout: Any, stream: bool
) -> None:
    emulator.faults.add(Fault("http-429", retry_after=45))

    async def scenario(client: Any) -> None:
        with pytest.raises(RateLimitError) as caught:
            await client.responses.create(input="hi", timeout=timeout, stream=stream)
        assert caught.value.retry_after == 45

    run(runner, emulator, scenario, timeout=600)
    assert naps == []


@pytest.mark.parametrize("timeout", [60, None])
def test_a_call_may_wait_longer_than_its_client(
    runner: str, emulator: Emulator, naps: list[float], timeout: Any
) -> None:
    emulator.faults.add(Fault("http-429", times=1, retry_after=45))

    async def scenario(client: Any) -> None:
        await client.responses.create(input="hi", timeout=timeout)

    run(runner, emulator, scenario, timeout=30)
    assert naps == [45]


@pytest.mark.parametrize("order", ["A", "B", "C"])
def test_a_rate_limit_inside_a_stream_is_retried_before_output(
    runner: str, emulator: Emulator, naps: list[float], order: str
) -> None:
    emulator.faults.add(Fault(f"stream-429-{order}", times=1, retry_after=3))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(input="Reply with exactly: pong", stream=True)
        events = [event async for event in stream]
        assert names(events).count("response.created") == 1
        assert "error" not in names(events)
        assert events[-1].response.output_text == "pong"

    run(runner, emulator, scenario)
    assert naps == [3]


@pytest.mark.parametrize("order", ["A", "B", "C"])
def test_a_rate_limit_inside_a_stream_is_raised_when_retries_are_used_up(
    runner: str, emulator: Emulator, order: str
) -> None:
    emulator.faults.add(Fault(f"stream-429-{order}", retry_after=3))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(input="hi", stream=True)
        with pytest.raises(RateLimitError) as caught:
            [event async for event in stream]
        assert caught.value.status_code == 429
        assert caught.value.retry_after == 3

    run(runner, emulator, scenario, max_retries=0)


@pytest.mark.parametrize("kind", ["html-200", "malformed-json", "empty-body"])
def test_a_reply_that_is_no_answer_is_a_clear_error(
    runner: str, emulator: Emulator, kind: str
) -> None:
    emulator.faults.add(Fault(kind))

    async def scenario(client: Any) -> None:
        with pytest.raises(APIStatusError) as caught:
            await client.responses.create(input="hi")
        assert caught.value.status_code == 200
        assert "HTTP 200" in caught.value.message

    run(runner, emulator, scenario)


def test_a_reply_without_a_content_type_is_read_all_the_same(
    runner: str, emulator: Emulator
) -> None:
    emulator.faults.add(Fault("no-content-type"))

    async def scenario(client: Any) -> None:
        assert (await client.responses.create(input="Reply with exactly: pong")).output_text
        stream = await client.responses.create(input="Reply with exactly: pong", stream=True)
        assert names([event async for event in stream])[-1] == "response.completed"

    run(runner, emulator, scenario)


def test_a_redirect_is_not_followed(runner: str, emulator: Emulator) -> None:
    emulator.faults.add(Fault("redirect"))

    async def scenario(client: Any) -> None:
        with pytest.raises(APIStatusError) as caught:
            await client.responses.create(input="hi")
        assert caught.value.status_code == 307
        assert "redirect" in (caught.value.hint or "")

    run(runner, emulator, scenario)
    assert len(list(emulator.requests)) == 1


@pytest.mark.parametrize("kind", ["truncate", "reset-mid-body", "incomplete-body"])
def test_a_stream_cut_after_output_raises_with_what_arrived(
    runner: str, emulator: Emulator, kind: str
) -> None:
    emulator.faults.add(Fault(kind, after_events=6))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(input="Count from 1 to 30.", stream=True)
        seen: list[Any] = []
        with pytest.raises(StreamInterruptedError) as caught:
            await read(stream, seen)
        text = "".join(getattr(event, "delta", "") for event in seen)
        assert text
        assert caught.value.partial.output_text == text
        assert caught.value.partial.status == "in_progress"
        assert caught.value.resumable is False

    run(runner, emulator, scenario)
    assert len(list(emulator.requests)) == 1


@pytest.mark.parametrize("kind", ["truncate", "reset-mid-body", "malformed-event"])
def test_a_stream_cut_before_output_is_tried_again(
    runner: str, emulator: Emulator, naps: list[float], kind: str
) -> None:
    emulator.faults.add(Fault(kind, after_events=1, times=1))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(input="Reply with exactly: pong", stream=True)
        events = [event async for event in stream]
        assert events[-1].response.output_text == "pong"
        assert names(events).count("response.created") == 1

    run(runner, emulator, scenario)
    assert len(list(emulator.requests)) == 2


@pytest.mark.parametrize("after_events", range(1, 14))
def test_a_dropped_background_stream_resumes_without_losing_or_repeating_an_event(
    runner: str, emulator: Emulator, naps: list[float], after_events: int
) -> None:
    emulator.faults.add(Fault("truncate", operation="create", after_events=after_events))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(
            input="Count from 1 to 30.", stream=True, background=True
        )
        events = [event async for event in stream]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == events[-1].response.output_text

    run(runner, emulator, scenario)


def test_a_background_stream_that_keeps_breaking_resumes_as_long_as_events_arrive(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("reset-mid-body", streamed=True, after_events=3))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(
            input="Count from 1 to 40.", stream=True, background=True
        )
        events = [event async for event in stream]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert events[-1].type == "response.completed"

    run(runner, emulator, scenario)
    assert len(list(emulator.requests)) > 3


def test_a_background_stream_the_service_no_longer_streams_is_polled_to_its_end(
    runner: str, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    clock = Clock(at=1_800_000_000)
    emulator = Emulator(clock=clock)
    let_time_pass(clock, monkeypatch, naps)
    emulator.faults.add(Fault("truncate", operation="create", after_events=5))
    emulator.faults.add(Fault("responses-unavailable", operation="retrieve", streamed=True))

    async def scenario(client: Any) -> None:
        async with client.responses.stream(
            input="Reply with exactly: pong", background=True
        ) as stream:
            events = [event async for event in stream]
            final = await stream.get_final_response()
        assert events[-1].type == "response.completed"
        assert events[-1].sequence_number is None
        assert final.output_text == "pong"

    run(runner, emulator, scenario)


def test_past_five_minutes_a_background_stream_falls_back_to_polling(
    runner: str, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(at=1_800_000_000)
    emulator = Emulator(clock=clock, latency=Latency(running=400))
    let_time_pass(clock, monkeypatch, naps)

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(
            input="Reply with exactly: pong", stream=True, background=True
        )
        events = []
        async for event in stream:
            events.append(event)
            if event.type == "response.in_progress":
                clock.advance(60)
        assert events[-1].type == "response.completed"
        assert events[-1].response.output_text == "pong"
        numbers = [event.sequence_number for event in events if event.sequence_number is not None]
        assert numbers == sorted(set(numbers))

    run(runner, emulator, scenario)


def test_a_background_response_asked_for_in_the_extra_body_resumes_as_well(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("truncate", operation="create", after_events=5))

    async def scenario(client: Any) -> None:
        stream = await client.responses.create(
            input="Count from 1 to 30.", stream=True, extra_body={"background": True}
        )
        events = [event async for event in stream]
        assert events[-1].type == "response.completed"

    run(runner, emulator, scenario)


def test_a_streamed_response_that_was_deleted_is_not_waited_for(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.stream(input="Reply with exactly: pong") as stream:
            final = await stream.get_final_response()
            await client.responses.delete(final.id)
        with pytest.raises(ResponseNotFoundError):
            await client.responses.retrieve(final.id)

    run(runner, emulator, scenario)
    assert naps == []


def test_a_retrieved_stream_starts_after_the_event_asked_for(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        created = await client.responses.create(
            input="Count from 1 to 30.", stream=True, background=True
        )
        events = [event async for event in created]
        again = await client.responses.retrieve(
            events[-1].response.id, stream=True, starting_after=4
        )
        replayed = [event async for event in again]
        assert [event.sequence_number for event in replayed] == list(range(5, len(events)))

    run(runner, emulator, scenario)


def test_a_response_this_client_just_made_is_waited_for_until_it_is_readable(
    runner: str, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    clock = Clock(at=1_800_000_000)
    emulator = Emulator(clock=clock, read_lag=ReadLag(median=7, sigma=0, streamed_only=False))
    let_time_pass(clock, monkeypatch, naps)

    async def scenario(client: Any) -> None:
        created = await client.responses.create(input="My name is Ada.")
        follow_up = await client.responses.create(
            input="What is my name?", previous_response_id=created.id
        )
        assert "Ada" in follow_up.output_text
        assert (await client.responses.retrieve(follow_up.id)).id == follow_up.id

    run(runner, emulator, scenario)
    assert 7 <= sum(naps) <= 40


def test_a_response_somebody_else_made_is_not_waited_for(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ResponseNotFoundError):
            await client.responses.retrieve("resp_" + "0" * 50)

    run(runner, emulator, scenario)
    assert naps == []


def test_an_expired_token_is_replaced_once_and_the_call_goes_on(
    runner: str, emulator: Emulator
) -> None:
    emulator.faults.add(Fault("token-expired", times=1))

    async def scenario(client: Any) -> None:
        assert (await client.responses.create(input="Reply with exactly: pong")).output_text

    run(runner, emulator, scenario, credential=emulator.token_credential())
    assert len(list(emulator.requests)) == 2


def test_a_service_that_never_answers_is_a_timeout(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("stall-before-headers"))

    async def scenario(client: Any) -> None:
        with pytest.raises(APITimeoutError):
            await client.responses.create(input="hi", timeout=0.05)

    run(runner, emulator, scenario, max_retries=1)
    assert len(list(emulator.requests)) == 2


def test_waiting_stops_when_the_time_is_up(
    runner: str, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    clock = Clock(at=1_800_000_000)
    emulator = Emulator(clock=clock, latency=Latency(running=1000))
    let_time_pass(clock, monkeypatch, naps)

    async def scenario(client: Any) -> None:
        created = await client.responses.create(input="hi", background=True)
        with pytest.raises(APITimeoutError, match="still"):
            await client.responses.wait(created.id, timeout=20)

    run(runner, emulator, scenario)
    assert sum(naps) == pytest.approx(20)


def test_waiting_stops_though_a_poll_gets_no_answer(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        created = await client.responses.create(input="hi", background=True)
        emulator.faults.add(Fault("stall-before-headers", operation="retrieve"))
        began = time.monotonic()
        with pytest.raises(APITimeoutError):
            await client.responses.wait(created.id, timeout=0.05)
        assert time.monotonic() - began < 60

    run(runner, emulator, scenario, max_retries=0, timeout=100)


SECRET = "k3y-0123456789abcdef"


@pytest.mark.parametrize(
    "kind", ["html-502", "http-500", "connect-refused", "redirect", "html-200"]
)
def test_no_secret_appears_in_an_error_a_repr_or_a_log(
    runner: str, naps: list[float], caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level(0)
    emulator = Emulator([Resource("r", keys=[SECRET])])
    emulator.faults.add(Fault(kind))

    async def scenario(client: Any) -> None:
        assert SECRET not in repr(client)
        with pytest.raises(AzureResponsesError) as caught:
            await client.responses.create(input="hi")
        error: BaseException | None = caught.value
        while error is not None:
            assert SECRET not in repr(error) + str(error) + json.dumps(vars(error), default=str)
            assert SECRET not in str(getattr(error, "_request", ""))
            error = error.__cause__
        assert SECRET.encode() not in pickle.dumps(caught.value)

    run(runner, emulator, scenario, api_key=SECRET)
    assert SECRET not in caplog.text


def test_a_connection_error_says_what_to_check(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("dns-failure"))

    async def scenario(client: Any) -> None:
        with pytest.raises(APIConnectionError) as caught:
            await client.responses.create(input="hi")
        assert "resource name" in (caught.value.hint or "")

    run(runner, emulator, scenario)


def test_a_deployment_that_overflows_into_a_stream_is_waited_for(
    runner: str, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(at=1_800_000_000)
    deployment = EmulatedDeployment("gpt-4.1", requests_per_minute=1, limit_reply="stream-B")
    emulator = Emulator([Resource("r", deployments=[deployment])], clock=clock)
    let_time_pass(clock, monkeypatch, naps)

    async def scenario(client: Any) -> None:
        for _ in range(3):
            stream = await client.responses.create(input="hi", stream=True)
            assert names([event async for event in stream])[-1] == "response.completed"

    run(runner, emulator, scenario)
    assert sum(naps) >= 119
