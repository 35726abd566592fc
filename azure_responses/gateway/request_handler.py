"""One request from its arrival to the end of its reply."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from azure_responses.errors import AzureResponsesError
from azure_responses.event_loop import COMPUTER, compute
from azure_responses.gateway.admission import Admitted
from azure_responses.gateway.asgi_reply import (
    DISCONNECT,
    REPLY_BEGUN,
    Disconnect,
    EventStream,
    Header,
    Receive,
    Scope,
    Send,
    send_error,
    send_reply,
)
from azure_responses.gateway.body_reader import SHORT, CallerLeft, Refused, check_json, read_body
from azure_responses.gateway.error_response import ErrorResponse
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server import ApiRequest, CallSummary
from azure_responses.openai_server.closing_events import closing_events
from azure_responses.openai_server.replies import refusal
from azure_responses.openai_server.reply_headers import STREAM
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.protocol.operation_table import OPERATIONS

if TYPE_CHECKING:
    from azure_responses.gateway.gateway import Gateway

__all__ = ["RequestHandler", "clear_tracebacks", "read_headers"]

# How long a caller may leave what was sent to them unread.
_WRITE_PATIENCE = 60.0
_LONGEST_ID = 128
_LARGE_BODY = 256 * 1024
# What a value takes in memory once it is read, at least.
_BYTES_PER_VALUE = 64


class RequestHandler:
    """Answers one request; made for it and thrown away."""

    def __init__(self, gateway: "Gateway", scope: Scope, receive: Receive, send: Send) -> None:
        self._gateway = gateway
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began = time.perf_counter()
        self._headers = read_headers(scope)
        self._call_id = self._read_call_id()
        self._task = asyncio.current_task()
        self._disconnect: Disconnect | None = scope.get(DISCONNECT)
        self._watch: asyncio.Task[Any] | None = None
        self._has_left = False
        self._is_over = False

    async def run(self) -> None:
        """Answer it, or notice that nobody wants the answer any more."""
        gateway, task = self._gateway, self._task
        assert task is not None
        if gateway.shutdown.is_draining:
            await self._send_error(gateway.shutdown.refusal)
            return
        gateway.shutdown.enter(task)
        try:
            await self._answer()
        except Refused as refused:
            await self._send_error(refused.error)
        except CallerLeft:
            pass
        except asyncio.CancelledError:
            if not (self._has_left or gateway.shutdown.is_cut):
                raise
            task.uncancel()
        finally:
            self._is_over = True
            self._stop_watching()
            gateway.shutdown.leave(task)

    async def _answer(self) -> None:
        gateway = self._gateway
        caller = await gateway.authenticate(self._headers)
        if isinstance(caller, ErrorResponse):
            raise Refused(caller)
        # Read before it has a place: callers who send slowly must not keep others from theirs.
        held, key_id = 0, caller.key_id

        def take(size: int) -> None:
            nonlocal held
            gateway.bodies.take(key_id, size)
            held += size

        limit = gateway.settings.max_body_bytes
        try:
            refusal = gateway.concurrency.refusal
            if refusal is not None:
                raise Refused(refusal)
            body = await read_body(self._receive, self._headers, limit, take)
            await self._weigh(body, take)
            await self._take_place(caller, body)
        finally:
            if held:
                gateway.bodies.give_back(key_id, held)

    async def _weigh(self, body: bytes, take: Callable[[int], None]) -> None:
        """Say where the body is worked on, by how much it holds."""
        computer = None
        if len(body) > SHORT:
            gateway, most = self._gateway, self._gateway.settings.max_body_values
            if len(body) < _LARGE_BODY:
                values = check_json(body, most)
            else:
                values = await asyncio.to_thread(check_json, body, most)
            computer = gateway.worker_threads.choose(values, len(body))
            if computer is not None:
                take(values * _BYTES_PER_VALUE)
        # What is set stays so for requests that come later on the same connection.
        COMPUTER.set(computer)

    async def _take_place(self, caller: ApiCaller, body: bytes) -> None:
        limit = self._gateway.concurrency
        if not limit.enter():
            error = await limit.wait()
            if error is not None:
                raise Refused(error)
        try:
            await self._serve(caller, body)
        finally:
            limit.leave()

    async def _serve(self, caller: ApiCaller, body: bytes) -> None:
        request = self._request(caller, body)
        try:
            call = await compute(self._gateway.server.read, request)
        except AzureResponsesError as error:
            reply = refusal(request, error)
            self._gateway.metrics.refuse(reply.status)
            assert isinstance(reply.body, bytes)
            await send_reply(self._send, reply.status, self._named(reply.headers), reply.body)
            clear_tracebacks([reply.summary.error])
            return
        self._watch_caller()
        admitted = await self._admit(caller, call)
        try:
            await self._make(call)
        finally:
            call.summary.latency = time.perf_counter() - self._began
            self._settle(caller, call, admitted)
            clear_tracebacks([call.summary.error, *call.failures])

    def _settle(self, caller: ApiCaller, call: ServedRequest, admitted: Admitted | None) -> None:
        summary, admission = call.summary, self._gateway.admission
        tokens = summary.total_tokens
        held = 0
        if admitted is not None and admitted.hold is not None and _is_open(summary, tokens):
            held = admitted.hold.amount
        self._gateway.record(caller, summary, held=held)
        if admitted is None:
            return
        if caller.has_limits or caller.budget is not None:
            self._gateway.estimates.learn(caller, call, time.monotonic())
        if not summary.attempts:
            admission.refund(admitted)
        elif tokens is None and summary.status >= 400:
            # It was sent, so it is one of the requests the key may make; it used no tokens.
            admission.settle(admitted, tokens=0)
        else:
            admission.settle(admitted, tokens=tokens)

    async def _admit(self, caller: ApiCaller, call: ServedRequest) -> Admitted | None:
        if not OPERATIONS[call.operation].needs_model:
            return None
        admitted = await self._gateway.admission_queue.admit(caller, call)
        if isinstance(admitted, ErrorResponse):
            raise Refused(admitted)
        return admitted

    async def _make(self, call: ServedRequest) -> None:
        with continued_trace(self._headers):
            if call.is_stream:
                await self._make_stream(call)
                return
            reply = await self._gateway.server.answer(call)
        assert isinstance(reply.body, bytes)
        self._finish()
        await send_reply(self._send, reply.status, self._named(reply.headers), reply.body)

    async def _make_stream(self, call: ServedRequest) -> None:
        stream = EventStream(
            self._send,
            [*STREAM, (b"x-litellm-call-id", self._call_id.encode())],
            keepalive=self._gateway.settings.keepalive_seconds,
            patience=_WRITE_PATIENCE,
            stop=self._stop,
        )
        try:
            reply = await self._gateway.server.answer(call)
            if isinstance(reply.body, bytes):
                await self._end_early(stream, call, reply.status, reply.headers, reply.body)
            else:
                await self._pass_on(stream, reply.headers, reply.body)
        except asyncio.CancelledError:
            call.summary.is_abandoned = True
            await self._say_goodbye(stream, call)
            raise
        finally:
            self._scope[REPLY_BEGUN] = stream.has_begun
            await stream.close()

    async def _pass_on(self, stream: EventStream, headers: list[Header], events: Any) -> None:
        try:
            await stream.begin(self._named(headers))
            async for piece in events:
                await stream.write(piece)
        finally:
            await events.aclose()
        self._finish()
        await stream.end()

    async def _end_early(
        self,
        stream: EventStream,
        call: ServedRequest,
        status: int,
        headers: list[Header],
        body: bytes,
    ) -> None:
        """Nothing came of a stream: say so by a status, or in events if it was begun already."""
        if not stream.has_begun:
            await stream.close()
            self._finish()
            await send_reply(self._send, status, self._named(headers), body)
            return
        assert call.summary.error is not None
        await stream.write(closing_events(call, call.summary.error))
        self._finish()
        await stream.end()

    async def _say_goodbye(self, stream: EventStream, call: ServedRequest) -> None:
        """The time for draining is over: whoever still listens is told why the stream ends."""
        if self._gateway.shutdown.is_cut and not self._has_left and stream.has_begun:
            self._finish()
            await stream.write(closing_events(call, self._gateway.shutdown.error))
            await stream.end()

    async def _send_error(self, error: ErrorResponse) -> None:
        self._finish()
        self._gateway.metrics.refuse(error.status)
        await send_error(self._send, error, self._call_id)

    def _finish(self) -> None:
        """The last of the reply is about to be sent: whoever leaves from now on has had it."""
        self._is_over = True
        self._scope[REPLY_BEGUN] = True

    def _watch_caller(self) -> None:
        """Have the call stopped when nobody waits for its answer any more."""
        if self._disconnect is not None:
            self._disconnect.watch(self._note_leaving)
        else:
            # Another server than our own.
            self._watch = asyncio.ensure_future(self._receive())
            self._watch.add_done_callback(self._note_message)

    def _stop_watching(self) -> None:
        if self._disconnect is not None:
            self._disconnect.forget(self._note_leaving)
        if self._watch is not None:
            self._watch.cancel()

    def _note_message(self, watch: "asyncio.Task[Any]") -> None:
        if not watch.cancelled():
            self._note_leaving()

    def _note_leaving(self) -> None:
        if not self._is_over:
            self._stop()

    def _stop(self) -> None:
        """Nobody listens any more."""
        self._has_left = True
        assert self._task is not None
        self._task.cancel()

    def _request(self, caller: ApiCaller, body: bytes) -> ApiRequest:
        scope = self._scope
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        return ApiRequest(
            scope["method"],
            raw.partition(b"?")[0].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            self._headers,
            body,
            caller.owner,
            self._call_id,
            caller.may_call,
            is_operator=False,
        )

    def _named(self, headers: list[Header]) -> list[Header]:
        """The headers with a request id, Azure's where there is one."""
        if not any(name == b"x-request-id" for name, _ in headers):
            headers.append((b"x-request-id", self._call_id.encode()))
        return headers

    def _read_call_id(self) -> str:
        given = self._headers.get("x-litellm-call-id") or self._headers.get("x-request-id")
        if given and len(given) <= _LONGEST_ID and given.isascii() and given.isprintable():
            return given
        return self._gateway.new_call_id()


def read_headers(scope: Scope) -> dict[str, str]:
    """The headers of a request, names in lower case; the first of each name counts."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return headers


def clear_tracebacks(errors: Iterable[BaseException | None]) -> None:
    """Take the frames off errors that nobody will look into any more.

    They hold what was worked on, the body of the request and the error itself among it: a circle
    that would keep tens of megabytes until garbage is collected, which few objects make come.
    """
    pending, known = list(errors), set[int]()
    while pending:
        error = pending.pop()
        # One that is raised from itself is its own cause.
        if error is not None and id(error) not in known:
            known.add(id(error))
            error.__traceback__ = None
            pending += [error.__cause__, error.__context__]


def _is_open(summary: CallSummary, tokens: int | None) -> bool:
    """True for a call that has used what nobody will say: its caller left, or it goes on.

    What was put aside for it stays spent. Otherwise who leaves early enough spends nothing.
    """
    if tokens is not None or not summary.attempts:
        return False
    return summary.is_abandoned or (summary.error is None and summary.status < 400)


class continued_trace:
    """Inside, what is traced belongs to the trace that the caller's headers name."""

    __slots__ = ("_headers", "_token")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._token: Any = None

    def __enter__(self) -> None:
        # A program that never imported opentelemetry has nobody to tell.
        if "traceparent" in self._headers and "opentelemetry" in sys.modules:
            from opentelemetry import context, propagate

            self._token = context.attach(propagate.extract(dict(self._headers)))

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            from opentelemetry import context

            context.detach(self._token)
