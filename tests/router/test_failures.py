"""What a router does when deployments fail, are full, or are the only ones that would do."""

import gc
import logging
import warnings
from typing import Any

import anyio
import httpx
import pytest

from azure_responses import (
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureResponsesError,
    BadRequestError,
    ContentFilterError,
    DeploymentNotFoundError,
    InternalServerError,
    RateLimitError,
    Router,
    StreamInterruptedError,
)
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Latency, ReadLag
from tests.router.both import Asynchronous, SeenAsAsync, emulate, rows_of, run
from tests.router.cut_short import CutShort

_REASONING: dict[str, Any] = {
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "reasoning": {"effort": "high"},
}


def _hosts(emulator: Emulator) -> list[str]:
    return [entry.resource or "" for entry in emulator.requests]


def _rows(emulator: Emulator, *models: str) -> list[dict[str, Any]]:
    """One row per model, its group named after it, all on the first resource."""
    (row,) = rows_of(emulator, 1)
    return [
        {
            **row,
            "model_name": model,
            "litellm_params": {**row["litellm_params"], "model": f"azure/{model}"},
            "model_info": {"id": model},
        }
        for model in models
    ]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "kind", ["http-429", "http-500", "http-503", "connect-refused", "reset-before-headers"]
)
def test_what_fails_before_output_is_tried_elsewhere(
    runner: str, emulator: Emulator, naps: list[float], kind: str, stream: bool
) -> None:
    emulator.faults.add(Fault(kind, operation="create", nth=1))

    async def scenario(router: Any) -> None:
        answer = await router.responses(model="gpt", input="Reply with: pong", stream=stream)
        final = await answer.get_final_response() if stream else answer
        assert final.output_text == "pong"
        assert (final.route.attempts, final.route.retries) == (2, 1)

    run(runner, emulator, scenario)
    assert sorted(_hosts(emulator)) == ["east", "west"]
    assert sum(naps) == 0


@pytest.mark.parametrize(
    "kind", ["stream-429-A", "stream-429-B", "stream-500", "stream-uncoded", "truncate"]
)
def test_a_stream_that_fails_before_output_is_tried_elsewhere(
    runner: str, emulator: Emulator, naps: list[float], kind: str
) -> None:
    emulator.faults.add(Fault(kind, operation="create", nth=1))

    async def scenario(router: Any) -> None:
        stream = await router.responses(model="gpt", input="Reply with: pong", stream=True)
        events = [event async for event in stream]
        created = [event for event in events if event.type == "response.created"]
        assert len(created) == 1
        assert events[-1].response.output_text == "pong"
        assert stream.route.attempts == 2

    run(runner, emulator, scenario)
    assert sorted(_hosts(emulator)) == ["east", "west"]


@pytest.mark.parametrize("is_chat", [False, True])
def test_a_stream_that_breaks_after_output_is_the_callers(
    runner: str, emulator: Emulator, naps: list[float], is_chat: bool
) -> None:
    emulator.faults.add(Fault("reset-mid-body", operation="create", nth=1, after_events=8))

    async def scenario(router: Any) -> None:
        if is_chat:
            messages = [{"role": "user", "content": "Count from 1 to 50."}]
            stream = await router.completion(model="gpt", messages=messages, stream=True)
        else:
            stream = await router.responses(model="gpt", input="Count from 1 to 50.", stream=True)
        with pytest.raises(StreamInterruptedError) as caught:
            async for _ in stream:
                pass
        if not is_chat:
            assert caught.value.partial.id == stream.response_id

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 1


def test_a_stream_given_up_or_forgotten_no_longer_counts_as_under_way(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(router: Any) -> None:
        health = router.router._routing.health
        stream = await router.responses(model="gpt", input="Count from 1 to 50.", stream=True)
        home = stream.route.deployment
        assert health.statuses[home].in_flight == 1
        await anext(stream)
        await stream.aclose()
        assert health.statuses[home].in_flight == 0
        stream = await router.responses(model="gpt", input="Reply with: pong", stream=True)
        home = stream.route.deployment
        [event async for event in stream]
        assert health.statuses[home].in_flight == 0
        if runner == "trio":
            # Trio itself complains of a connection that is dropped unread.
            return
        forgotten = await router.responses(model="gpt", input="Count.", stream=True)
        home = forgotten.route.deployment
        await forgotten._stream._close() if runner != "sync" else forgotten.inner._stream._close()
        del forgotten
        gc.collect()
        router.explain(model="gpt", input="x")
        await router.responses(model="gpt", input="hi")
        assert health.statuses[home].in_flight == 0

    run(runner, emulator, scenario)


@pytest.mark.parametrize("hint", [0.3, 12.0])
def test_a_follow_up_waits_for_its_resource_as_long_as_the_service_said(
    runner: str, emulator: Emulator, naps: list[float], hint: float
) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="My name is Ann.")
        home = first.route.deployment
        emulator.faults.add(
            Fault("http-429", operation="create", resource=home, nth=1, retry_after=hint)
        )
        again = await router.responses(
            model="gpt", input="What is my name?", previous_response_id=first.id
        )
        assert "Ann" in again.output_text
        assert again.route.deployment == home
        assert hint <= again.route.waited <= hint * 1.3
        assert sum(naps) == pytest.approx(again.route.waited)

    run(runner, emulator, scenario)
    assert len(set(_hosts(emulator))) == 1


def test_a_follow_up_that_cannot_wait_is_told_how_long_it_would_have_to(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="My name is Ann.")
        emulator.faults.add(Fault("http-429", operation="create", nth=1, retry_after=20))
        with pytest.raises(RateLimitError) as caught:
            await router.responses(model="gpt", input="x", previous_response_id=first.id, timeout=5)
        assert caught.value.retry_after == pytest.approx(20, abs=1)
        with pytest.raises(RateLimitError) as caught:
            await router.responses(model="gpt", input="x", previous_response_id=first.id, timeout=5)
        assert caught.value.retry_after == pytest.approx(20, abs=1)
        fresh = await router.responses(model="gpt", input="Reply with: pong", timeout=5)
        assert fresh.route.deployment != first.route.deployment

    run(runner, emulator, scenario)
    assert naps == []


@pytest.mark.parametrize("is_chat", [False, True])
def test_reasoning_is_left_out_where_its_resource_is_down_and_that_is_wanted(
    runner: str, emulator: Emulator, naps: list[float], is_chat: bool
) -> None:
    async def ask(router: Any, before: Any, **options: Any) -> Any:
        if is_chat:
            messages = [{"role": "user", "content": "My name is Ann."}]
            if before:
                messages += [before.choices[0].message, {"role": "user", "content": "Who am I?"}]
            return await router.completion(
                model="gpt", messages=messages, reasoning_effort="high", **options
            )
        items: list[Any] = [{"role": "user", "content": "My name is Ann."}]
        if before:
            items += [*before.output, {"role": "user", "content": "Who am I?"}]
        return await router.responses(model="gpt", input=items, **_REASONING, **options)

    async def scenario(router: Any) -> None:
        first = await ask(router, None)
        home = first.route.deployment
        emulator.faults.add(Fault("http-429", operation="create", resource=home, retry_after=500))
        with pytest.raises(RateLimitError):
            await ask(router, first, timeout=5)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            second = await ask(router, first, timeout=5, on_origin_down="strip")
        assert any("reasoning" in str(one.message) for one in told)
        assert second.route.strips_reasoning
        assert second.route.deployment != home

    run(runner, emulator, scenario)


def test_a_conversation_is_sent_anew_where_its_resource_is_down_and_that_is_wanted(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="My name is Ann.")
        second = await router.responses(
            model="gpt", input="I live in Oslo.", previous_response_id=first.id
        )
        home = second.route.deployment
        emulator.faults.add(Fault("http-429", operation="create", resource=home, retry_after=500))
        asked = {"model": "gpt", "previous_response_id": second.id, "timeout": 5}
        third = await router.responses(input="What is my name?", on_origin_down="replay", **asked)
        assert "Ann" in third.output_text
        assert third.route.replays
        assert third.route.deployment != home
        given = await router.responses(
            input="What is my name?",
            on_origin_down="replay",
            history=[{"role": "user", "content": "My name is Eve."}],
            **asked,
        )
        assert "Eve" in given.output_text
        emulator.faults.add(Fault("http-503", operation="retrieve", resource=home))
        with pytest.raises(InternalServerError, match="history") as caught:
            await router.responses(input="Who?", on_origin_down="replay", **asked)
        assert caught.value.retry_after == pytest.approx(500, abs=5)

    run(runner, emulator, scenario)


def test_a_history_that_can_be_read_once_serves_every_attempt(
    runner: str, naps: list[float], clock: Any
) -> None:
    emulator = emulate(3, clock=clock)

    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="My name is Ann.")
        home = first.route.deployment
        emulator.faults.add(Fault("http-429", operation="create", resource=home, retry_after=500))
        emulator.faults.add(Fault("http-500", operation="create", nth=2))
        answer = await router.responses(
            model="gpt",
            input="What is my name?",
            previous_response_id=first.id,
            on_origin_down="replay",
            history=iter([{"role": "user", "content": "My name is Ann."}]),
        )
        assert answer.route.attempts == 3
        assert "Ann" in answer.output_text

    run(runner, emulator, scenario, rows_of(emulator, 3))


def test_what_cannot_be_replayed_is_waited_for_and_not_called_wrong(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="My name is Ann.")
        home = first.route.deployment
        emulator.faults.add(Fault("http-429", operation="create", resource=home, retry_after=500))
        asked = {
            "model": "gpt",
            "previous_response_id": first.id,
            "on_origin_down": "replay",
            "timeout": 5,
        }
        of_home = router.import_id("file-0123456789abcdef", deployment=home)
        for file_id in (of_home, "file-0123456789abcdef"):
            content = [{"type": "input_file", "file_id": file_id}]
            with pytest.raises(InternalServerError, match="file_id") as caught:
                await router.responses(input=[{"role": "user", "content": content}], **asked)
            assert caught.value.retry_after == pytest.approx(500, abs=5)
        assert {request.resource for request in emulator.requests} == {home}

    run(runner, emulator, scenario)


def test_fallbacks_take_over_in_order(runner: str, naps: list[float]) -> None:
    emulator = emulate(
        1, *(EmulatedDeployment(name) for name in ("gpt-5", "gpt-5-mini", "gpt-4.1"))
    )
    emulator.faults.add(Fault("http-503", operation="create", deployment="gpt-5"))
    emulator.faults.add(Fault("http-503", operation="create", deployment="gpt-5-mini"))

    async def scenario(router: Any) -> None:
        answer = await router.responses(model="gpt-5", input="Reply with: pong")
        assert answer.route.group == "gpt-4.1"
        assert answer.route.fallbacks == ("gpt-5-mini", "gpt-4.1")
        chat = await router.completion(
            model="gpt-5", messages=[{"role": "user", "content": "Reply with: pong"}]
        )
        assert chat.route.deployment == "gpt-4.1"

    rows = _rows(emulator, "gpt-5", "gpt-5-mini", "gpt-4.1")
    fallbacks = [{"gpt-5": ["gpt-5-mini", "gpt-4.1"]}]
    run(runner, emulator, scenario, rows, fallbacks=fallbacks, num_retries=0)


def test_an_input_too_long_goes_to_a_larger_window(runner: str, naps: list[float]) -> None:
    emulator = emulate(1, EmulatedDeployment("gpt-4o"), EmulatedDeployment("gpt-5"))

    async def scenario(router: Any) -> None:
        long = await router.responses(model="gpt-4o", input="word " * 150_000)
        assert long.route.group == "gpt-5"
        short = await router.responses(model="gpt-4o", input="hi")
        assert short.route.group == "gpt-4o"

    run(
        runner,
        emulator,
        scenario,
        _rows(emulator, "gpt-4o", "gpt-5"),
        context_window_fallbacks=[{"gpt-4o": ["gpt-5"]}],
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("phrase", ["[[azure:block-prompt]]", "[[azure:block-output]]"])
def test_what_the_content_filter_stops_goes_to_another_group(
    runner: str, naps: list[float], phrase: str, stream: bool
) -> None:
    emulator = emulate(1, EmulatedDeployment("gpt-5"), EmulatedDeployment("gpt-4.1"))
    chain = [{"gpt-5": ["gpt-4.1"]}]

    async def scenario(router: Any) -> None:
        if "output" in phrase:
            if stream:
                # Some of it has reached the caller by then.
                return
            answer = await router.responses(model="gpt-5", input=f"hi {phrase}")
            # It was stopped there as well: the last answer is the answer.
            assert answer.incomplete_details.reason == "content_filter"
            assert answer.route.attempts == 2
        else:
            with pytest.raises(ContentFilterError):
                await router.responses(model="gpt-5", input=f"hi {phrase}", stream=stream)
        assert [entry.deployment for entry in emulator.requests] == ["gpt-5", "gpt-4.1"]

    rows = _rows(emulator, "gpt-5", "gpt-4.1")
    run(runner, emulator, scenario, rows, content_policy_fallbacks=chain)


def test_a_bad_request_is_no_fault_of_the_deployment(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        for _ in range(5):
            with pytest.raises(BadRequestError):
                await router.responses(model="gpt", input="hi", temperature=99)
        assert (await router.responses(model="gpt", input="Reply with: pong")).route.attempts == 1

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 6


def test_a_refused_key_is_logged_as_an_error_and_its_deployment_is_not_called_again(
    runner: str, emulator: Emulator, naps: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    rows = rows_of(emulator)
    rows[0]["litellm_params"]["api_key"] = refused = "0123456789abcdef0123456789abcdef"

    async def scenario(router: Any) -> None:
        # So many that chance does not leave out the one that refuses.
        for _ in range(40):
            answer = await router.responses(model="gpt", input="Reply with: pong")
            assert answer.route.deployment == "west"

    with caplog.at_level(logging.ERROR, logger="azure_responses.router"):
        run(runner, emulator, scenario, rows)
    assert _hosts(emulator).count("east") == 1
    assert "east" in caplog.text
    assert refused not in caplog.text


def test_nobody_left_is_an_error_that_says_when_to_come_back(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("http-429", operation="create", retry_after=40))

    async def scenario(router: Any) -> None:
        with pytest.raises(RateLimitError) as caught:
            await router.responses(model="gpt", input="hi", timeout=10)
        assert caught.value.retry_after == pytest.approx(40, abs=1)
        with pytest.raises(RateLimitError, match="east") as caught:
            await router.responses(model="gpt", input="hi", timeout=10)
        assert caught.value.retry_after == pytest.approx(40, abs=1)

    run(runner, emulator, scenario)
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("kind", ["responses", "stream", "chat"])
def test_rows_that_share_one_quota_are_waited_for_as_one_row_is(
    runner: str, naps: list[float], clock: Any, kind: str
) -> None:
    # litellm#34399
    emulator = emulate(1, clock=clock)
    emulator.faults.add(Fault("http-429", operation="create", times=3, retry_after=4))

    async def scenario(router: Any) -> None:
        ask = {"stream": _stream_of(router), "chat": _chat_of(router)}.get(kind, router.responses)
        with pytest.raises(RateLimitError) as caught:
            await ask(model="gpt", input="hi", timeout=2)
        assert caught.value.retry_after == pytest.approx(4, abs=0.5)
        answer = await ask(model="gpt", input="hi", timeout=60)
        assert answer.route is not None

    (row,) = rows_of(emulator, 1)
    rows = [{**row, "model_info": {"id": f"row{number}"}} for number in range(3)]
    run(runner, emulator, scenario, rows)
    assert len(emulator.requests) == 4
    assert sum(naps) == pytest.approx(4, abs=1)


@pytest.mark.parametrize("timeout", [0.05, 1.5, httpx.Timeout(30, read=1.5)])
def test_a_caller_in_a_hurry_does_not_shut_the_deployments_to_everybody(
    runner: str, emulator: Emulator, naps: list[float], timeout: Any
) -> None:
    # litellm#41223
    emulator.faults.add(Fault("stall-before-headers", operation="create", times=18))

    async def scenario(router: Any) -> None:
        for ask in (router.responses, _stream_of(router), _chat_of(router)):
            for _ in range(6):
                with pytest.raises(APITimeoutError):
                    await ask(model="gpt", input="hi", timeout=timeout)
        assert router.router._routing.health.troubled == frozenset()
        emulator.faults.clear()
        assert (await router.responses(model="gpt", input="hi")).route.attempts == 1

    run(runner, emulator, scenario)
    assert sum(naps) < 1.0


@pytest.mark.parametrize("kind", ["responses", "chat"])
def test_a_silence_within_a_stream_that_its_caller_did_not_wait_out_blames_nobody(
    runner: str, emulator: Emulator, naps: list[float], kind: str
) -> None:
    emulator.faults.add(Fault("stall", operation="create", after_events=6))

    async def scenario(router: Any) -> None:
        health = router.router._routing.health
        ask = _stream_of(router) if kind == "responses" else _chat_of(router)
        for timeout, failures in ((1.5, 0), (60, 1)):
            stream = await ask(model="gpt", input="hi there", timeout=timeout, **_streamed(kind))
            with pytest.raises(AzureResponsesError):
                [event async for event in stream]
            assert health.statuses["east"].cooldown.failures == failures

    run(runner, emulator, scenario, rows_of(emulator, 1, timeout=10))


def _streamed(kind: str) -> dict[str, Any]:
    return {"stream": True} if kind == "chat" else {}


def _stream_of(router: Any) -> Any:
    return lambda **asked: router.responses(stream=True, **asked)


def _chat_of(router: Any) -> Any:
    return lambda input, **asked: router.completion(
        messages=[{"role": "user", "content": input}], **asked
    )


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_slow_call_counts_once_against_a_row_with_a_timeout(
    runner: str, emulator: Emulator, naps: list[float], is_stream: bool
) -> None:
    emulator.faults.add(Fault("stall-before-headers", operation="create"))

    async def scenario(router: Any) -> None:
        health = router.router._routing.health
        for count in (1, 2):
            with pytest.raises(APITimeoutError):
                await router.responses(model="gpt", input="hi", timeout=60, stream=is_stream)
            assert health.statuses["east"].cooldown.failures == count
        with pytest.raises(APITimeoutError):
            await router.responses(model="gpt", input="hi", timeout=10, stream=is_stream)
        assert health.statuses["east"].cooldown.is_tripped

    run(runner, emulator, scenario, rows_of(emulator, 1, timeout=2))


def test_a_callers_own_credential_that_is_refused_shuts_no_deployment(
    runner: str, emulator: Emulator, naps: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(router: Any) -> None:
        for headers in ({"api-key": "mine"}, {"Authorization": "Bearer mine"}):
            with pytest.raises(AuthenticationError):
                await router.responses(model="gpt", input="hi", extra_headers=headers)
        with pytest.raises(APIStatusError):
            await router.responses(model="gpt", input="hi", extra_body={"model": "nobodys"})
        assert (await router.responses(model="gpt", input="hi")).route.attempts == 1
        assert router.router._routing.health.troubled == frozenset()

    run(runner, emulator, scenario)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_timeout_holds_for_all_attempts_together(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(2, clock=clock)
    emulator.faults.add(Fault("stall-before-headers", operation="create"))

    async def scenario(router: Any) -> None:
        began = clock.now()
        with pytest.raises(APITimeoutError):
            await router.responses(model="gpt", input="hi", timeout=8)
        assert clock.now() - began <= 8.5

    run(runner, emulator, scenario)


def test_a_response_just_made_is_waited_for_and_not_looked_for_elsewhere(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(2, clock=clock, read_lag=ReadLag(median=6.0))

    async def scenario(router: Any) -> None:
        stream = await router.responses(model="gpt", input="My name is Ann.", stream=True)
        first = await stream.get_final_response()
        answer = await router.responses(
            model="gpt", input="What is my name?", previous_response_id=first.id
        )
        assert "Ann" in answer.output_text
        assert answer.route.attempts == 1

    run(runner, emulator, scenario)
    assert sum(naps) > 1
    assert len(set(_hosts(emulator))) == 1


def test_callbacks_are_told_of_every_attempt_and_of_moving_on(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    emulator.faults.add(Fault("http-500", operation="create", nth=1))
    occasions = ("on_request", "on_response", "on_error", "on_retry")
    told: dict[str, list[Any]] = {name: [] for name in occasions}
    listeners: dict[str, Any] = {name: seen.append for name, seen in told.items()}

    async def scenario(router: Any) -> None:
        await router.responses(model="gpt", input="hi")

    run(runner, emulator, scenario, **listeners)
    assert {name: len(seen) for name, seen in told.items()} == {
        "on_request": 2,
        "on_response": 1,
        "on_error": 1,
        "on_retry": 1,
    }
    (moved,) = told["on_retry"]
    assert isinstance(moved.error, InternalServerError)
    assert (moved.attempts, moved.retry_delay) == (1, 0.0)
    (failed,), (answered,) = told["on_error"], told["on_response"]
    assert [failed.router_attempt, answered.router_attempt] == [1, 2]
    assert {failed.deployment_id, answered.deployment_id} == {"east", "west"}
    assert failed.group == answered.group == "gpt"


def test_two_hundred_at_once_all_come_home(emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        async def converse() -> None:
            first = await router.responses(model="gpt", input="My name is Ann.")
            second = await router.responses(
                model="gpt", input="What is my name?", previous_response_id=first.id
            )
            assert second.route.deployment == first.route.deployment
            done.append(second.output_text)

        async with anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(converse)
        health = router.router._routing.health
        assert [health.statuses[name].in_flight for name in ("east", "west")] == [0, 0]

    done: list[str] = []
    run("asyncio", emulator, scenario)
    assert len(done) == 200


def test_a_cancelled_call_no_longer_counts_as_under_way(clock: Any) -> None:
    emulator = emulate(2, EmulatedDeployment("gpt-5", latency=Latency(first_token=30)))

    async def scenario(router: Any) -> None:
        with anyio.move_on_after(0.05) as scope:
            await router.responses(model="gpt", input="hi")
        assert scope.cancelled_caught
        health = router.router._routing.health
        assert [health.statuses[name].in_flight for name in ("east", "west")] == [0, 0]

    run("asyncio", emulator, scenario)
    run("trio", emulator, scenario)


def test_limits_of_a_row_hold_and_send_the_rest_elsewhere(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    rows = rows_of(emulator)
    rows[0]["litellm_params"]["rpm"] = 3

    async def scenario(router: Any) -> None:
        for _ in range(20):
            await router.responses(model="gpt", input="hi")

    run(runner, emulator, scenario, rows)
    assert _hosts(emulator).count("east") <= 3


def test_a_call_waits_for_room_under_limits_of_its_own(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        for _ in range(4):
            await router.responses(model="gpt", input="hi")
        assert sum(naps) == 0
        fifth = await router.responses(model="gpt", input="hi")
        assert 55 <= fifth.route.waited <= 70
        for _ in range(3):
            await router.responses(model="gpt", input="hi", timeout=1)
        with pytest.raises(RateLimitError) as caught:
            await router.responses(model="gpt", input="hi", timeout=1)
        assert caught.value.retry_after is not None

    run(runner, emulator, scenario, rows_of(emulator, rpm=2))


def test_a_filtered_answer_is_kept_where_no_other_group_has_a_better_one(
    runner: str, naps: list[float]
) -> None:
    emulator = emulate(1, EmulatedDeployment("gpt-5"), EmulatedDeployment("gpt-4.1"))
    emulator.faults.add(Fault("http-503", operation="create", deployment="gpt-4.1"))

    async def scenario(router: Any) -> None:
        answer = await router.responses(model="gpt-5", input="hi [[azure:block-output]]")
        assert answer.incomplete_details.reason == "content_filter"
        assert answer.route.group == "gpt-5"

    rows = _rows(emulator, "gpt-5", "gpt-4.1")
    chain = [{"gpt-5": ["gpt-4.1"]}]
    run(runner, emulator, scenario, rows, content_policy_fallbacks=chain, num_retries=0)


def test_a_background_stream_given_up_is_remembered_for_its_end_user(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(
        2, EmulatedDeployment("gpt-5", latency=Latency(queued=1, running=3)), clock=clock
    )

    async def scenario(router: Any) -> None:
        stream = await router.responses(
            model="gpt", input="Count.", background=True, stream=True, user="ann"
        )
        await stream.aclose()
        clock.advance(60)
        receipt = await router.purge(end_user="ann")
        assert (len(receipt.deleted), receipt.is_complete) == (1, True)

    run(runner, emulator, scenario)


def test_errors_say_the_ids_their_caller_knows(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        made = await router.responses(model="gpt", input="hi")
        await router.delete(made.id)
        with pytest.raises(APIStatusError) as caught:
            await router.retrieve(made.id)
        assert made.id in caught.value.message

    run(runner, emulator, scenario)
    assert issubclass(AuthenticationError, AzureResponsesError)


def test_what_is_stored_is_within_reach_while_its_deployment_is_out_of_quota(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="hi")
        home = first.route.deployment
        emulator.faults.add(Fault("http-429", operation="create", resource=home, retry_after=50))
        with pytest.raises(RateLimitError):
            await router.responses(model="gpt", input="x", previous_response_id=first.id, timeout=5)
        again = await router.retrieve(first.id, timeout=5)
        assert (again.id, again.route.waited) == (first.id, 0)
        assert [item async for item in router.input_items(first.id, timeout=5)]
        await router.delete(first.id, timeout=5)

    run(runner, emulator, scenario)
    assert naps == []


def test_a_refused_reading_is_waited_for_as_long_as_the_service_said(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="hi")
        emulator.faults.add(Fault("http-429", operation="retrieve", nth=1, retry_after=7))
        assert (await router.retrieve(first.id)).id == first.id

    run(runner, emulator, scenario)
    assert 7 <= sum(naps) <= 8


def test_reading_and_deleting_take_nothing_of_a_rows_limits(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(router: Any) -> None:
        made = [await router.responses(model="gpt", input="hi") for _ in range(2)]
        for response in made * 5:
            await router.retrieve(response.id, timeout=5)
        emulator.faults.add(Fault("connect-refused", operation="retrieve", nth=1))
        await router.retrieve(made[0].id)
        for response in made:
            await router.delete(response.id, timeout=5)
        await router.responses(model="gpt", input="hi", timeout=5)
        with pytest.raises(RateLimitError):
            await router.responses(model="gpt", input="hi", timeout=5)

    run(runner, emulator, scenario, rows_of(emulator, 1, rpm=3))


@pytest.mark.parametrize("is_pinned", [False, True])
def test_a_refused_key_is_said_at_once_where_nobody_else_can_serve(
    runner: str, emulator: Emulator, naps: list[float], is_pinned: bool
) -> None:
    async def scenario(router: Any) -> None:
        asked = {"model": "gpt", "input": "hi"}
        if is_pinned:
            asked["previous_response_id"] = router.import_id("resp_0123456789", deployment="east")
        with pytest.raises(AuthenticationError):
            await router.responses(**asked)

    run(runner, emulator, scenario, rows_of(emulator, 1, api_key="wrong"))
    assert naps == []
    assert len(emulator.requests) == 1


def test_a_model_nobody_deployed_closes_a_row_of_any_model_to_nobody_else(
    runner: str, emulator: Emulator, naps: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        {**row, "model_name": "*", "litellm_params": {**row["litellm_params"], "model": "azure/*"}}
        for row in rows_of(emulator)
    ]

    async def scenario(router: Any) -> None:
        for _ in range(3):
            with pytest.raises(DeploymentNotFoundError):
                await router.responses(model="gpt-6", input="hi")
        assert (await router.responses(model="gpt-5", input="hi")).route.attempts == 1

    with caplog.at_level(logging.ERROR, logger="azure_responses.router"):
        run(runner, emulator, scenario, rows)
    assert naps == []
    assert caplog.text == ""
    # Each resource is asked, once by each call.
    assert sorted(_hosts(emulator)[:2]) == ["east", "west"]
    assert len(emulator.requests) == 7


@pytest.mark.parametrize("is_chat", [False, True])
@pytest.mark.parametrize("is_cut_everywhere", [False, True])
def test_a_stream_of_which_the_filter_leaves_nothing_goes_to_another_group(
    runner: str, naps: list[float], is_chat: bool, is_cut_everywhere: bool
) -> None:
    emulator = emulate(1, EmulatedDeployment("gpt-5"), EmulatedDeployment("gpt-4.1"))
    cut = {"gpt-5", "gpt-4.1"} if is_cut_everywhere else {"gpt-5"}

    async def scenario(router: Any) -> None:
        asked: dict[str, Any] = {"model": "gpt-5", "stream": True}
        if is_chat:
            messages = [{"role": "user", "content": "Reply with exactly: pong"}]
            stream = await router.completion(messages=messages, **asked)
            [chunk async for chunk in stream]
            final = await stream.get_final_completion()
            text, reason = final.choices[0].message.content, final.choices[0].finish_reason
            assert reason == ("content_filter" if is_cut_everywhere else "stop")
        else:
            stream = await router.responses(input="Reply with exactly: pong", **asked)
            text = (await stream.get_final_response()).output_text
            assert stream.route.attempts == 2
        assert (text or "") == ("" if is_cut_everywhere else "pong")
        health = router.router._routing.health
        assert [health.statuses[name].in_flight for name in ("gpt-5", "gpt-4.1")] == [0, 0]

    rows = _rows(emulator, "gpt-5", "gpt-4.1")
    chain = [{"gpt-5": ["gpt-4.1"]}]
    transport = CutShort(emulator, cut)
    run(runner, emulator, scenario, rows, transport=transport, content_policy_fallbacks=chain)


@pytest.mark.parametrize("is_chat", [False, True])
def test_an_answer_cut_short_stands_when_the_next_group_fails(
    runner: str, naps: list[float], is_chat: bool
) -> None:
    emulator = emulate(1, EmulatedDeployment("gpt-5"), EmulatedDeployment("gpt-4.1"))
    emulator.faults.add(Fault("http-503", operation="create"))

    async def scenario(router: Any) -> None:
        asked: dict[str, Any] = {"model": "gpt-5", "stream": True}
        if is_chat:
            messages = [{"role": "user", "content": "hi"}]
            stream = await router.completion(messages=messages, **asked)
            final = await stream.get_final_completion()
            assert final.choices[0].finish_reason == "content_filter"
        else:
            stream = await router.responses(input="hi", **asked)
            final = await stream.get_final_response()
            assert final.incomplete_details.reason == "content_filter"

    rows = _rows(emulator, "gpt-5", "gpt-4.1")
    chain = [{"gpt-5": ["gpt-4.1"]}]
    transport = CutShort(emulator, {"gpt-5"})
    options: dict[str, Any] = {"content_policy_fallbacks": chain, "num_retries": 0}
    run(runner, emulator, scenario, rows, transport=transport, **options)
    assert len(emulator.requests) == 1


def test_a_history_that_is_slow_to_come_holds_a_replay_up_no_longer_than_its_timeout(
    runner: str, clock: Any, naps: list[float]
) -> None:
    emulator = emulate(2, clock=clock)

    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="My name is Ann.")
        home = first.route.deployment
        emulator.faults.add(Fault("http-429", operation="create", resource=home, retry_after=500))
        emulator.faults.add(Fault("stall-before-headers", operation="retrieve"))
        began = clock.now()
        with pytest.raises(InternalServerError, match="history"):
            await router.responses(
                model="gpt",
                input="Who?",
                previous_response_id=first.id,
                on_origin_down="replay",
                timeout=8,
            )
        assert clock.now() - began <= 9

    run(runner, emulator, scenario)


@pytest.mark.parametrize("backend", [None, "asyncio", "trio"])
def test_a_stream_that_was_long_in_coming_is_not_cut_off_at_its_first_silence(
    backend: str | None,
) -> None:
    # The first attempt takes most of the time, and the silences of the second are longer than
    # what is left; a loaded machine may be late by a second with either.
    latency = Latency(first_token=0.05, tokens_per_second=0.55)
    emulator = emulate(1, EmulatedDeployment("gpt-5", latency=latency))

    async def scenario(router: Any) -> None:
        emulator.faults.add(Fault("stall-before-headers", operation="create", nth=1))
        asked = {"model": "gpt", "input": "[[azure:length:2]]", "timeout": 4.7}
        stream = await router.responses(stream=True, **asked)
        assert stream.route.attempts == 2
        assert (await stream.get_final_response()).status == "completed"

    async def on_a_loop(router: Router) -> None:
        async with router:
            await scenario(Asynchronous(router))

    with emulator.serve() as server:
        rows = rows_of(emulator, 1, timeout=3, api_base=server.resource_url("east"))
        router = Router(rows)
        if backend is not None:
            anyio.run(on_a_loop, router, backend=backend)
            return
        with router, pytest.raises(StopIteration):
            scenario(SeenAsAsync(router)).send(None)
