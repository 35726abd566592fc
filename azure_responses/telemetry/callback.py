"""Functions of the program that are called for each call; one that fails breaks no call."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Literal

from azure_responses.errors import ConfigurationError
from azure_responses.telemetry.record import CallRecord

__all__ = [
    "Callback",
    "Callbacks",
    "Occasion",
    "async_check_callbacks",
    "async_run_callbacks",
    "callbacks",
    "check_callbacks",
    "run_callbacks",
]

_LOG = logging.getLogger("azure_responses.telemetry")

Callback = Callable[[CallRecord], Awaitable[Any] | Any]
"""Takes what is known of a call; an async client awaits what it returns, if that is possible."""

Occasion = Literal["on_request", "on_response", "on_error", "on_retry"]


class Callbacks:
    """Four lists of functions, to append to and remove from.

    Attributes:
        on_request: before the first attempt of a call.
        on_response: when it has been answered; a stream, when it has ended or was given up.
        on_error: when it has failed, after any retries.
        on_retry: before each further attempt, with the `error` and the `retry_delay`.
    """

    def __init__(self, **given: Callback | Iterable[Callback] | None) -> None:
        self.on_request: list[Callback] = _read("on_request", given.get("on_request"))
        self.on_response: list[Callback] = _read("on_response", given.get("on_response"))
        self.on_error: list[Callback] = _read("on_error", given.get("on_error"))
        self.on_retry: list[Callback] = _read("on_retry", given.get("on_retry"))

    def __bool__(self) -> bool:
        return bool(self.on_response or self.on_request or self.on_error or self.on_retry)

    def of(self, occasion: Occasion) -> list[Callback]:
        """The functions to call on an occasion."""
        functions: list[Callback] = getattr(self, occasion)
        return functions

    def clear(self) -> None:
        """Forget them all."""
        for functions in (self.on_request, self.on_response, self.on_error, self.on_retry):
            functions.clear()


def check_callbacks(given: Callbacks) -> None:
    """Raise ConfigurationError for an async function, which a sync client cannot await."""
    for function in (*given.on_request, *given.on_response, *given.on_error, *given.on_retry):
        if _is_async(function):
            raise ConfigurationError(
                f"The callback {_name(function)} is async, and a sync client cannot await it.",
                hint="Pass a plain function, or use AsyncAzureResponses.",
            )


def async_check_callbacks(given: Callbacks) -> None:
    """Nothing: an async client calls plain functions and awaits async ones."""


# Names of functions whose failure has been logged: one that always fails must not fill the log.
_failed: set[str] = set()


def run_callbacks(functions: Sequence[Callback], record: CallRecord) -> None:
    """Call each function; an exception of a function is logged the first time."""
    for function in functions:
        try:
            _refuse(function, function(record))
        except Exception:
            _report(function)


async def async_run_callbacks(functions: Sequence[Callback], record: CallRecord) -> None:
    """`run_callbacks`, awaiting the results that can be awaited."""
    for function in functions:
        try:
            answer = function(record)
            if isawaitable(answer):
                await answer
        except Exception:
            _report(function)


def _refuse(function: Callback, answer: Any) -> None:
    """Close a coroutine that cannot be awaited here, and log it once."""
    if not isawaitable(answer):
        return
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    if _is_new(f"await {_name(function)}"):
        _LOG.warning("Callback %s is async and was not awaited here.", _name(function))


def _report(function: Callback) -> None:
    if _is_new(_name(function)):
        _LOG.exception("Callback %s failed; this is logged once.", _name(function))


def _is_new(key: str) -> bool:
    is_new = key not in _failed
    _failed.add(key)
    return is_new


def _read(name: str, given: Callback | Iterable[Callback] | None) -> list[Callback]:
    if given is None:
        return []
    # An object that is both callable and iterable is one callback.
    functions = list(given) if isinstance(given, Iterable) and not callable(given) else [given]
    for function in functions:
        if not callable(function):
            raise ConfigurationError(
                f"{name} is {function!r}, which cannot be called.",
                hint="Pass a function of one argument, a CallRecord, or a list of such functions.",
            )
    return functions


def _is_async(function: Callback) -> bool:
    # The second is an object with `async def __call__`.
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


def _name(function: Callback) -> str:
    # An instance has no name of its own; that of its class is the best there is.
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"{kind.__module__}.{kind.__qualname__}"


callbacks = Callbacks()
"""Called for the calls of every client, before the client's own callbacks."""
