"""Whom both clients tell of their calls."""

import logging
from dataclasses import FrozenInstanceError
from decimal import Decimal
from typing import Any

import anyio
import httpx
import pytest

from azure_responses import (
    AsyncAzureResponses,
    AzureResponses,
    CallRecord,
    ConfigurationError,
    ResponseNotFoundError,
    Router,
    callbacks,
)
from azure_responses.emulator import Emulator, Fault, Latency, Resource
from tests.clients.both import run
from tests.clients.listeners import OCCASIONS, Told, read_all


def test_callbacks_are_told_what_is_known_of_a_call(
    runner: str, emulator: Emulator, told: Told
) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(
            input="hi", user="alice", safety_identifier="hash-of-alice"
        )
        record = told.last("on_response")
        assert record.response is response
        assert record.response_id == response.id
        assert record.request_id == response.request_id
        assert record.usage == response.usage
        assert isinstance(record.cost, Decimal)
        assert record.cost == response.cost

    run(runner, emulator, scenario, **told.arguments)
    assert told.occasions == ["on_request", "on_response"]
    before, after = (record for _, record in told.calls)
    assert (before.status, before.response_id, before.usage, before.cost) == (None,) * 4
    assert before.client_request_id == after.client_request_id
    assert before.client_request_id == next(iter(emulator.requests)).headers.get(
        "x-ms-client-request-id"
    )
    assert (after.call_type, after.operation, after.status) == ("responses", "create", "completed")
    assert (after.deployment, after.model, after.region) == ("gpt-4.1", "gpt-4.1", "East US 2")
    assert (after.user, after.safety_identifier) == ("alice", "hash-of-alice")
    assert after.end_user == "hash-of-alice"
    assert (after.attempts, after.http_status, after.error) == (1, 200, None)
    assert after.latency > 0
    assert after.time_to_first_token is None
    with pytest.raises(FrozenInstanceError):
        after.attempts = 2  # type: ignore[misc]


def test_callbacks_of_the_program_are_told_of_every_client(
    runner: str, emulator: Emulator, told: Told
) -> None:
    async def scenario(client: Any) -> None:
        callbacks.on_response.append(told.arguments["on_response"])
        await client.responses.create(input="hi")
        callbacks.on_response.clear()
        await client.responses.create(input="hi")

    run(runner, emulator, scenario)
    assert told.occasions == ["on_response"]


def test_the_programs_callbacks_come_first(runner: str, emulator: Emulator) -> None:
    order: list[str] = []
    callbacks.on_request.append(lambda _: order.append("program"))

    async def scenario(client: Any) -> None:
        await client.responses.create(input="hi")

    own = [lambda _: order.append("first"), lambda _: order.append("second")]
    run(runner, emulator, scenario, on_request=own)
    assert order == ["program", "first", "second"]


def test_a_callback_that_fails_breaks_no_call_and_is_logged_once(
    runner: str, emulator: Emulator, log: list[logging.LogRecord], told: Told
) -> None:
    def fail(_: CallRecord) -> None:
        raise RuntimeError("a mistake")

    fail.__qualname__ = f"fail_for_{runner}"

    async def scenario(client: Any) -> None:
        for _ in range(2):
            await client.responses.create(input="hi")

    both = [fail, told.arguments["on_response"]]
    run(runner, emulator, scenario, on_request=fail, on_response=both)
    assert told.occasions == ["on_response", "on_response"]
    errors = [entry for entry in log if entry.levelno == logging.ERROR]
    assert [entry.name for entry in errors] == ["azure_responses.telemetry"]
    assert f"fail_for_{runner}" in errors[0].getMessage()
    assert errors[0].exc_info is not None


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_client_awaits_async_callbacks(
    backend: str, emulator: Emulator, naps: list[float]
) -> None:
    seen: list[str] = []

    def listen(name: str) -> Any:
        async def note(record: CallRecord) -> None:
            await anyio.lowlevel.checkpoint()
            seen.append(name)

        return note

    emulator.faults.add(Fault("http-500", times=1))

    async def scenario(client: Any) -> None:
        await read_all(await client.responses.create(input="hi", stream=True))
        with pytest.raises(ResponseNotFoundError):
            await client.responses.retrieve("resp_missing")

    run(backend, emulator, scenario, **{name: listen(name) for name in OCCASIONS})
    assert seen == ["on_request", "on_retry", "on_response", "on_request", "on_error"]


class _AsyncCallable:
    async def __call__(self, record: CallRecord) -> None:
        raise AssertionError("never called")


async def _async_callback(record: CallRecord) -> None:
    raise AssertionError("never called")


@pytest.mark.parametrize("callback", [_async_callback, _AsyncCallable()])
def test_the_sync_client_refuses_async_callbacks(callback: Any) -> None:
    with pytest.raises(ConfigurationError, match="AsyncAzureResponses"):
        AzureResponses("https://r.example", api_key="k", on_response=callback)


def test_a_callback_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be called"):
        AzureResponses("https://r.example", api_key="k", on_retry=["not a function"])  # type: ignore[list-item]


def test_an_async_callback_of_the_program_is_named_when_a_sync_client_skips_it(
    emulator: Emulator, log: list[logging.LogRecord]
) -> None:
    callbacks.on_response.append(_async_callback)

    async def scenario(client: Any) -> None:
        for _ in range(2):
            await client.responses.create(input="hi")

    run("sync", emulator, scenario)
    warnings = [entry for entry in log if entry.levelno == logging.WARNING]
    assert ["_async_callback" in entry.getMessage() for entry in warnings] == [True]


@pytest.mark.parametrize("through", ["client", "router"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_stream_that_is_cancelled_is_told_to_on_response(backend: str, through: str) -> None:
    answered: list[Any] = []
    failed: list[Any] = []
    emulator = Emulator([Resource("r")], latency=Latency(tokens_per_second=5))
    listeners: dict[str, Any] = {"on_response": answered.append, "on_error": failed.append}

    async def read(stream: Any) -> None:
        with anyio.CancelScope() as scope:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    scope.cancel()

    async def main() -> None:
        call: dict[str, Any] = {"input": "Count from 1 to 500.", "stream": True}
        url, key = "https://r.openai.azure.com", emulator.api_key
        async with httpx.AsyncClient(transport=emulator.httpx_transport()) as http_client:
            if through == "client":
                async with AsyncAzureResponses(
                    url, api_key=key, http_client=http_client, **listeners
                ) as client:
                    await read(await client.responses.create(model="gpt-4.1", **call))
            else:
                params = {"model": "azure/gpt-4.1", "api_base": url, "api_key": key}
                rows = [{"model_name": "m", "litellm_params": params}]
                async with Router(rows, async_http_client=http_client, **listeners) as router:
                    await read(await router.aresponses(model="m", **call))

    anyio.run(main, backend=backend)
    assert failed == []
    (record,) = answered
    assert record.is_abandoned
