"""One request of a batch, made as its key would make it, when nothing else needs the room.

It takes one of the gateway's places, is admitted by the limits and the budget of its key, goes
through the router and is recorded, as a request over HTTP is. A limit, a budget or a cooldown makes
it wait, where a request over HTTP would be refused.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from pydantic_core import from_json, to_json

from azure_responses.batches.lines import BatchLine
from azure_responses.batches.results import BatchResult
from azure_responses.errors import AzureResponsesError
from azure_responses.gateway.admission import AdmissionQueue, Admitted
from azure_responses.gateway.asgi_reply import ErrorResponse
from azure_responses.gateway.batch_records import ResultRow, digest_of
from azure_responses.gateway.concurrency_limit import ConcurrencyLimit
from azure_responses.gateway.cost_estimate import CostEstimates
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.spend import to_pico
from azure_responses.openai_server import ApiReply, ApiRequest, AsyncOpenAIServer
from azure_responses.openai_server.replies import refusal
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.router.arguments import end_user_of
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.quota import MinuteWindow

__all__ = ["BatchCalls", "Later"]

Settle = Callable[[ApiCaller, ServedRequest, Admitted | None], None]

# Of the places of the gateway, and of the limits of a group, the part that batches may use.
_SHARE = 0.5
_SHARE_OF_LIMITS = 0.8
# Of keys and models; the oldest go.
_MOST_WINDOWS = 10_000
_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
# Attempts of a request that fails for other reasons than limits, each of them with the router's
# own retries.
_ATTEMPTS = 3
_FAILURE_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Later:
    """The request was not made, or has not succeeded yet: try again after so many seconds.

    Attributes:
        is_attempt: it was made, and failed.
    """

    seconds: float
    is_attempt: bool = False


class BatchCalls:
    """Makes requests of batches; used from one event loop.

    Args:
        server: makes the calls.
        concurrency: the places of the gateway.
        admission: admits by limits and budgets.
        estimates: of what a call will use.
        group_of: the deployments of a model.
        settle: records a call and settles what was reserved.
    """

    def __init__(
        self,
        server: AsyncOpenAIServer,
        concurrency: ConcurrencyLimit,
        admission: AdmissionQueue,
        estimates: CostEstimates,
        group_of: Callable[[str], Any],
        settle: Settle,
    ) -> None:
        self._server = server
        self._concurrency = concurrency
        self._admission = admission
        self._estimates = estimates
        self._group_of = group_of
        self._settle = settle
        self._windows: dict[str, MinuteWindow] = {}

    async def make(
        self, line: BatchLine, caller: ApiCaller, model: str, attempts: int
    ) -> ResultRow | Later:
        """Make a request.

        Args:
            line: what is asked.
            caller: the key that pays.
            model: of lines that name none.
            attempts: made before.
        """
        if not self._has_room():
            return Later(_PAUSE)
        self._concurrency.in_progress += 1
        try:
            found = await self._admitted(line, caller, model, attempts)
        finally:
            self._concurrency.leave()
        if isinstance(found, Later):
            return found
        return replace(found, end_user_digest=digest_of(end_user_of(line.body)))

    def _has_room(self) -> bool:
        """True while calls in the foreground leave half of the places."""
        limit = self._concurrency
        return not limit.waiting and limit.in_progress < max(1, int(limit.most * _SHARE))

    async def _admitted(
        self, line: BatchLine, caller: ApiCaller, model: str, attempts: int
    ) -> ResultRow | Later:
        request = _request(line, caller, model)
        try:
            call = self._server.read(request)
        except AzureResponsesError as error:
            return _row(line, request, refusal(request, error))
        reserved = await self._reserve(caller, call)
        if isinstance(reserved, Later):
            return reserved
        admitted = await self._admission.admit(caller, call, waits=False)
        if isinstance(admitted, ErrorResponse):
            reserved.settle(0, refunds_request=True)
            return _refused(line, request, admitted)
        reply = await self._answer(call, caller, admitted)
        reserved.settle(call.summary.total_tokens or 0)
        return _judge(line, request, reply, attempts)

    async def _answer(
        self, call: ServedRequest, caller: ApiCaller, admitted: Admitted
    ) -> ApiReply[Any]:
        began = time.perf_counter()
        try:
            reply = await self._server.answer(call)
        except BaseException:
            call.summary.is_abandoned = True
            raise
        finally:
            call.summary.latency = time.perf_counter() - began
            self._settle(caller, call, admitted)
        return reply

    async def _reserve(self, caller: ApiCaller, call: ServedRequest) -> "_Reserved | Later":
        """Reserve what batches may use of the limits of the group and of the key."""
        group = call.group or ""
        deployments: list[Deployment] = list(self._group_of(group))
        rpm, tpm = _together([d.rpm for d in deployments]), _together([d.tpm for d in deployments])
        windows = [
            window
            for window in (
                self._window(f"group {group}", rpm, tpm),
                self._window(f"key {caller.key_id}", caller.rpm, caller.tpm),
            )
            if window is not None
        ]
        if not windows:
            return _Reserved([], 0)
        context = await self._estimates.find_context(call)
        tick = time.monotonic()
        tokens, _ = self._estimates.estimate(caller, call, context, tick)
        # A request larger than a whole share would wait for ever.
        tokens = min([tokens, *(window.tpm for window in windows if window.tpm is not None)])
        wait = max(window.wait(tokens, tick) for window in windows)
        if wait > 0:
            return Later(min(_LONGEST_PAUSE, max(_PAUSE, wait)))
        return _Reserved([(one, one.reserve(tokens, tick) or 0) for one in windows], tokens)

    def _window(self, name: str, rpm: int | None, tpm: int | None) -> MinuteWindow | None:
        if rpm is None and tpm is None:
            return None
        while len(self._windows) >= _MOST_WINDOWS and name not in self._windows:
            del self._windows[next(iter(self._windows))]
        window = self._windows.setdefault(name, MinuteWindow(None, None))
        window.rpm, window.tpm = _share(rpm), _share(tpm)
        return window


@dataclass(frozen=True, slots=True)
class _Reserved:
    """What one call has reserved."""

    slots: list[tuple[MinuteWindow, int]]
    tokens: int

    def settle(self, used: int, *, refunds_request: bool = False) -> None:
        for window, slot in self.slots:
            window.settle(slot, self.tokens, used, refunds_request=refunds_request)


def _together(limits: list[int | None]) -> int | None:
    """The limits of a group together; None where a deployment has no limit."""
    known = [limit for limit in limits if limit is not None]
    return sum(known) if known and len(known) == len(limits) else None


def _share(limit: int | None) -> int | None:
    return None if limit is None else max(1, int(limit * _SHARE_OF_LIMITS))


def _request(line: BatchLine, caller: ApiCaller, model: str) -> ApiRequest:
    body = to_json({**line.body, "model": line.model or model})
    return ApiRequest(
        "POST",
        line.url,
        body=body,
        owner=caller.owner,
        call_id=f"batch_req_{uuid4().hex}",
        may_call=caller.may_call,
        is_operator=False,
    )


def _refused(line: BatchLine, request: ApiRequest, error: ErrorResponse) -> ResultRow | Later:
    """The decision of admission: wait for the limits and the budget, or refuse for good."""
    if error.status in (429, 503) or error.code == "budget_exceeded":
        seconds = _LONGEST_PAUSE if error.retry_after is None else error.retry_after
        return Later(min(_LONGEST_PAUSE, max(_PAUSE, seconds)))
    result = BatchResult(
        request.call_id or "", line.custom_id, error.status, request.call_id, error.body
    )
    return ResultRow(line.number, result.to_line(), is_failed=True)


def _judge(
    line: BatchLine, request: ApiRequest, reply: ApiReply[Any], attempts: int
) -> ResultRow | Later:
    """The result, or another attempt if that may help."""
    if reply.status == 429:
        # Of the deployments: the request stays in line until one has room.
        return Later(min(_LONGEST_PAUSE, max(1.0, _retry_after(reply))))
    if reply.status >= 500 and attempts + 1 < _ATTEMPTS:
        pause = max(_FAILURE_PAUSE * 4**attempts, _retry_after(reply))
        return Later(min(_LONGEST_PAUSE, pause), is_attempt=True)
    return _row(line, request, reply)


def _retry_after(reply: ApiReply[Any]) -> float:
    given = dict(reply.headers).get(b"retry-after", b"")
    return float(given) if given.isdigit() else 0.0


def _row(line: BatchLine, request: ApiRequest, reply: ApiReply[Any]) -> ResultRow:
    summary = reply.summary
    result = BatchResult(
        request.call_id or "",
        line.custom_id,
        reply.status,
        summary.request_id or request.call_id,
        from_json(reply.body),
    )
    usage = result.usage()
    cost = None if summary.cost is None else to_pico(summary.cost)
    row = ResultRow(line.number, result.to_line(), result.is_failed, usage, cost)
    return replace(row, cost=0) if result.is_failed and cost is None else row
