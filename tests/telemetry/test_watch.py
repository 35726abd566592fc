"""The watches the shells hold."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from azure_responses._async.watch import AsyncTelemetry, AsyncWatch
from azure_responses._sync.watch import Telemetry, Watch
from azure_responses.errors import ConfigurationError, RateLimitError
from azure_responses.telemetry.callback import Callbacks
from azure_responses.telemetry.observer import TelemetryOptions
from tests.clients.listeners import Told
from tests.telemetry.samples import make_call, make_response

_BUSY = RateLimitError("busy", status_code=429)


@dataclass
class _State:
    """A stream that has ended, or not."""

    headers: Mapping[str, str] = field(default_factory=dict)
    final_response: Any = None
    partial_response: Any = None


def _sync(told: Told) -> Watch:
    watch = Telemetry(TelemetryOptions(Callbacks(**told.arguments))).watch(make_call())
    assert watch is not None
    return watch


def _async(told: Told) -> AsyncWatch:
    watch = AsyncTelemetry(TelemetryOptions(Callbacks(**told.arguments))).watch(make_call())
    assert watch is not None
    return watch


def _run(name: str, *arguments: Any) -> list[Told]:
    """What callbacks are told when a method is called, on both twins."""
    told, told_async = Told(), Told()

    async def call() -> None:
        watch = _async(told_async)
        await getattr(watch, name)(*arguments)

    getattr(_sync(told), name)(*arguments)
    asyncio.run(call())
    return [told, told_async]


@pytest.mark.parametrize(
    ("name", "arguments", "occasion"),
    [
        ("start", (), "on_request"),
        ("retry", (_BUSY, 2.0), "on_retry"),
        ("finish", (make_response(), {}), "on_response"),
        ("fail", (_BUSY,), "on_error"),
        ("end_stream", (_State(final_response=make_response()),), "on_response"),
        ("end_stream", (_State(), _BUSY), "on_error"),
    ],
)
def test_each_turn_of_a_call_is_told_once(
    name: str, arguments: tuple[Any, ...], occasion: str
) -> None:
    for told in _run(name, *arguments):
        assert told.occasions == [occasion]


@pytest.mark.parametrize(
    ("state", "is_abandoned"),
    [
        (_State(final_response=make_response()), False),
        (_State(partial_response=make_response(status="in_progress")), True),
        (_State(), True),
    ],
)
def test_a_stream_without_a_final_response_was_abandoned(state: _State, is_abandoned: bool) -> None:
    for told in _run("end_stream", state):
        record = told.last("on_response")
        assert record.is_abandoned is is_abandoned
        assert record.response is (state.final_response or state.partial_response)


def test_a_second_end_is_not_told() -> None:
    told = Told()
    watch = _sync(told)
    watch.finish(make_response(), {})
    watch.fail(_BUSY)
    watch.end_stream(_State())
    assert told.occasions == ["on_response"]


def test_a_dropped_async_stream_is_told_to_plain_callbacks() -> None:
    told = Told()
    watch = _async(told)
    watch.drop(_State())
    watch.drop(_State())
    assert told.occasions == ["on_response"]
    assert told.last("on_response").is_abandoned


def test_callbacks_of_a_cancelled_call_still_run() -> None:
    seen: list[bool] = []

    async def note(record: Any) -> None:
        await anyio.sleep(0.01)
        seen.append(record.is_abandoned)

    async def cancel() -> None:
        watch = AsyncTelemetry(TelemetryOptions(Callbacks(on_error=note))).watch(make_call())
        assert watch is not None
        with anyio.CancelScope() as scope:
            scope.cancel()
            await watch.fail(asyncio.CancelledError())

    asyncio.run(cancel())
    assert seen == [True]


@pytest.mark.parametrize("has_opentelemetry", [False, True])
def test_nobody_is_watched_for_nobody(
    has_opentelemetry: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_opentelemetry:
        monkeypatch.delitem(sys.modules, "opentelemetry")
    telemetry = AsyncTelemetry(TelemetryOptions())
    assert Telemetry(TelemetryOptions()).watch(make_call()) is None
    assert telemetry.watch(make_call(), is_stream=True) is None


def test_a_sync_client_refuses_what_it_cannot_await() -> None:
    async def later(record: Any) -> None:
        del record

    options = TelemetryOptions(Callbacks(on_retry=later))
    with pytest.raises(ConfigurationError):
        Telemetry(options)
    assert AsyncTelemetry(options).watch(make_call()) is not None


def test_both_twins_have_the_same_methods() -> None:
    ours = {name for name in vars(Watch) if not name.startswith("_")}
    twins = {name for name in vars(AsyncWatch) if not name.startswith("_")}
    assert twins == ours
