"""Says, once per breaker, that the shared state is out of reach, and counts its errors."""

import contextlib
import logging
import sys
import time
import warnings
from functools import lru_cache
from typing import Any

from azure_responses.fork import new_lock
from azure_responses.version import __version__

__all__ = ["CircuitBreaker"]

_logger = logging.getLogger("azure_responses")


class CircuitBreaker:
    """Whether the shared state is out of reach.

    Args:
        address: where it is, without secrets.

    Attributes:
        is_open: True from the first error until the state answers again.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = new_lock()
        self._since = 0.0
        self.is_open = False

    def note_failure(self, error: BaseException, operation: str) -> None:
        """Count an error; the first of an breaker is warned of and logged."""
        _count(operation, type(error).__name__)
        with self._lock:
            if self.is_open:
                return
            self._since = time.monotonic()
            self.is_open = True
        text = (
            f"The router's shared state at {self._address} does not answer "
            f"({type(error).__name__}: {error}). Local counters take over: limits hold per "
            "process, and cooldowns are not shared, until it is back."
        )
        _logger.warning(text)
        _warn(text)

    def note_recovery(self, dropped: int = 0) -> None:
        """Say that the state answers again, and how many writes were lost meanwhile."""
        with self._lock:
            if not self.is_open:
                return
            self.is_open = False
            lasted = time.monotonic() - self._since
        _logger.warning(
            "The router's shared state at %s answers again after %.1f s; %d writes were dropped.",
            self._address,
            lasted,
            dropped,
        )


def _warn(text: str) -> None:
    # A program that turns warnings into errors still must not lose a call over this one; it has
    # been logged.
    with contextlib.suppress(UserWarning):
        warnings.warn(text, UserWarning, stacklevel=4)


def _count(operation: str, kind: str) -> None:
    # A program that never imported opentelemetry has nothing for the counter to write to.
    if "opentelemetry" not in sys.modules:
        return
    try:
        from opentelemetry import metrics
    except ImportError:  # pragma: no cover  (a namespace package without the API)
        return
    counter = _counter(metrics.get_meter_provider())
    counter.add(1, {"azure_responses.operation": operation, "error.type": kind})


@lru_cache(maxsize=8)
def _counter(provider: Any) -> Any:
    return provider.get_meter("azure_responses", __version__).create_counter(
        "azure_responses.router.state_errors",
        unit="{error}",
        description="Errors of the router's shared state; the calls went on by local counters.",
    )
