"""How long a call may take, and what of it an attempt may."""

import math
import time

import httpx

from azure_responses.timeouts import OpeningTimeout, Timeout, patience_of

__all__ = ["deadline_of", "for_stream", "shorten", "shortest_of"]

# A timeout is left alone as long as hardly any of it has passed.
_NEARLY = 0.98


def deadline_of(timeout: Timeout) -> float | None:
    """When a call that begins now has to have ended, in monotonic seconds; infinity is never."""
    patience = patience_of(timeout)
    return math.inf if patience is None else time.monotonic() + patience


def shortest_of(timeout: Timeout) -> float | None:
    """The shortest time that a timeout gives any part of an attempt; None where it gives all."""
    if not isinstance(timeout, httpx.Timeout):
        return timeout
    phases = timeout.as_dict().values()
    return min((seconds for seconds in phases if seconds is not None), default=None)


def shorten(timeout: Timeout, left: float | None) -> Timeout:
    """The caller's timeout, but no more than the seconds that are left."""
    if left is None or left == math.inf:
        return timeout
    if not isinstance(timeout, httpx.Timeout):
        return left if timeout is None or left < timeout * _NEARLY else timeout
    phases = {n: left if v is None else min(v, left) for n, v in timeout.as_dict().items()}
    return httpx.Timeout(**phases)


def for_stream(timeout: Timeout, left: float | None, own: float | None) -> Timeout:
    """What a stream is asked for with.

    `left` counts until its first output, and between events what was asked for: otherwise a stream
    that was a long time in coming would be cut off at its first short silence.

    Args:
        timeout: the caller's.
        left: seconds that are left of it.
        own: the row's, in seconds.
    """
    usual = shorten(timeout, own)
    opening = _opening(usual, left)
    return usual if opening is None else OpeningTimeout(usual, opening)


def _opening(usual: Timeout, left: float | None) -> float | None:
    """The seconds to the first output, or None for any number."""
    if left is None or left == math.inf:
        return None
    silence = patience_of(usual)
    return left if silence is None else min(left, silence)
