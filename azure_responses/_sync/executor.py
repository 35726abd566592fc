# Written by scripts/unasync: change the file of this name in ../_async instead.
"""Performs calls: the sync shell's only contact with the network and the clock."""

import random
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TypeVar

import httpx

from azure_responses._sync.concurrency import fail_after, fail_without_progress, sleep
from azure_responses._sync.converted_calls import ConvertedCalls, ConvertedStream
from azure_responses._sync.credentials import Credentials
from azure_responses._sync.response_store import MemoryResponseStore, ResponseStore
from azure_responses._sync.watch import Telemetry, Watch
from azure_responses.connection_errors import mapped_errors
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
from azure_responses.reply_body import StreamedReply, read_reply
from azure_responses.sent_content import SentContent
from azure_responses.telemetry.observer import TelemetryOptions
from azure_responses.timeouts import OpeningTimeout, TimeLimit, limit_of, seconds_of
from azure_responses.transport import (
    IncomingReply,
    NetworkOptions,
    SyncTransport,
    Timeout,
    build_headers,
    is_event_stream,
    make_socket_network,
    send_through,
)
from azure_responses.types.result import Result
from azure_responses.websocket_connections import (
    SocketNetwork,
    WebSocket,
    open_websocket,
)

__all__ = ["Executor"]

_OTHER_NETWORK = (
    "A WebSocket does not go through http_client: it obeys HTTPS_PROXY, NO_PROXY and "
    "SSL_CERT_FILE. For another proxy or CA pass proxy= and verify= in place of http_client."
)

R = TypeVar("R", bound=Result)


class Executor:
    """Sends the calls of one client, again where that helps.

    Args:
        credentials: where the credential header comes from.
        transport: this package's own way to the network; closed by `close`.
        http_client: the caller's httpx.Client to use instead; never closed by us.
        telemetry: watches the calls.
        store: keeps the responses that the service does not store.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        transport: SyncTransport | None = None,
        http_client: httpx.Client | None = None,
        telemetry: Telemetry | None = None,
        store: ResponseStore | None = None,
    ) -> None:
        self.telemetry = telemetry or Telemetry(TelemetryOptions())
        self._credentials = credentials
        self._transport = transport
        self._http_client = http_client
        self._own_network: SocketNetwork | None = None
        self._converted = ConvertedCalls(store or MemoryResponseStore())
        if http_client is not None:
            in_forked_child(http_client, leave_client)

    @property
    def is_callers(self) -> bool:
        """True where calls go through the caller's own client, which reaches any host."""
        return self._http_client is not None

    def with_credentials(self, credentials: Credentials) -> "Executor":
        """The same connections for calls with other credentials."""
        other = copy(self)
        other._credentials = credentials
        return other

    def perform(self, call: TypedCall[R], timeout: Timeout) -> R:
        """The typed result of a call; a response that failed for a while is asked again."""
        _, result = self._watched(call, timeout)
        call.finish(result)
        return result

    def perform_raw(self, call: TypedCall[R], timeout: Timeout) -> RawResponse[R]:
        """The reply of a call, with its typed result to be parsed."""
        reply, result = self._watched(call, timeout)

        def finish(_reply: Reply) -> R:
            call.finish(result)
            return result

        sent = call.request
        request = without_secrets(sent.method, sent.url, sent.headers)
        return RawResponse(reply, finish, request=request, retries=call.retries)

    def exchange(
        self, call: TypedCall[R], timeout: Timeout, watch: Watch | None
    ) -> tuple[Reply, R]:
        """Reply and result of a call that is part of a watched one, or of none."""
        while True:
            reply = self.send(call, timeout, watch)
            now = time.time()
            result = decode(call, reply, now)
            # A reply of 200 may hold a response that failed, and be worth another attempt.
            failure = call.failure_of(result, now)
            if failure is None:
                call.remember(result, time.monotonic())
                return reply, result
            self._retry(call, failure, watch)

    def send(self, call: Call, timeout: Timeout, watch: Watch | None = None) -> Reply:
        """The whole reply; raises what the service or the network ends with."""
        error: AzureResponsesError
        while True:
            # Whether the service refused or did not answer: the call decides what is tried again.
            try:
                outcome: Reply | AzureResponsesError
                if call.conversion is None and call.stored_id is None:
                    reply = self.exchange_whole(call, timeout)
                    outcome = call.outcome(reply, time.time())
                else:
                    outcome = self._converted.exchange(self, call, timeout)
                if isinstance(outcome, Reply):
                    return outcome
                error = outcome
            except AzureResponsesError as failure:
                error = failure
            self._retry(call, error, watch)

    def open(
        self, call: Call, timeout: Timeout, watch: Watch | None = None
    ) -> StreamedReply | ConvertedStream:
        """A reply whose events are still to be read; the caller closes it.

        With an `OpeningTimeout` the caller also says when output has begun.
        """
        if watch is None:
            return self._open(call, timeout, None)
        with watch.active():
            return self._open(call, timeout, watch)

    def open_download(self, call: Call, timeout: Timeout, watch: Watch | None) -> StreamedReply:
        """A reply of any kind before its bytes are read; the caller closes it."""
        with nullcontext() if watch is None else watch.active():
            opened = self._open(call, timeout, watch, _is_success)
        # No conversion carries such a call.
        assert isinstance(opened, StreamedReply)
        return opened

    def _open(
        self,
        call: Call,
        timeout: Timeout,
        watch: Watch | None,
        is_expected: Callable[[IncomingReply], bool] = is_event_stream,
    ) -> StreamedReply | ConvertedStream:
        while True:
            try:
                if call.conversion is None and call.stored_id is None:
                    opened: StreamedReply | ConvertedStream | Reply
                    opened = self.begin(call, timeout, is_expected)
                else:
                    opened = self._converted.begin(self, call, timeout)
                if not isinstance(opened, Reply):
                    return opened
                error: AzureResponsesError = call.failure(
                    opened.status, opened.headers, opened.body, time.time()
                )
            except AzureResponsesError as failure:
                error = failure
            self._retry(call, error, watch)

    def _watched(self, call: TypedCall[R], timeout: Timeout) -> tuple[Reply, R]:
        watch = self.telemetry.watch(call)
        if watch is None:
            return self.exchange(call, timeout, None)
        watch.start()
        try:
            with watch.active():
                reply, result = self.exchange(call, timeout, watch)
        except BaseException as error:
            # Also a cancellation: every call that was started has an end in traces and metrics.
            watch.fail(error)
            raise
        watch.finish(call.watched(result), reply.headers)
        return reply, result

    def _retry(self, call: Call, error: AzureResponsesError, watch: Watch | None) -> None:
        attempt = call.next_attempt(error, time.monotonic(), random.random())
        if watch is not None:
            watch.retry(error, attempt.delay)
        self.prepare(attempt, call.secret)

    def prepare(
        self, attempt: RetryDecision, secret: str | None, *, is_socket: bool = False
    ) -> None:
        """Do what has to be done before the next attempt; `secret` is what the last one sent."""
        # The secret tells whether another caller has replaced the token since.
        if attempt.refreshes_token:
            credentials = self._credentials.of_sockets() if is_socket else self._credentials
            credentials.refresh(secret, attempt.refusal)
        if attempt.delay:
            sleep(attempt.delay)

    def close(self) -> None:
        """Close the connections, if they are ours."""
        if self._transport is not None:
            self._transport.close()

    def exchange_whole(self, call: Call, timeout: Timeout) -> Reply:
        """The whole reply of one attempt, whatever its status."""
        body = call.request.body
        if body is not None and not isinstance(body, bytes):
            return self._send_content(call, body, timeout)
        limit = limit_of(timeout)
        try:
            credential = self._credential(call, limit)
            with (
                fail_after(limit),
                closing(self._transmit(call, timeout, limit, credential)) as response,
            ):
                return read_reply(response, limit)
        except Exception:
            # Entered only now: nearly every call succeeds, and a context manager is not free.
            with mapped_errors(partial(self._proxy, call)):
                raise

    def _send_content(self, call: Call, content: Content, timeout: Timeout) -> Reply:
        """`exchange_whole` of a call whose body is sent piece by piece.

        The time limit is one for each piece, and for the reply after the last.
        """
        limit, sent = limit_of(timeout), SentContent(content)
        try:
            with mapped_errors(partial(self._proxy, call)):
                credential = self._credential(call, limit)
                with (
                    closing(sent),
                    fail_without_progress(limit) as sent.note_progress,
                    closing(self._transmit(call, timeout, limit, credential, sent)) as response,
                ):
                    return read_reply(response, limit)
        except Exception as error:
            # An error from reading the caller's file is not an error of the network.
            if sent.error is not None:
                raise sent.error from None
            if isinstance(error, APIConnectionError):
                sent.explain(error)
            raise

    def begin(
        self,
        call: Call,
        timeout: Timeout,
        is_expected: Callable[[IncomingReply], bool] = is_event_stream,
    ) -> StreamedReply | Reply:
        """A stream, or the whole of what came instead."""
        limit = limit_of(timeout)
        try:
            credential = self._credential(call, limit)
            with fail_after(limit):
                response = self._transmit(call, timeout, limit, credential)
                # A proxy may answer the request for a stream with a page of its own.
                if is_expected(response):
                    is_opening = isinstance(timeout, OpeningTimeout)
                    return StreamedReply(response, limit, is_opening=is_opening)
                with closing(response):
                    return read_reply(response, limit)
        except Exception:
            with mapped_errors(partial(self._proxy, call)):
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

    def open_socket(
        self, url: str, call: Call, settings: SocketSettings, limit: TimeLimit
    ) -> WebSocket | Reply:
        """A WebSocket with the headers of a call, or the reply that refuses it.

        Raises:
            APIConnectionError: nothing answered, or not in time.
            CredentialError: no token could be fetched.
        """
        credential = None
        if CREDENTIAL_HEADERS.isdisjoint(call.request.headers):
            credential = self._credentials.of_sockets().header(seconds_of(limit))
        headers = handshake_headers(build_headers(call, credential))
        target = merge_query(url, call.request.url)
        return open_websocket(target, headers, self._network(url), settings, limit)

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

    def _credential(self, call: Call, limit: TimeLimit) -> tuple[str, str] | None:
        if not CREDENTIAL_HEADERS.isdisjoint(call.request.headers):
            return None
        # A key is always the same; only a token may have to be waited for.
        return self._credentials.fixed or self._credentials.header(seconds_of(limit))

    def _transmit(
        self,
        call: Call,
        timeout: Timeout,
        limit: TimeLimit,
        credential: tuple[str, str] | None,
        sent: SentContent | None = None,
    ) -> IncomingReply:
        """Send one attempt; the reply's body is still to be read, and the reply to be closed.

        `sent` is in place of the request's content.
        """
        headers = build_headers(call, credential)
        request = call.request if sent is None else replace(call.request, body=sent)
        if self._transport is not None:
            return self._transport.send(request, headers, timeout, limit)
        # The client of the caller has proxies, certificates and hooks of its own.
        assert self._http_client is not None
        return send_through(self._http_client, request, headers, timeout, limit)


def _is_success(response: IncomingReply) -> bool:
    return response.is_success
