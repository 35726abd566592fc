"""Lists of callbacks, and how they are called."""

import asyncio
import functools
import logging
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.telemetry.callback import (
    Callbacks,
    async_run_callbacks,
    callbacks,
    check_callbacks,
    run_callbacks,
)
from azure_responses.telemetry.record import CallRecord
from tests.telemetry.samples import make_record


def _plain(record: CallRecord) -> None:
    del record


async def _awaited(record: CallRecord) -> None:
    del record


def test_lists_are_false_until_one_of_them_has_an_entry() -> None:
    own = Callbacks()
    assert not own
    for name in ("on_request", "on_response", "on_error", "on_retry"):
        own.of(name).append(_plain)
        assert own
        own.clear()
        assert not own


def test_the_programs_callbacks_start_empty() -> None:
    assert not callbacks


@pytest.mark.parametrize("given", [_plain, [_plain], (_plain,)])
def test_one_function_or_several_may_be_given(given: Any) -> None:
    assert Callbacks(on_error=given).on_error == [_plain]


@pytest.mark.parametrize("given", [[1], ["name"]])
def test_what_cannot_be_called_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="on_error is"):
        Callbacks(on_error=given)


@pytest.mark.parametrize("function", [_awaited, functools.partial(_awaited)])
def test_async_functions_are_recognised(function: Any) -> None:
    with pytest.raises(ConfigurationError, match="is async"):
        check_callbacks(Callbacks(on_retry=function))
    check_callbacks(Callbacks(on_retry=_plain))


def test_callbacks_are_called_in_order_and_failures_are_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[str] = []

    def fail(record: CallRecord) -> None:
        raise ValueError("wrong")

    functions = [lambda _: seen.append("first"), fail, lambda _: seen.append("last")]
    for _ in range(3):
        run_callbacks(functions, make_record())
    assert seen == ["first", "last"] * 3
    assert [entry.levelno for entry in caplog.records] == [logging.ERROR]


def test_an_interrupt_in_a_callback_is_no_failure_of_it() -> None:
    def interrupt(record: CallRecord) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_callbacks([interrupt], make_record())


class _Later:
    """Awaitable, but no coroutine."""

    def __await__(self) -> Any:
        yield from ()


def test_what_nobody_will_await_is_closed_and_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def make_later(record: CallRecord) -> Any:
        return _Later()

    for _ in range(2):
        run_callbacks([make_later], make_record())
    (entry,) = caplog.records
    assert "make_later is async" in entry.getMessage()


def test_awaitables_of_plain_functions_are_awaited() -> None:
    seen: list[str] = []

    async def note() -> None:
        seen.append("awaited")

    asyncio.run(
        async_run_callbacks([lambda _: note(), lambda _: seen.append("plain")], make_record())
    )
    assert seen == ["awaited", "plain"]


def test_a_failing_async_callback_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        async def __call__(self, record: CallRecord) -> None:
            raise ValueError("wrong")

    asyncio.run(async_run_callbacks([Failing()], make_record()))
    (entry,) = caplog.records
    assert "Failing failed" in entry.getMessage()
