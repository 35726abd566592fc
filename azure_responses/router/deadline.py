"""How long a call may take, and what of it an attempt may."""

import math
import time
from typing import Any

import httpx

from azure_responses.transport import Timeout, patience_of, phases_of

__all__ = ["deadline_of", "for_async_stream", "for_stream", "shorten", "shortest_of"]

# A timeout is left alone as long as hardly any of it has passed.
_NEARLY = 0.98


def deadline_of(timeout: Timeout) -> float | None:
    """When a call that begins now has to have ended, in monotonic seconds; infinity is never."""
    patience = patience_of(timeout)
    return math.inf if patience is None else time.monotonic() + patience


def shortest_of(timeout: Timeout) -> float | None:
    """The shortest time that a timeout gives any part of an attempt; None where it gives all."""
    phases = timeout.as_dict().values() if isinstance(timeout, httpx.Timeout) else (timeout,)
    return min((seconds for seconds in phases if seconds is not None), default=None)


def shorten(timeout: Timeout, left: float | None) -> Timeout:
    """The caller's timeout, but no more than the seconds that are left."""
    if left is None or left == math.inf:
        return timeout
    if not isinstance(timeout, httpx.Timeout):
        return left if timeout is None or left < timeout * _NEARLY else timeout
    phases = {n: left if v is None else min(v, left) for n, v in timeout.as_dict().items()}
    return httpx.Timeout(**phases)


def for_stream(
    timeout: Timeout, left: float | None, own: float | None
) -> tuple[Timeout, float | None]:
    """What a stream is asked for with, and the seconds to its first output where they are fewer.

    `left` counts until its first output, and between events what was asked for: otherwise a stream
    that was a long time in coming would be cut off at its first short silence.

    Args:
        timeout: the caller's.
        left: seconds that are left of it.
        own: the row's, in seconds.
    """
    usual, now = shorten(timeout, own), shorten(timeout, left)
    return (usual, None) if now == usual else (_UntilHeaders(now, patience_of(usual)), left)


def for_async_stream(
    timeout: Timeout, left: float | None, own: float | None
) -> tuple[Timeout, float | None]:
    """The same for a stream that can be interrupted when the seconds are over."""
    usual, now = shorten(timeout, own), shorten(timeout, left)
    if now == usual:
        return usual, None
    return httpx.Timeout(**{**phases_of(now), "read": patience_of(usual)}), left


class _UntilHeaders(httpx.Timeout):
    """A timeout whose reads may take longer once the headers have come."""

    def __init__(self, timeout: Timeout, silence: float | None) -> None:
        super().__init__(**phases_of(timeout))
        self._silence = silence

    def as_dict(self) -> dict[str, float | None]:
        return _Phases(super().as_dict(), self._silence)


class _Phases(dict[str, float | None]):
    """httpcore looks up how long to read for the headers, and once more for the body."""

    def __init__(self, phases: dict[str, float | None], silence: float | None) -> None:
        super().__init__(phases)
        self._silence = silence

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        if name == "read":
            self["read"] = self._silence
        return value
