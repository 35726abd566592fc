"""One request from its arrival to the end of its reply."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from azure_responses.call_options import new_call_id
from azure_responses.errors import AzureResponsesError
from azure_responses.event_loop import COMPUTER
from azure_responses.gateway.admission import Admitted
from azure_responses.gateway.allowed_routes import check_routes
from azure_responses.gateway.asgi_reply import TURN, ErrorResponse, Receive, Scope, Send
from azure_responses.gateway.body_reader import (
    LARGE,
    SHORT,
    CallerLeft,
    Computer,
    Refused,
    check_json,
    read_body,
)
from azure_responses.gateway.caller_watch import CallerWatch
from azure_responses.gateway.error_tracebacks import clear_tracebacks
from azure_responses.gateway.key_table import ANYONE, ApiCaller
from azure_responses.gateway.open_response import OpenResponse, is_unfinished
from azure_responses.gateway.reply_sender import ReplySender
from azure_responses.gateway.request_headers import call_id_in, continued_trace, read_headers
from azure_responses.gateway.response_waiters import wait_asked_for
from azure_responses.gateway.upload import PieceReader, ReceivedUpload
from azure_responses.gateway.upload_request import UploadRequest
from azure_responses.openai_server import ApiReply, ApiRequest, CallSummary
from azure_responses.openai_server.replies import refusal
from azure_responses.openai_server.route import ServedRoute, find_route
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.protocol.form_reader import is_multipart
from azure_responses.protocol.object_table import EVERY_OPERATION
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.routing.deployment import Deployment

if TYPE_CHECKING:
    from azure_responses.gateway.gateway import Gateway

__all__ = ["RequestHandler"]

# What a value takes in memory once it is read, at least.
_BYTES_PER_VALUE = 64


class RequestHandler:
    """Answers one request, and is made for it.

    1. The caller is authenticated by the headers, and the routes of the gateway and of the key are
       checked: what is answered further on, by whatever part, is allowed.
    2. The body is read and measured, before the request takes one of the places for calls: callers
       who send slowly must not keep others from theirs. A form with files takes one of the places
       for uploads instead, and of its body the first fields are read.
    3. The request takes a place, or waits for one.
    4. A request about batches or files is counted against the limits of its key. What the gateway
       itself keeps or executes is answered and recorded; the rest is for the router.
    5. The request is read as a call. Admission checks it against the limits and the budget of its
       key.
    6. The router makes the call, and the reply is sent.
    7. The call is recorded, and what was reserved for it is settled.
    """

    def __init__(self, gateway: "Gateway", scope: Scope, receive: Receive, send: Send) -> None:
        self._gateway = gateway
        self._scope = scope
        self._receive = receive
        self._began = time.perf_counter()
        self._headers = read_headers(scope)
        self._query = scope["query_string"].decode("latin-1")
        self._route = self._find_route()
        self._call_id = call_id_in(self._headers) or new_call_id()
        self._watch = CallerWatch(scope)
        self._replies = ReplySender(gateway, scope, send, self._headers, self._call_id, self._watch)
        self._body_owner = ""
        self._body_bytes = 0
        # What the call holds: its place, and the bytes of its body.
        self._held = ExitStack()
        self._is_in_background = False
        # The record of a response that continues after its reply.
        self._opened: OpenResponse | None = None
        self._caller: ApiCaller = ANYONE
        self._admitted: Admitted | None = None
        self._is_counted = False

    async def run(self) -> None:
        """Answer the request, or stop when its caller has left."""
        gateway, task = self._gateway, self._watch.task
        assert task is not None
        if gateway.shutdown.is_draining:
            await self._replies.send_error(gateway.shutdown.refusal)
            return
        gateway.shutdown.tasks.add(task)
        try:
            await self._answer()
        except Refused as refused:
            await self._replies.send_error(refused.error)
        except CallerLeft:
            pass
        except asyncio.CancelledError:
            if not (self._watch.has_left or gateway.shutdown.is_cut):
                raise
            # We cancelled the task ourselves, to end the call; the server must not notice.
            task.uncancel()
        finally:
            self._watch.end()
            gateway.shutdown.tasks.discard(task)

    async def _answer(self) -> None:
        gateway = self._gateway
        caller = gateway.access.authenticate(self._headers, time.time())
        if isinstance(caller, ErrorResponse):
            caller = await gateway.authenticate_again(self._headers, caller)
        if isinstance(caller, ErrorResponse):
            raise Refused(caller)
        self._caller, self._body_owner = caller, caller.key_id
        row = None if self._route is None else self._route.row
        if row is not None:
            error = check_routes(gateway.settings.allowed_routes, caller.allowed_routes, row)
            if error is not None:
                raise Refused(error)
        takes_form = (
            row is not None and row.is_form and is_multipart(self._headers.get("content-type", ""))
        )
        with self._held as held:
            held.callback(self._give_back_body)
            if takes_form and row is not None and row.collection:
                await self._answer_upload(row)
            else:
                await self._answer_body(takes_form)

    async def _answer_body(self, takes_form: bool) -> None:
        """Answer a request whose body is held as a whole."""
        gateway, held = self._gateway, self._held
        concurrency, limit = gateway.concurrency, gateway.settings.max_body_bytes
        if concurrency.in_progress >= concurrency.most and (full := concurrency.refusal):
            # Its body need not be read.
            raise Refused(full)
        body = await read_body(
            self._receive, self._headers, limit, self._count_body, takes_form=takes_form
        )
        if takes_form:
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
        await self._serve(body, computer)

    async def _answer_upload(self, row: APIOperation) -> None:
        """Answer a form with files. It takes a place of its own kind, as long as it arrives.

        Slow uploads must not take the places of other calls.
        """
        gateway, held = self._gateway, self._held
        if not gateway.uploads.enter():
            error = await gateway.uploads.wait()
            if error is not None:
                raise Refused(error)
        held.callback(gateway.uploads.leave)
        asked = UploadRequest(gateway, self._caller, row, self._query, self._headers)
        pieces = PieceReader(self._receive, self._headers, *asked.limit)
        self._replies.pieces = pieces
        pieces.check()
        upload = ReceivedUpload(pieces, self._headers["content-type"], self._count_body)
        held.callback(upload.close)
        await upload.read_head(asked.is_decided)
        COMPUTER.set(None)
        await self._serve(b"", None, upload)

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
        if len(body) < LARGE:
            values = check_json(body, most)
        else:
            values = await asyncio.to_thread(check_json, body, most)
        computer = gateway.worker_threads.choose(values, len(body))
        if computer is not None:
            self._count_body(values * _BYTES_PER_VALUE)
        return computer

    async def _serve(
        self, body: bytes, computer: Computer | None, form: ReceivedUpload | None = None
    ) -> None:
        request, gateway, route = self._request(body, form), self._gateway, self._route
        if route is not None and gateway.batch_api.may_answer(route.row):
            await self._admit_object(route.row)
            if await self._answer_here(request, route, form):
                return
        read = partial(gateway.server.read, request)
        try:
            call = read() if computer is None else await computer(read)
        except AzureResponsesError as error:
            if self._admitted is not None:
                gateway.admission.refund(self._admitted)
            reply = refusal(request, error)
            gateway.metrics.refuse(reply.status)
            await self._replies.send(reply)
            clear_tracebacks([reply.summary.error])
            return
        await self._perform(call)

    async def _answer_here(
        self, request: ApiRequest, route: ServedRoute, form: ReceivedUpload | None
    ) -> bool:
        """Answer about a batch or a file that the gateway keeps; False leaves it to the router."""
        summary = CallSummary(self._call_id, route.operation, owner=self._caller.owner)
        summary.started_at, is_answered = time.time(), True
        try:
            reply = await self._gateway.batch_api.answer(
                self._caller, request, route, form, summary
            )
            is_answered = reply is not None
            if reply is not None:
                summary = reply.summary
                await self._replies.send(reply)
        except Refused as refused:
            summary.status = refused.error.status
            raise
        except (CallerLeft, asyncio.CancelledError):
            summary.is_abandoned = True
            raise
        finally:
            if is_answered:
                summary.latency = time.perf_counter() - self._began
                self._gateway.record(self._caller, summary)
                if self._admitted is not None:
                    self._gateway.admission.settle(self._admitted, tokens=0)
        return is_answered

    async def _perform(self, call: ServedRequest) -> None:
        """Admit a call, make it and record it."""
        gateway, pieces = self._gateway, self._replies.pieces
        self._watch.begin(self._receive if pieces is None or pieces.is_over else None)
        await self._admit(call)
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

    async def _admit(self, call: ServedRequest) -> None:
        """Raises Refused for a call that the limits or the budget of the key do not allow now."""
        row = call.route.row
        if row.collection:
            await self._admit_object(row)
        elif row.needs_model:
            admitted = await self._gateway.admission_queue.admit(self._caller, call)
            if isinstance(admitted, ErrorResponse):
                raise Refused(admitted)
            self._admitted = admitted

    async def _admit_object(self, row: APIOperation) -> None:
        """Count a request about a stored object, once; raises Refused as `_admit` does."""
        if self._is_counted:
            return
        admitted = await self._gateway.admission_queue.admit_object(self._caller, row)
        if isinstance(admitted, ErrorResponse):
            raise Refused(admitted)
        self._admitted, self._is_counted = admitted, True

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
                await self._replies.send_stream(call, self._reply_to)
            else:
                await self._replies.send(await self._reply_to(call))

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
        self._watch.is_over = True
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
        self._watch.is_over = False
        return reply

    @property
    def _path(self) -> str:
        # Ids in the path may hold encoded slashes, which `path` has decoded.
        raw: bytes = self._scope.get("raw_path") or self._scope["path"].encode()
        return raw.partition(b"?")[0].decode("latin-1")

    def _find_route(self) -> ServedRoute | None:
        """What the request asks for; None where no route is like it, which `read` refuses."""
        try:
            return find_route(self._scope["method"], self._path)
        except AzureResponsesError:
            return None

    def _request(self, body: bytes, form: ReceivedUpload | None) -> ApiRequest:
        caller = self._caller
        return ApiRequest(
            self._scope["method"],
            self._path,
            self._query,
            self._headers,
            body,
            caller.owner,
            self._call_id,
            caller.may_call,
            is_operator=False,
            form=form,
            turn=self._scope.get(TURN),
        )
