"""Has one call admitted, and waits a little for what running calls have reserved."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from azure_responses.event_loop import compute
from azure_responses.gateway.admission import Admitted
from azure_responses.gateway.error_response import ErrorResponse
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.routing.windows import RUNNING_WAIT
from azure_responses.transport import patience_of

if TYPE_CHECKING:
    from azure_responses.gateway.gateway import Gateway

__all__ = ["admit_call"]

# Room that running calls hold frees when they end; a caller who came back a second later would find
# the same as one who waited here, and be refused more often.
_LONGEST_WAIT = 10.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
# Calls of one key that wait at once; more are refused at once.
_MOST_WAITING = 32


async def admit_call(
    gateway: "Gateway", caller: ApiCaller, call: ServedRequest
) -> Admitted | ErrorResponse:
    """Let a call begin, at once or when running calls of its key have ended, or say why not."""
    is_limited = caller.has_limits or caller.budget is not None
    context = await gateway.estimates.find_context(call) if is_limited else 0
    admitted = await _ask(gateway, caller, call, context)
    waiting = gateway.waiting
    if not _passes_soon(admitted) or waiting[caller.key_id] >= _most_waiting(gateway):
        return admitted
    waiting[caller.key_id] += 1
    try:
        return await _wait(gateway, caller, call, context, admitted)
    finally:
        waiting[caller.key_id] -= 1
        if not waiting[caller.key_id]:
            del waiting[caller.key_id]


def _most_waiting(gateway: "Gateway") -> int:
    # Each has one of the gateway's places, of which other keys need some too.
    return max(1, min(_MOST_WAITING, gateway.settings.max_concurrent_requests // 4))


async def _wait(
    gateway: "Gateway",
    caller: ApiCaller,
    call: ServedRequest,
    context: int,
    admitted: Admitted | ErrorResponse,
) -> Admitted | ErrorResponse:
    patience = patience_of(call.timeout)
    allowed = _LONGEST_WAIT if patience is None else min(patience, _LONGEST_WAIT)
    pause, ends = _FIRST_PAUSE, time.monotonic() + allowed
    while _passes_soon(admitted) and time.monotonic() + pause < ends:
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        admitted = await _ask(gateway, caller, call, context)
    return admitted


async def _ask(
    gateway: "Gateway", caller: ApiCaller, call: ServedRequest, context: int
) -> Admitted | ErrorResponse:
    tick = time.monotonic()
    asked: dict[str, Any] = {"model": call.group or "", "tokens": 0, "cost": 0}
    if caller.has_limits or caller.budget is not None:
        # Anew each time: the calls that ended meanwhile have shown how much they needed.
        estimate = await compute(gateway.estimates.estimate, caller, call, context, tick)
        asked["tokens"], asked["cost"] = estimate
    asked |= {"now": time.time(), "tick": tick}
    state = gateway.router.async_calls.state
    if caller.has_limits and state.is_shared:
        return await gateway.admission.admit_shared(state, caller, **asked)
    return gateway.admission.admit(caller, **asked)


def _passes_soon(admitted: Admitted | ErrorResponse) -> bool:
    if not isinstance(admitted, ErrorResponse) or admitted.retry_after is None:
        return False
    return admitted.retry_after <= RUNNING_WAIT
