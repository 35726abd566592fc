"""Nothing stays reserved, in flight or out of anybody's reach when callers give up."""

import asyncio
import gc
import time
from collections import deque
from collections.abc import Sequence
from typing import Any
from weakref import ref

import anyio
import httpx
import pytest

from azure_responses import AzureResponsesError, Router
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Latency
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router.attempts import AbandonedStreams
from azure_responses.routing.route_request import Candidate, Reservation
from azure_responses.store.interface import AsyncStateAdapter
from azure_responses.store.memory import MemoryState
from tests.router.both import emulate, rows_of, run


class _Unanswered(AsyncStateAdapter):
    """A shared state that is asked and does not answer."""

    async def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        await anyio.sleep_forever()
        raise AssertionError("this is never reached")


def _held(router: Any) -> list[tuple[int, int]]:
    """Of each row: calls under way, and tokens counted."""
    router.explain(model="gpt", input="x")
    statuses = router.router._routing.health.statuses
    windows = router.router._state._windows
    return [
        (statuses[name].in_flight, windows[name].tokens if name in windows else 0)
        for name in ("east", "west")
    ]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_call_given_up_before_it_was_granted_keeps_nobody_from_probing(
    backend: str, emulator: Emulator
) -> None:
    async def scenario(router: Any) -> None:
        calls, health = router.router.parts.async_calls, router.router._routing.health
        for name in ("east", "west"):
            health.fail(name, "failures", -1000.0, hint=None, at_once=True, is_probe=False)
        stuck = AsyncRoutedCalls(calls.routing, _Unanswered(MemoryState()), calls.targets)
        ask = router.router.parts.reader.read({"model": "gpt", "input": "hi"}).route_request
        with anyio.move_on_after(0.05):
            await stuck.perform(ask, _never)
        assert all(health.is_open(name, time.monotonic()) for name in ("east", "west"))
        await router.responses(model="gpt", input="hi")

    run(backend, emulator, scenario)


async def _never(*_: Any) -> Any:
    raise AssertionError("nothing was reserved")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_calls_given_up_at_any_moment_leave_nothing_under_way(backend: str, stream: bool) -> None:
    latency = Latency(first_token=0.01, tokens_per_second=4000)
    emulator = emulate(2, EmulatedDeployment("gpt-5", latency=latency))
    emulator.faults.add(Fault("http-500", operation="create", probability=0.2))

    async def call(router: Any, patience: float) -> None:
        with anyio.move_on_after(patience):
            try:
                answer = await router.responses(model="gpt", input="Count to 20.", stream=stream)
                if stream:
                    async with answer:
                        [event async for event in answer]
            except AzureResponsesError:
                pass

    async def scenario(router: Any) -> None:
        async with anyio.create_task_group() as group:
            for number in range(80):
                group.start_soon(call, router, number * 0.0005)
        assert [in_flight for in_flight, _ in _held(router)] == [0, 0]
        assert all(not status.cooldown._probe_until for status in _statuses(router))

    rows = rows_of(emulator, tpm=10_000_000)
    run(backend, emulator, scenario, rows, allowed_fails=2, cooldown_time=0.01)


def _statuses(router: Any) -> Any:
    return router.router._routing.health.statuses.values()


@pytest.mark.parametrize("occasion", ["on_request", "on_response", "on_error", "on_retry"])
def test_an_interrupt_in_a_callback_leaves_nothing_under_way(
    runner: str, emulator: Emulator, occasion: str
) -> None:
    emulator.faults.add(Fault("http-500", operation="create", nth=1))

    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    async def scenario(router: Any) -> None:
        with pytest.raises(KeyboardInterrupt):
            await router.responses(model="gpt", input="hi")
        # What was not reported as used counts as its input at most.
        held = _held(router)
        assert [in_flight for in_flight, _ in held] == [0, 0]
        assert sum(tokens for _, tokens in held) <= 10

    rows = rows_of(emulator, tpm=10_000_000)
    run(runner, emulator, scenario, rows, **{occasion: interrupt})


def test_what_a_stream_did_not_use_is_given_back(runner: str, emulator: Emulator) -> None:
    async def scenario(router: Any) -> None:
        stream = await router.responses(model="gpt", input="Count to 50.", stream=True)
        await anext(stream)
        await stream.aclose()
        await stream.aclose()
        assert sum(tokens for _, tokens in _held(router)) <= 10
        before = sum(tokens for _, tokens in _held(router))
        stream = await router.responses(model="gpt", input="Count to 50.", stream=True)
        final = await stream.get_final_response()
        await stream.aclose()
        used = sum(tokens for _, tokens in _held(router)) - before
        assert used == final.usage.total_tokens
        assert [in_flight for in_flight, _ in _held(router)] == [0, 0]

    run(runner, emulator, scenario, rows_of(emulator, tpm=10_000_000))


@pytest.mark.parametrize("is_chat", [False, True])
@pytest.mark.parametrize("runner", ["sync", "asyncio"])
def test_a_forgotten_stream_is_let_go_of_at_once(
    runner: str, emulator: Emulator, is_chat: bool
) -> None:
    # Whoever waits for the garbage collector instead runs out of connections first.
    async def scenario(router: Any) -> None:
        if is_chat:
            messages = [{"role": "user", "content": "Count to 50."}]
            stream = await router.completion(model="gpt", messages=messages, stream=True)
        else:
            stream = await router.responses(model="gpt", input="Count to 50.", stream=True)
        await anext(stream)
        known = ref(stream if runner == "asyncio" else stream.inner)
        del stream
        assert known() is None

    gc.disable()
    try:
        run(runner, emulator, scenario)
    finally:
        gc.enable()


def test_an_event_loop_that_has_ended_is_let_go_of(emulator: Emulator) -> None:
    with emulator.serve() as server:
        params = {
            "model": "azure/gpt-5",
            "api_key": emulator.api_key,
            "api_base": server.resource_url("east"),
        }
        with Router([{"model_name": "gpt", "params": params}]) as router:

            async def call() -> None:
                await router.aresponses(model="gpt", input="hi")

            for _ in range(5):
                asyncio.run(call())
            assert len(router._parts._loops) <= 1


def test_a_stream_forgotten_in_a_loop_that_has_ended_is_settled(emulator: Emulator) -> None:
    transport = emulator.httpx_transport()

    async def forget(router: Router) -> None:
        stream = await router.aresponses(model="gpt", input="Count to 50.", stream=True)
        await anext(stream)

    with (
        httpx.Client(transport=transport) as http_client,
        Router(
            rows_of(emulator, tpm=10_000_000),
            http_client=http_client,
            async_http_client=httpx.AsyncClient(transport=transport),
        ) as router,
    ):
        asyncio.run(forget(router))
        gc.collect()
        router.responses(model="gpt", input="hi")
        in_flight = [status.in_flight for status in router._routing.health.statuses.values()]
        assert in_flight == [0, 0]


def test_threads_that_settle_forgotten_streams_together_do_not_fall_over_one_another() -> None:
    class Last(deque[Any]):
        """Of which another thread takes what is left after it was looked at."""

        def popleft(self) -> Any:
            self.clear()
            return super().popleft()

    abandoned_streams = AbandonedStreams()
    abandoned_streams._open_attempts = Last([object()])
    abandoned_streams.settle()


def test_a_parameter_that_does_not_exist_takes_nothing_of_a_rows_limits(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(router: Any) -> None:
        for stream in (False, True):
            with pytest.raises(TypeError, match="inptu"):
                await router.responses(model="gpt", inptu="hi", stream=stream)
        await router.responses(model="gpt", input="hi", timeout=1)

    run(runner, emulator, scenario, rows_of(emulator, 1, rpm=1))
