"""Performs calls: the async shell's only contact with the network and the clock."""

import random
import time
from collections.abc import Callable
from contextlib import aclosing, nullcontext
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TypeVar

import httpx

from azure_responses._async.concurrency import fail_after, fail_without_progress, sleep
from azure_responses._async.converted_calls import AsyncConvertedCalls, AsyncConvertedStream
from azure_responses._async.credentials import AsyncCredentials
from azure_responses._async.response_store import AsyncMemoryResponseStore, AsyncResponseStore
from azure_responses._async.watch import AsyncTelemetry, AsyncWatch
from azure_responses.connection_errors import async_mapped_errors
from azure_responses.errors import APIConnectionError, AzureResponsesError
from azure_responses.fork import in_forked_child
from azure_responses.http_exchange import without_secrets
from azure_responses.httpx_connections import leave_client, proxy_of
from azure_responses.protocol.call import Call, RetryDecision, TypedCall
from azure_responses.protocol.decode import decode
from azure_responses.protocol.http_message import CREDENTIAL_HEADERS, RawResponse, Reply
from azure_responses.protocol.object_request import Content
from azure_responses.protocol.socket_frames import (
    SocketSettings,
    handshake_headers,
    merge_query,
)
from azure_responses.protocol.warning import warn_caller
from azure_responses.reply_body import AsyncStreamedReply, async_read_reply
from azure_responses.sent_content import SentContent
from azure_responses.telemetry.observer import TelemetryOptions
from azure_responses.timeouts import OpeningTimeout, TimeLimit, limit_of, seconds_of
from azure_responses.transport import (
    AsyncIncomingReply,
    LoopTransport,
    NetworkOptions,
    Timeout,
    async_send_through,
    build_headers,
    is_event_stream,
    make_socket_network,
)
from azure_responses.types.result import Result
from azure_responses.websocket_connections import (
    AsyncWebSocket,
    SocketNetwork,
    async_open_websocket,
)

__all__ = ["AsyncExecutor"]

_OTHER_NETWORK = (
    "A WebSocket does not go through http_client: it obeys HTTPS_PROXY, NO_PROXY and "
    "SSL_CERT_FILE. For another proxy or CA pass proxy= and verify= in place of http_client."
)

R = TypeVar("R", bound=Result)


class AsyncExecutor:
    """Sends the calls of one client, again where that helps.

    Args:
        credentials: where the credential header comes from.
        transport: this package's own way to the network; closed by `aclose`.
        http_client: the caller's httpx.AsyncClient to use instead; never closed by us.
        telemetry: watches the calls.
        store: keeps the responses that the service does not store.
    """

    def __init__(
        self,
        credentials: AsyncCredentials,
        *,
        transport: LoopTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        telemetry: AsyncTelemetry | None = None,
        store: AsyncResponseStore | None = None,
    ) -> None:
        self.telemetry = telemetry or AsyncTelemetry(TelemetryOptions())
        self._credentials = credentials
        self._transport = transport
        self._http_client = http_client
        self._own_network: SocketNetwork | None = None
        self._converted = AsyncConvertedCalls(store or AsyncMemoryResponseStore())
        if http_client is not None:
            in_forked_child(http_client, leave_client)

    @property
    def is_callers(self) -> bool:
        """True where calls go through the caller's own client, which reaches any host."""
        return self._http_client is not None

    def with_credentials(self, credentials: AsyncCredentials) -> "AsyncExecutor":
        """The same connections for calls with other credentials."""
        other = copy(self)
        other._credentials = credentials
        return other

    async def perform(self, call: TypedCall[R], timeout: Timeout) -> R:
        """The typed result of a call; a response that failed for a while is asked again."""
        _, result = await self._watched(call, timeout)
        call.finish(result)
        return result

    async def perform_raw(self, call: TypedCall[R], timeout: Timeout) -> RawResponse[R]:
        """The reply of a call, with its typed result to be parsed."""
        reply, result = await self._watched(call, timeout)

        def finish(_reply: Reply) -> R:
            call.finish(result)
            return result

        sent = call.request
        request = without_secrets(sent.method, sent.url, sent.headers)
        return RawResponse(reply, finish, request=request, retries=call.retries)

    async def exchange(
        self, call: TypedCall[R], timeout: Timeout, watch: AsyncWatch | None
    ) -> tuple[Reply, R]:
        """Reply and result of a call that is part of a watched one, or of none."""
        while True:
            reply = await self.send(call, timeout, watch)
            now = time.time()
            result = decode(call, reply, now)
            # A reply of 200 may hold a response that failed, and be worth another attempt.
            failure = call.failure_of(result, now)
            if failure is None:
                call.remember(result, time.monotonic())
                return reply, result
            await self._retry(call, failure, watch)

    async def send(self, call: Call, timeout: Timeout, watch: AsyncWatch | None = None) -> Reply:
        """The whole reply; raises what the service or the network ends with."""
        error: AzureResponsesError
        while True:
            # Whether the service refused or did not answer: the call decides what is tried again.
            try:
                outcome: Reply | AzureResponsesError
                if call.conversion is None and call.stored_id is None:
                    reply = await self.exchange_whole(call, timeout)
                    outcome = call.outcome(reply, time.time())
                else:
                    outcome = await self._converted.exchange(self, call, timeout)
                if isinstance(outcome, Reply):
                    return outcome
                error = outcome
            except AzureResponsesError as failure:
                error = failure
            await self._retry(call, error, watch)

    async def open(
        self, call: Call, timeout: Timeout, watch: AsyncWatch | None = None
    ) -> AsyncStreamedReply | AsyncConvertedStream:
        """A reply whose events are still to be read; the caller closes it.

        With an `OpeningTimeout` the caller also says when output has begun.
        """
        if watch is None:
            return await self._open(call, timeout, None)
        with watch.active():
            return await self._open(call, timeout, watch)

    async def open_download(
        self, call: Call, timeout: Timeout, watch: AsyncWatch | None
    ) -> AsyncStreamedReply:
        """A reply of any kind before its bytes are read; the caller closes it."""
        with nullcontext() if watch is None else watch.active():
            opened = await self._open(call, timeout, watch, _is_success)
        # No conversion carries such a call.
        assert isinstance(opened, AsyncStreamedReply)
        return opened

    async def _open(
        self,
        call: Call,
        timeout: Timeout,
        watch: AsyncWatch | None,
        is_expected: Callable[[AsyncIncomingReply], bool] = is_event_stream,
    ) -> AsyncStreamedReply | AsyncConvertedStream:
        while True:
            try:
                if call.conversion is None and call.stored_id is None:
                    opened: AsyncStreamedReply | AsyncConvertedStream | Reply
                    opened = await self.begin(call, timeout, is_expected)
                else:
                    opened = await self._converted.begin(self, call, timeout)
                if not isinstance(opened, Reply):
                    return opened
                error: AzureResponsesError = call.failure(
                    opened.status, opened.headers, opened.body, time.time()
                )
            except AzureResponsesError as failure:
                error = failure
            await self._retry(call, error, watch)

    async def _watched(self, call: TypedCall[R], timeout: Timeout) -> tuple[Reply, R]:
        watch = self.telemetry.watch(call)
        if watch is None:
            return await self.exchange(call, timeout, None)
        await watch.start()
        try:
            with watch.active():
                reply, result = await self.exchange(call, timeout, watch)
        except BaseException as error:
            # Also a cancellation: every call that was started has an end in traces and metrics.
            await watch.fail(error)
            raise
        await watch.finish(call.watched(result), reply.headers)
        return reply, result

    async def _retry(
        self, call: Call, error: AzureResponsesError, watch: AsyncWatch | None
    ) -> None:
        attempt = call.next_attempt(error, time.monotonic(), random.random())
        if watch is not None:
            await watch.retry(error, attempt.delay)
        await self.prepare(attempt, call.secret)

    async def prepare(
        self, attempt: RetryDecision, secret: str | None, *, is_socket: bool = False
    ) -> None:
        """Do what has to be done before the next attempt; `secret` is what the last one sent."""
        # The secret tells whether another caller has replaced the token since.
        if attempt.refreshes_token:
            credentials = self._credentials.of_sockets() if is_socket else self._credentials
            credentials.refresh(secret, attempt.refusal)
        if attempt.delay:
            await sleep(attempt.delay)

    async def aclose(self) -> None:
        """Close the connections, if they are ours."""
        if self._transport is not None:
            await self._transport.aclose()

    async def exchange_whole(self, call: Call, timeout: Timeout) -> Reply:
        """The whole reply of one attempt, whatever its status."""
        body = call.request.body
        if body is not None and not isinstance(body, bytes):
            return await self._send_content(call, body, timeout)
        limit = limit_of(timeout)
        try:
            credential = await self._credential(call, limit)
            async with (
                fail_after(limit),
                aclosing(await self._transmit(call, timeout, limit, credential)) as response,
            ):
                return await async_read_reply(response, limit)
        except Exception:
            # Entered only now: nearly every call succeeds, and a context manager is not free.
            with async_mapped_errors(partial(self._proxy, call)):
                raise

    async def _send_content(self, call: Call, content: Content, timeout: Timeout) -> Reply:
        """`exchange_whole` of a call whose body is sent piece by piece.

        The time limit is one for each piece, and for the reply after the last.
        """
        limit, sent = limit_of(timeout), SentContent(content)
        try:
            with async_mapped_errors(partial(self._proxy, call)):
                credential = await self._credential(call, limit)
                async with (
                    aclosing(sent),
                    fail_without_progress(limit) as sent.note_progress,
                    aclosing(
                        await self._transmit(call, timeout, limit, credential, sent)
                    ) as response,
                ):
                    return await async_read_reply(response, limit)
        except Exception as error:
            # An error from reading the caller's file is not an error of the network.
            if sent.error is not None:
                raise sent.error from None
            if isinstance(error, APIConnectionError):
                sent.explain(error)
            raise

    async def begin(
        self,
        call: Call,
        timeout: Timeout,
        is_expected: Callable[[AsyncIncomingReply], bool] = is_event_stream,
    ) -> AsyncStreamedReply | Reply:
        """A stream, or the whole of what came instead."""
        limit = limit_of(timeout)
        try:
            credential = await self._credential(call, limit)
            async with fail_after(limit):
                response = await self._transmit(call, timeout, limit, credential)
                # A proxy may answer the request for a stream with a page of its own.
                if is_expected(response):
                    is_opening = isinstance(timeout, OpeningTimeout)
                    return AsyncStreamedReply(response, limit, is_opening=is_opening)
                async with aclosing(response):
                    return await async_read_reply(response, limit)
        except Exception:
            with async_mapped_errors(partial(self._proxy, call)):
                raise

    def websocket_url(self, url: str) -> str | None:
        """Where a WebSocket is opened; None where the caller's own client has no way to it.

        An http_client goes its own way, past which nothing may be sent. That of an emulator in
        this process knows where the emulator serves WebSockets.
        """
        if self._http_client is None:
            return url
        find = getattr(self._http_client._transport, "websocket_url", None)
        return None if find is None else str(find(url) if callable(find) else find)

    async def open_socket(
        self, url: str, call: Call, settings: SocketSettings, limit: TimeLimit
    ) -> AsyncWebSocket | Reply:
        """A WebSocket with the headers of a call, or the reply that refuses it.

        Raises:
            APIConnectionError: nothing answered, or not in time.
            CredentialError: no token could be fetched.
        """
        credential = None
        if CREDENTIAL_HEADERS.isdisjoint(call.request.headers):
            credential = await self._credentials.of_sockets().header(seconds_of(limit))
        headers = handshake_headers(build_headers(call, credential))
        target = merge_query(url, call.request.url)
        return await async_open_websocket(target, headers, self._network(url), settings, limit)

    def _network(self, url: str) -> SocketNetwork:
        if self._transport is not None:
            return self._transport.socket_network()
        if self._own_network is None:
            if url.startswith("wss:"):
                warn_caller(_OTHER_NETWORK)
            scheme, _, rest = url.replace("ws", "http", 1).partition("://")
            origin = f"{scheme}://{rest.partition('/')[0]}"
            self._own_network = make_socket_network(NetworkOptions(), origin)
        return self._own_network

    def _proxy(self, call: Call) -> str | None:
        if self._transport is not None:
            return self._transport.proxy()
        return proxy_of(self._http_client, call.request.url)

    async def _credential(self, call: Call, limit: TimeLimit) -> tuple[str, str] | None:
        if not CREDENTIAL_HEADERS.isdisjoint(call.request.headers):
            return None
        # A key is always the same; only a token may have to be waited for.
        return self._credentials.fixed or await self._credentials.header(seconds_of(limit))

    async def _transmit(
        self,
        call: Call,
        timeout: Timeout,
        limit: TimeLimit,
        credential: tuple[str, str] | None,
        sent: SentContent | None = None,
    ) -> AsyncIncomingReply:
        """Send one attempt; the reply's body is still to be read, and the reply to be closed.

        `sent` is in place of the request's content.
        """
        headers = build_headers(call, credential)
        request = call.request if sent is None else replace(call.request, body=sent)
        if self._transport is not None:
            return await self._transport.send(request, headers, timeout, limit)
        # The client of the caller has proxies, certificates and hooks of its own.
        assert self._http_client is not None
        return await async_send_through(self._http_client, request, headers, timeout, limit)


def _is_success(response: AsyncIncomingReply) -> bool:
    return response.is_success
