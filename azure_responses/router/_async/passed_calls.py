"""Calls of embeddings, images and audio through a router's loop: bytes in, bytes out."""

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple

from azure_responses._async.concurrency import compute, run_in_thread, shield
from azure_responses._async.object_calls import open_download
from azure_responses._async.watch import AsyncWatch
from azure_responses.errors import AzureResponsesError, NotFoundError
from azure_responses.protocol.call import Call
from azure_responses.protocol.http_message import Reply
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router.attempts import Answer, OpenAttempt
from azure_responses.router.passed_reply import EventPieces, facts_of_reply
from azure_responses.router.passed_request import PassedRequest
from azure_responses.router.targets import AsyncTarget
from azure_responses.router.upstream_reply import not_offered
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.route_request import Outcome
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.timeouts import read_timeout, shorten
from azure_responses.types.result import Route

__all__ = ["AsyncPassedCalls", "AsyncPassedStream", "PassedReply"]

AttemptNote = Callable[[Deployment, RoutedCall], AbstractContextManager[None]]
"""Is entered for each attempt, and sees its error."""

# What takes milliseconds to read, which other tasks should not wait for.
_LONG_REPLY = 256 * 1024


class PassedReply(NamedTuple):
    """The reply to a call that was passed on.

    Attributes:
        headers: of the service.
        body: the bytes, or a stream of them.
        facts: of a whole reply, its JSON without the data.
        route: what the router did.
    """

    headers: Mapping[str, str]
    body: "bytes | AsyncPassedStream"
    facts: Mapping[str, Any]
    route: Route


class AsyncPassedCalls:
    """Passes calls on to deployments of the model that they name.

    Args:
        calls: the router's loop.
    """

    def __init__(self, calls: AsyncRoutedCalls) -> None:
        self._calls = calls

    async def forward(self, request: PassedRequest, note: AttemptNote | None = None) -> PassedReply:
        """The reply; of a stream once its first bytes have come.

        Raises:
            AzureResponsesError: the last failure.
        """

        async def attempt(target: AsyncTarget, call: RoutedCall, left: float | None) -> Answer[Any]:
            made = _PassedAttempt(request, target, call, left)
            with nullcontext() if note is None else note(target.deployment, call):
                try:
                    if request.is_stream or request.row.returns == "bytes":
                        return await made.open()
                    return await made.send()
                except NotFoundError as error:
                    raise not_offered(error, request.operation, request.row.instead) from error

        routed = await self._calls.perform(request.route_request, attempt)
        headers, body, facts = routed.result
        if isinstance(body, AsyncPassedStream):
            body.settle_with(routed.open_attempt)
        return PassedReply(headers, body, facts, routed.route)


class _PassedAttempt:
    """One attempt; see `AsyncAttempt`."""

    def __init__(
        self, request: PassedRequest, target: AsyncTarget, call: RoutedCall, left: float | None
    ) -> None:
        self._request = request
        self._target = target
        self._name = target.deployment.name_for(call.group)
        self._timeout = read_timeout(shorten(request.timeout, left))
        self._began = time.monotonic()

    async def send(self) -> Answer[Any]:
        """The whole reply."""
        call = await self._write()
        watch = self._target.sender.telemetry.watch(call)
        if watch is None:
            reply = await self._target.sender.send(call, self._timeout)
        else:
            reply = await self._watched(call, watch)
        facts = await _read_facts(reply)
        if facts is None:
            # Such as the page of a proxy.
            raise call.failure(reply.status, reply.headers, reply.body, time.time())
        outcome = Outcome(reply.headers, _total(facts), time.monotonic() - self._began)
        return Answer((reply.headers, reply.body, facts), outcome)

    async def open(self) -> Answer[Any]:
        """The reply as it arrives; what fails before the first bytes is tried elsewhere."""
        call = await self._write()
        stream = AsyncPassedStream(self._request)
        await stream.open(self._target, call, self._timeout)
        return Answer((stream.headers, stream, {}), None)

    async def _write(self) -> Call:
        upstream, request = self._target.upstream, self._request
        return await compute(
            lambda: upstream.write(request.prepare(self._target.deployment, self._name))
        )

    async def _watched(self, call: Call, watch: AsyncWatch) -> Reply:
        await watch.start()
        try:
            with watch.active():
                reply = await self._target.sender.send(call, self._timeout, watch)
        except BaseException as error:
            await watch.fail(error)
            raise
        await watch.finish(None, reply.headers)
        return reply


class AsyncPassedStream:
    """Bytes of the service as they arrive: whole events, or sound.

    Attributes:
        headers: of the reply; names in lower case.
        facts: of the event that says what was used; empty before, and of sound.
    """

    def __init__(self, request: PassedRequest) -> None:
        self.headers: Mapping[str, str] = {}
        self.facts: Mapping[str, Any] = {}
        self._events = EventPieces() if request.is_stream else None
        self._open_attempt: OpenAttempt | None = None
        self._first = b""
        self._latency = 0.0

    async def open(self, target: AsyncTarget, call: Call, timeout: Any) -> None:
        """Wait for the first bytes; raises what comes in their place."""
        began = time.monotonic()
        self._download = await open_download(target.sender, call, timeout)
        self.headers = self._download.headers
        self._pieces = self._download.__aiter__()
        try:
            self._first = await anext(self._pieces, b"")
        except BaseException:
            with shield():
                await self._download.aclose()
            raise
        self._latency = time.monotonic() - began

    def settle_with(self, open_attempt: OpenAttempt) -> None:
        """Have the attempt settled when the stream ends."""
        self._open_attempt = open_attempt

    async def read(self) -> AsyncGenerator[bytes, None]:
        """The bytes; the attempt is settled when they end or break off.

        Raises:
            AzureResponsesError: the connection broke before the end.
        """
        attempt = self._open_attempt
        assert attempt is not None
        try:
            async for piece in self._whole():
                yield piece
            outcome = Outcome(self.headers, _total(self.facts), self._latency, has_output=True)
            attempt.answered(outcome)
        except AzureResponsesError as error:
            attempt.failed(error, has_output=True, tokens=_total(self.facts))
            raise
        finally:
            # Nothing where it is settled: otherwise the caller has left.
            attempt.abandoned(tokens=_total(self.facts))
            with shield():
                await self._download.aclose()

    async def _whole(self) -> AsyncGenerator[bytes, None]:
        events = self._events
        if events is None:
            yield self._first
            async for piece in self._pieces:
                yield piece
            return
        if found := events.feed(self._first):
            yield found
        async for piece in self._pieces:
            if found := events.feed(piece):
                self.facts = events.facts
                yield found
        found = events.end()
        self.facts = events.facts
        if found:
            yield found


async def _read_facts(reply: Reply) -> Mapping[str, Any] | None:
    if len(reply.body) < _LONG_REPLY:
        return facts_of_reply(reply.headers, reply.body)
    return await run_in_thread(partial(facts_of_reply, reply.headers, reply.body))


def _total(facts: Mapping[str, Any]) -> int | None:
    usage = facts.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    return total if isinstance(total, int) else None
