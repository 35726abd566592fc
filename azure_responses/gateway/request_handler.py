"""One request from its arrival to the end of its reply."""

import asyncio
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, aclosing
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from azure_responses.call_options import new_call_id
from azure_responses.errors import AzureResponsesError
from azure_responses.event_loop import COMPUTER
from azure_responses.gateway.admission import Admitted
from azure_responses.gateway.allowed_routes import check_route
from azure_responses.gateway.asgi_reply import (
    DISCONNECT,
    REPLY_BEGUN,
    Disconnect,
    ErrorResponse,
    EventStream,
    Header,
    Receive,
    Scope,
    Send,
    send_error,
)
from azure_responses.gateway.batch_api import concerns
from azure_responses.gateway.body_reader import (
    SHORT,
    CallerLeft,
    Computer,
    Refused,
    check_json,
    read_body,
)
from azure_responses.gateway.call_log import LOGGER
from azure_responses.gateway.key_table import ANYONE, ApiCaller
from azure_responses.gateway.open_response import OpenResponse, is_unfinished
from azure_responses.gateway.response_waiters import wait_asked_for
from azure_responses.gateway.upload import PieceReader, Upload
from azure_responses.openai_server import ApiReply, ApiRequest
from azure_responses.openai_server.error_body import closing_events
from azure_responses.openai_server.replies import STREAM, refusal
from azure_responses.openai_server.route import expects_anthropic, find_route
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.protocol.form_reader import is_multipart
from azure_responses.protocol.object_table import EVERY_OPERATION
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.routing.asked_object import named_model
from azure_responses.routing.deployment import Deployment

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
    """Answers one request, and is made for it.

    1. The caller is authenticated by the headers.
    2. The body is read and measured, before the request takes one of the places for calls: callers
       who send slowly must not keep others from theirs.
    3. The request takes a place, or waits for one.
    4. It is read as a call. Admission checks it against the limits and the budget of its key.
    5. The router makes the call, and the reply is sent.
    6. The call is recorded, and what was reserved for it is settled.
    """

    def __init__(self, gateway: "Gateway", scope: Scope, receive: Receive, send: Send) -> None:
        self._gateway = gateway
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began = time.perf_counter()
        self._headers = read_headers(scope)
        self._call_id = _call_id_in(self._headers) or new_call_id()
        self._task = asyncio.current_task()
        # A server other than our own has none; then a task waits for its message.
        self._disconnect: Disconnect | None = scope.get(DISCONNECT)
        self._watch: asyncio.Task[Any] | None = None
        self._body_owner = ""
        self._body_bytes = 0
        self._pieces: PieceReader | None = None
        # What the call holds: its place, and the bytes of its body.
        self._held = ExitStack()
        self._has_left = False
        self._is_over = False
        self._is_in_background = False
        # The record of a response that continues after its reply.
        self._opened: OpenResponse | None = None
        self._caller: ApiCaller = ANYONE
        self._admitted: Admitted | None = None

    async def run(self) -> None:
        """Answer the request, or stop when its caller has left."""
        gateway, task = self._gateway, self._task
        assert task is not None
        if gateway.shutdown.is_draining:
            await self._send_error(gateway.shutdown.refusal)
            return
        gateway.shutdown.tasks.add(task)
        try:
            await self._answer()
        except Refused as refused:
            await self._send_error(refused.error)
        except CallerLeft:
            pass
        except asyncio.CancelledError:
            if not (self._has_left or gateway.shutdown.is_cut):
                raise
            # We cancelled the task ourselves, to end the call; the server must not notice.
            task.uncancel()
        finally:
            self._is_over = True
            self._stop_watching()
            gateway.shutdown.tasks.discard(task)

    async def _answer(self) -> None:
        gateway = self._gateway
        caller = gateway.access.authenticate(self._headers, time.time())
        if isinstance(caller, ErrorResponse):
            caller = await gateway.authenticate_again(self._headers, caller)
        if isinstance(caller, ErrorResponse):
            raise Refused(caller)
        row = self._form_row()
        if row is not None and row.collection:
            await self._answer_upload(caller, row)
            return
        concurrency, limit = gateway.concurrency, gateway.settings.max_body_bytes
        if concurrency.in_progress >= concurrency.most and (full := concurrency.refusal):
            # Its body need not be read.
            raise Refused(full)
        self._body_owner = caller.key_id
        with self._held as held:
            held.callback(self._give_back_body)
            body = await read_body(
                self._receive,
                self._headers,
                limit,
                self._count_body,
                takes_form=row is not None,
            )
            if row is not None:
                computer = gateway.worker_threads.choose(0, len(body))
            else:
                computer = None if len(body) <= SHORT else await self._measure(body)
            # Set for each request: the context may be that of an earlier one on the connection.
            COMPUTER.set(computer)
            if not concurrency.enter():
                error = await concurrency.wait()
                if error is not None:
                    raise Refused(error)
            held.callback(concurrency.leave)
            await self._serve(caller, body, computer)

    def _form_row(self) -> APIOperation | None:
        """The operation of a request whose body is a multipart form; None for any other."""
        content_type = self._headers.get("content-type")
        if content_type is None or not is_multipart(content_type):
            return None
        try:
            row = find_route(self._scope["method"], self._path).row
        except AzureResponsesError:
            return None
        return row if row.is_form else None

    async def _answer_upload(self, caller: ApiCaller, row: APIOperation) -> None:
        """Answer a form with files. It takes a place of its own kind, as long as it arrives.

        Slow uploads must not take the places of other calls.
        """
        gateway = self._gateway
        self._body_owner = caller.key_id
        with self._held as held:
            held.callback(self._give_back_body)
            if not gateway.uploads.enter():
                error = await gateway.uploads.wait()
                if error is not None:
                    raise Refused(error)
            held.callback(gateway.uploads.leave)
            self._pieces = pieces = PieceReader(
                self._receive, self._headers, *self._upload_limit(caller)
            )
            pieces.check()
            upload = Upload(pieces, self._headers["content-type"], self._count_body)
            held.callback(upload.close)
            await upload.read_head(partial(self._is_decided, caller, row))
            COMPUTER.set(None)
            if row.name == "files.create" and gateway.batch_api.takes_form(upload.values):
                self._check_routes(caller, row)
                await self._upload_batch(caller, upload)
            else:
                await self._serve(caller, b"", None, upload)

    async def _upload_batch(self, caller: ApiCaller, upload: Upload) -> None:
        """Receive an input file of a batch, whose lines are read and rewritten."""
        async with aclosing(upload.file()) as content:
            reply = await self._gateway.batch_api.upload(
                caller, self._request(caller, b"", upload), content, upload.filename, upload.values
            )
        await self._send_object(reply)

    def _upload_limit(self, caller: ApiCaller) -> tuple[int, str]:
        """The longest form that a caller may send, and where that is set."""
        limit, own = self._gateway.settings.max_upload_bytes, caller.max_upload_bytes
        if own is not None and own < limit:
            return own, "max_upload_bytes of this API key"
        return limit, "general_settings.max_upload_bytes"

    def _is_decided(self, caller: ApiCaller, row: APIOperation, values: Mapping[str, str]) -> bool:
        """True if the first fields of a form, or the rest of the request, name the resource."""
        if row.name == "files.create" and "purpose" not in values:
            return False
        if row.name == "files.create" and self._gateway.batch_api.takes_form(values):
            return True
        query = dict(parse_qsl(self._scope["query_string"].decode("latin-1")))
        if row.variables or named_model(values, query, self._headers) is not None:
            return True
        places = self._gateway.router.parts.reader.objects.places
        return len(places.resources(caller.may_call)) <= 1

    def _give_back_body(self) -> None:
        if self._body_bytes:
            self._gateway.bodies.give_back(self._body_owner, self._body_bytes)

    def _count_body(self, size: int) -> None:
        """Count bytes that are held for the body; raises Refused where there is no room."""
        self._gateway.bodies.take(self._body_owner, size)
        self._body_bytes += size

    async def _measure(self, body: bytes) -> Computer | None:
        """Where a body is worked on, by how much it holds; None is the event loop's thread."""
        gateway, most = self._gateway, self._gateway.settings.max_body_values
        if len(body) < _LARGE_BODY:
            values = check_json(body, most)
        else:
            values = await asyncio.to_thread(check_json, body, most)
        computer = gateway.worker_threads.choose(values, len(body))
        if computer is not None:
            self._count_body(values * _BYTES_PER_VALUE)
        return computer

    async def _serve(
        self,
        caller: ApiCaller,
        body: bytes,
        computer: Computer | None,
        form: Upload | None = None,
    ) -> None:
        request, gateway = self._request(caller, body, form), self._gateway
        if concerns(request.path):
            reply = await gateway.batch_api.answer(caller, request)
            if reply is not None:
                await self._send_object(reply)
                reply.summary.latency = time.perf_counter() - self._began
                gateway.record(caller, reply.summary)
                return
        read = partial(gateway.server.read, request)
        try:
            call = read() if computer is None else await computer(read)
        except AzureResponsesError as error:
            reply = refusal(request, error)
            gateway.metrics.refuse(reply.status)
            await self._send_reply(reply.status, reply.headers, reply.body)
            clear_tracebacks([reply.summary.error])
            return
        await self._perform(caller, call)

    async def _perform(self, caller: ApiCaller, call: ServedRequest) -> None:
        """Admit a call, make it and record it."""
        gateway = self._gateway
        self._watch_caller()
        self._caller = caller
        await self._admit(caller, call)
        await gateway.background_calls.stop(call)
        if call.operation == "delete":
            await gateway.background_prices.before_deletion(call)
        if call.operation == "retrieve" and "prefer" in self._headers and not call.is_stream:
            seconds = wait_asked_for(self._headers)
            await gateway.background_prices.wait_for_end(call, seconds)
        try:
            await self._make(call)
        except Refused as refused:
            # In the middle of an upload.
            call.summary.status = refused.error.status
            raise
        except CallerLeft:
            call.summary.is_abandoned = True
            raise
        finally:
            if not self._is_in_background:
                self._conclude(call)

    async def _admit(self, caller: ApiCaller, call: ServedRequest) -> None:
        """Raises Refused for a call that the gateway, or the caller's key, does not allow now."""
        row, queue = call.route.row, self._gateway.admission_queue
        self._check_routes(caller, row)
        admitted: Admitted | ErrorResponse | None = None
        if row.needs_model:
            admitted = await queue.admit(caller, call)
        elif row.collection:
            admitted = await queue.admit_object(caller, call)
        if isinstance(admitted, ErrorResponse):
            raise Refused(admitted)
        self._admitted = admitted

    def _check_routes(self, caller: ApiCaller, row: APIOperation) -> None:
        error = check_route(self._gateway.settings.allowed_routes, row, "This gateway")
        error = error or check_route(caller.allowed_routes, row, "This API key")
        if error is not None:
            raise Refused(error)

    async def _open(
        self,
        call: ServedRequest,
        response: Mapping[str, Any] | None,
        deployment: Deployment | None = None,
    ) -> None:
        """Keep the record of a response that continues: its cost is known at its end."""
        is_background = call.body.get("background") is True and call.summary.is_billed
        if not is_background or response is None or not is_unfinished(response):
            return
        admitted = self._admitted
        held = 0 if admitted is None or admitted.hold is None else admitted.hold.amount
        self._opened = await self._gateway.background_prices.open(
            self._caller,
            call.summary,
            response,
            deployment=deployment,
            held=held,
            is_local=deployment is not None,
        )
        if admitted is not None and self._opened is not None:
            self._admitted = self._gateway.admission.release_hold(admitted)

    def _conclude(self, call: ServedRequest) -> None:
        """The call has ended: record and settle it."""
        call.summary.latency = time.perf_counter() - self._began
        if self._opened is not None:
            # It is counted by its record.
            call.summary.is_billed = False
            self._gateway.background_prices.ended(self._opened, call.summary)
        elif EVERY_OPERATION[call.operation].is_stored:
            self._gateway.background_prices.note(call)
        self._gateway.settle(self._caller, call, self._admitted)
        clear_tracebacks([call.summary.error, *call.failures])

    async def _make(self, call: ServedRequest) -> None:
        with continued_trace(self._headers):
            if call.is_stream:
                await self._make_stream(call)
                return
            reply = await self._reply_to(call)
            await self._send_object(reply)

    async def _send_pieces(self, reply: ApiReply[Any]) -> None:
        """Send a download, or sound, as it arrives.

        Where it breaks off the connection is cut: nothing else tells the caller that it is not
        whole. The server does so when the application leaves a reply without its end.
        """
        stream = EventStream(
            self._send, (), keepalive=0.0, patience=_WRITE_PATIENCE, stop=self._stop
        )
        try:
            await self._pass_on(stream, reply.headers, reply.body)
        except AzureResponsesError as error:
            LOGGER.warning("A download was cut (call %s): %s", self._call_id, error.message)
        finally:
            self._scope[REPLY_BEGUN] = stream.has_begun
            await stream.close()

    async def _reply_to(self, call: ServedRequest) -> ApiReply[Any]:
        background = self._gateway.background_calls
        again = await background.stream_again(call)
        if again is not None:
            return again
        if background.takes(call):
            return await self._start_in_background(call)
        reply: ApiReply[Any] = await self._gateway.server.answer(call)
        # Only by that refusal may it be known which API the deployment speaks.
        if reply.status == 400 and background.takes(call):
            return await self._start_in_background(call)
        await self._open(call, call.summary.result or call.summary.begun)
        return reply

    async def _start_in_background(self, call: ServedRequest) -> ApiReply[Any]:
        """Have a task make the call, which then holds what the call holds."""
        # From here on the call does not end with its caller.
        self._is_over = True
        held = ExitStack()

        def finish(made: ServedRequest) -> None:
            with held:
                self._conclude(made)

        begin = partial(self._open, call)
        try:
            reply = await self._gateway.background_calls.start(call, begin, finish)
        except AzureResponsesError as error:
            return refusal(call.request, error, call.summary)
        held.push(self._held.pop_all())
        self._is_in_background = True
        # Who leaves a stream ends the reading of it, and not the call.
        self._is_over = False
        return reply

    async def _make_stream(self, call: ServedRequest) -> None:
        stream = EventStream(
            self._send,
            [*STREAM, (b"x-litellm-call-id", self._call_id.encode())],
            keepalive=self._gateway.settings.keepalive_seconds,
            patience=_WRITE_PATIENCE,
            stop=self._stop,
        )
        try:
            reply = await self._reply_to(call)
            if isinstance(reply.body, bytes):
                await self._end_early(stream, call, reply.status, reply.headers, reply.body)
            else:
                await self._pass_on(stream, reply.headers, reply.body)
        except asyncio.CancelledError:
            call.summary.is_abandoned = True
            await self._tell_of_shutdown(stream, call)
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
            # Closing stops what Azure is still doing for a caller who has left.
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
        """A stream ends before its first event: answer a status, or an event if it has begun."""
        if not stream.has_begun:
            await stream.close()
            await self._send_reply(status, headers, body)
            return
        assert call.summary.error is not None
        await stream.write(_closing_events(call, call.summary.error))
        self._finish()
        await stream.end()

    async def _tell_of_shutdown(self, stream: EventStream, call: ServedRequest) -> None:
        """Send a caller who still listens an event that says why the stream is cut."""
        if self._gateway.shutdown.is_cut and not self._has_left and stream.has_begun:
            self._finish()
            await stream.write(_closing_events(call, self._gateway.shutdown.error))
            await stream.end()

    async def _send_reply(self, status: int, headers: list[Header], body: Any) -> None:
        """Send a whole reply."""
        assert isinstance(body, bytes)
        self._finish()
        if self._pieces is not None and not self._pieces.is_over:
            await self._pieces.discard()
            headers.append((b"connection", b"close"))
        start = {"type": "http.response.start", "status": status, "headers": self._named(headers)}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    async def _send_object(self, reply: ApiReply[Any]) -> None:
        """Send the answer about a stored object; a download in pieces."""
        if isinstance(reply.body, bytes):
            await self._send_reply(reply.status, reply.headers, reply.body)
        else:
            await self._send_pieces(reply)

    async def _send_error(self, error: ErrorResponse) -> None:
        self._finish()
        if self._pieces is not None and not self._pieces.is_over:
            await self._pieces.discard()
        self._gateway.metrics.refuse(error.status)
        to_anthropic = expects_anthropic(self._scope["path"], self._headers)
        await send_error(self._send, error, self._call_id, to_anthropic=to_anthropic)

    def _finish(self) -> None:
        """The end of the reply is about to be sent: leaving does not stop the call any more."""
        self._is_over = True
        self._scope[REPLY_BEGUN] = True

    def _watch_caller(self) -> None:
        """Have the call stopped when its caller leaves."""
        if self._disconnect is not None:
            self._disconnect.watch(self._note_leaving)
        elif self._pieces is None or self._pieces.is_over:
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
        """Stop the call, whose caller has left."""
        self._has_left = True
        assert self._task is not None
        self._task.cancel()

    @property
    def _path(self) -> str:
        # Ids in the path may hold encoded slashes, which `path` has decoded.
        raw: bytes = self._scope.get("raw_path") or self._scope["path"].encode()
        return raw.partition(b"?")[0].decode("latin-1")

    def _request(self, caller: ApiCaller, body: bytes, form: Upload | None) -> ApiRequest:
        scope = self._scope
        return ApiRequest(
            scope["method"],
            self._path,
            scope["query_string"].decode("latin-1"),
            self._headers,
            body,
            caller.owner,
            self._call_id,
            caller.may_call,
            is_operator=False,
            form=form,
        )

    def _named(self, headers: list[Header]) -> list[Header]:
        """The headers with a request id, Azure's where there is one."""
        names = {name for name, _ in headers}
        if b"x-request-id" not in names:
            headers.append((b"x-request-id", self._call_id.encode()))
        # What Anthropic's clients read.
        if b"request-id" not in names and expects_anthropic(self._scope["path"], self._headers):
            headers.append((b"request-id", self._call_id.encode()))
        return headers


def read_headers(scope: Scope) -> dict[str, str]:
    """The headers of a request, names in lower case; the first of each name counts."""
    # In reverse, so that the first is written last.
    pairs = reversed(scope["headers"])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


def _call_id_in(headers: Mapping[str, str]) -> str | None:
    """The id that the caller has given the call; None without one that a log can show."""
    given = headers.get("x-litellm-call-id") or headers.get("x-request-id")
    if given and len(given) <= _LONGEST_ID and given.isascii() and given.isprintable():
        return given
    return None


def clear_tracebacks(errors: Iterable[BaseException | None]) -> None:
    """Remove the tracebacks of errors that have been answered, and of their causes.

    Their frames refer to what was worked on, the body of the request and the error itself among it:
    a cycle of references that keeps tens of megabytes until the next garbage collection, which is
    rare because such a cycle has few objects.
    """
    pending, known = list(errors), set[int]()
    while pending:
        error = pending.pop()
        # One that is raised from itself is its own cause.
        if error is not None and id(error) not in known:
            known.add(id(error))
            error.__traceback__ = None
            pending += [error.__cause__, error.__context__]


class continued_trace:
    """Within it, spans belong to the trace that the caller's headers name."""

    __slots__ = ("_headers", "_token")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._token: Any = None

    def __enter__(self) -> None:
        # Imported only where the program uses it: otherwise no tracer is set up.
        if "traceparent" in self._headers and "opentelemetry" in sys.modules:
            from opentelemetry import context, propagate

            self._token = context.attach(propagate.extract(dict(self._headers)))

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            from opentelemetry import context

            context.detach(self._token)


def _closing_events(call: ServedRequest, error: BaseException) -> bytes:
    return closing_events(call.operation, call.summary.last_sequence_number, error)
