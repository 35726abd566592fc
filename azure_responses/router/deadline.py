"""How long a call may take, and what of it an attempt may."""

import math
import time

import httpx

from azure_responses.transport import Timeout, patience_of

__all__ = ["deadline_of", "shorten"]

# A timeout is left alone as long as hardly any of it has passed.
_NEARLY = 0.98


def deadline_of(timeout: Timeout) -> float | None:
    """When a call that begins now has to have ended, in monotonic seconds; infinity is never."""
    patience = patience_of(timeout)
    return math.inf if patience is None else time.monotonic() + patience


def shorten(timeout: Timeout, left: float | None) -> Timeout:
    """The caller's timeout, but no more than the seconds that are left."""
    if left is None or left == math.inf:
        return timeout
    if not isinstance(timeout, httpx.Timeout):
        return left if timeout is None or left < timeout * _NEARLY else timeout
    phases = {n: left if v is None else min(v, left) for n, v in timeout.as_dict().items()}
    return httpx.Timeout(**phases)
