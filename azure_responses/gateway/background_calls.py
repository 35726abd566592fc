"""Background responses of deployments that speak chat completions or Messages.

Such a deployment answers while its caller waits, and stores nothing. So a task of the gateway waits
in the caller's place, and the response is in the store of our own responses from its beginning.

| state of the response | event | next state |
|---|---|---|
| in_progress | the deployment answers | completed, incomplete or failed |
| in_progress | it is cancelled in this process | cancelled; the task is stopped |
| in_progress | it is cancelled in another process | cancelled; the task finds that in the store |
| in_progress | it is deleted | gone; the task is stopped in the same way |
| in_progress | the process ends before the answer | failed |
| in_progress | the process is lost | failed, once its deadline has passed |
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json

from azure_responses._async.response_store import AsyncMemoryResponseStore
from azure_responses.bridge.input_items import read_input
from azure_responses.bridge.response_object import begin_response
from azure_responses.call_options import new_bridged_id
from azure_responses.errors import AzureResponsesError
from azure_responses.gateway.event_log import EventLog, event_frame
from azure_responses.gateway.graceful_shutdown import GracefulShutdown
from azure_responses.openai_server import ApiReply, AsyncOpenAIServer
from azure_responses.openai_server.exchange import AsyncStreamBody
from azure_responses.openai_server.replies import event_reply, json_reply
from azure_responses.openai_server.request_json import invalid_request, read_object
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.protocol.call_conversion import is_stored_here
from azure_responses.protocol.stored_response import StoredResponse
from azure_responses.router import Router
from azure_responses.router.upstream_reply import to_bytes
from azure_responses.routing.deployment import Deployment
from azure_responses.timeouts import patience_of

__all__ = ["BackgroundCalls"]

LOGGER = logging.getLogger("azure_responses.gateway")

Begin = Callable[[Mapping[str, Any], Deployment], Awaitable[None]]

# How often a task looks whether another process has cancelled its response.
_POLL = 2.0
# For a call whose timeout has no end.
_LONGEST = 86_400.0
_LONGEST_STREAM = 3600.0
# What a call may take beyond its timeout: it is answered, but not stored yet.
_GRACE = 60.0
# How long who cancels a response waits for the end of its task.
_STOPPING = 10.0
# Streams that have ended, and can be read again.
_MOST_LOGS = 100
_MOST_LOG_BYTES = 32 * 2**20
# The ends that an event tells of; a stream that is cancelled just ends.
_SHOWN = frozenset({"completed", "incomplete", "failed"})
_MODE = frozenset({"background", "background_options"})


@dataclass(slots=True)
class BackgroundCall:
    """One call that runs in a task.

    Attributes:
        call: the same request, not in the background.
        stored: the response as it begins.
        label: its id as the caller knows it.
        log: the events of one that is streamed; else None.
        answer: the finished response as the caller sees it.
        is_deleted: the response has been deleted here.
        is_ending: the answer is there: it is too late to stop the call.
    """

    call: ServedRequest
    stored: StoredResponse
    label: str
    log: EventLog | None = None
    answer: Mapping[str, Any] | None = None
    task: "asyncio.Task[None] | None" = None
    is_deleted: bool = False
    is_ending: bool = False

    def stop(self) -> None:
        """Stop the call, unless it has been answered."""
        if self.task is not None and not self.is_ending:
            self.task.cancel()

    def failed(self, code: str, message: str) -> StoredResponse:
        """The response of a call that ended with an error."""
        return self.stored.ended("failed", {"code": code, "message": message})


class BackgroundCalls:
    """The background calls of one process; used from one event loop.

    Args:
        server: makes the calls.
        router: the server's.
        shutdown: waits for the tasks, and cuts them.
    """

    def __init__(
        self, server: AsyncOpenAIServer, router: Router, shutdown: GracefulShutdown
    ) -> None:
        self._server = server
        self._parts = router.parts
        self._shutdown = shutdown
        self._store = router.parts.response_store
        self._is_shared = not isinstance(self._store, AsyncMemoryResponseStore)
        self._running: dict[str, BackgroundCall] = {}
        self._logs: dict[str, EventLog] = {}

    def takes(self, call: ServedRequest) -> bool:
        """True for a background response that no deployment of the group makes by itself."""
        if call.operation != "create" or call.body.get("background") is not True:
            return False
        try:
            return all(self._api_of(one, call.group or "") != "responses" for one in _group(call))
        except AzureResponsesError:
            # No client can be made of an entry: the call itself says so.
            return False

    async def start(
        self, call: ServedRequest, begin: Begin, finish: Callable[[ServedRequest], None]
    ) -> ApiReply[Any]:
        """Begin a call, and answer with its response as it begins.

        Args:
            call: one that `takes` is true for.
            begin: called with the response as it begins, before it is answered.
            finish: called with the call that was made, once it has ended.

        Raises:
            BadRequestError: the request contradicts itself.
        """
        if call.body.get("store") is False:
            raise invalid_request(
                "Background mode requires 'store' to be true.",
                param="background",
                code="unsupported_parameter",
            )
        deployment, stored = _group(call)[0], _begin(call)
        label = self._parts.signer.label_id(
            stored.id,
            deployment_tag=deployment.tag,
            resource_tag=deployment.resource,
            owner=call.request.owner,
        )
        shown = {**stored.response, "id": label}
        log = EventLog(shown) if call.is_stream else None
        running = BackgroundCall(self._foreground(call), stored, label, log)
        await self._store.save(stored)
        self._remember(call, stored, deployment)
        await begin(stored.response, deployment)
        self._run_in_task(running, finish)
        if log is None:
            return json_reply(call.summary, to_bytes({**shown, "status": "queued"}))
        self._keep_log(stored.id, log)
        return event_reply(call.summary, AsyncStreamBody(log.follow(-1)))

    async def stream_again(self, call: ServedRequest) -> ApiReply[Any] | None:
        """The events of a background response, read again or on; None of other responses.

        A process that did not make the response knows its end only, and waits for that.
        """
        if call.operation != "retrieve" or not call.is_stream:
            return None
        response_id = call.asked.known_id
        if response_id is None or not is_stored_here(response_id):
            return None
        given = call.asked.starting_after
        after = -1 if given is None else given
        try:
            stored = await self._store.load(response_id)
        except AzureResponsesError:
            # The call itself reports it.
            return None
        if stored is None or not stored.response.get("background"):
            # It may have been deleted by another process.
            self._logs.pop(response_id, None)
            return None
        log = self._logs.get(response_id)
        if log is not None:
            return event_reply(call.summary, AsyncStreamBody(log.follow(after)))
        return event_reply(call.summary, AsyncStreamBody(self._end_of(call, after)))

    async def _end_of(self, call: ServedRequest, after: int) -> AsyncGenerator[bytes, None]:
        request = replace(call.request, query="")
        while True:
            reply = await self._server.answer(self._server.read(request))
            assert isinstance(reply.body, bytes)
            response = from_json(reply.body)
            status = response.get("status")
            if status not in ("queued", "in_progress"):
                break
            await asyncio.sleep(_POLL)
        if status in _SHOWN:
            yield event_frame(f"response.{status}", after + 1, response)

    async def stop(self, call: ServedRequest) -> None:
        """Stop the call behind a response that `call` cancels or deletes."""
        if call.operation not in ("cancel", "delete"):
            return
        if call.operation == "delete":
            self._logs.pop(call.asked.known_id or "", None)
        running = self._running.get(call.asked.known_id or "")
        if running is None or running.task is None:
            return
        running.is_deleted = call.operation == "delete"
        running.stop()
        await asyncio.wait({running.task}, timeout=_STOPPING)

    def _keep_log(self, response_id: str, log: EventLog) -> None:
        self._logs[response_id] = log
        ended = [each for each in self._logs if each not in self._running]
        size = sum(self._logs[each].size for each in ended)
        for index, each in enumerate(ended):
            # The oldest first.
            if len(ended) - index <= _MOST_LOGS and size <= _MOST_LOG_BYTES:
                return
            size -= self._logs.pop(each).size

    def _api_of(self, deployment: Deployment, group: str) -> str:
        target = self._parts.async_calls.targets.of(deployment)
        return target.upstream.api_of(deployment.name_for(group))

    def _foreground(self, call: ServedRequest) -> ServedRequest:
        """The request without what asks for the background."""
        body = read_object(call.request.body)
        kept = {name: value for name, value in body.items() if name not in _MODE}
        return self._server.read(replace(call.request, body=to_bytes(kept)))

    def _remember(
        self, call: ServedRequest, stored: StoredResponse, deployment: Deployment
    ) -> None:
        """Have a purge of the end user find the response."""
        entry = call.posted.entry(stored.response, deployment)
        if entry is not None:
            self._parts.async_calls.state.remember(entry)

    def _run_in_task(
        self, running: BackgroundCall, finish: Callable[[ServedRequest], None]
    ) -> None:
        def end(task: "asyncio.Task[None]") -> None:
            self._shutdown.tasks.discard(task)
            del self._running[running.stored.id]
            finish(running.call)

        running.task = asyncio.create_task(self._run(running))
        self._running[running.stored.id] = running
        self._shutdown.tasks.add(running.task)
        # Not at the end of the task: one that is cancelled at once never begins.
        running.task.add_done_callback(end)

    async def _run(self, running: BackgroundCall) -> None:
        watch = asyncio.create_task(self._watch(running)) if self._is_shared else None
        try:
            final = await self._answered(running)
        except asyncio.CancelledError:
            running.call.summary.is_abandoned = True
            final = running.stored.ended("cancelled")
            if self._shutdown.is_cut:
                final = running.failed("shutting_down", "The gateway is shutting down.")
        except Exception:
            LOGGER.exception("The response %s could not be made", running.stored.id)
            final = running.failed("server_error", "The gateway failed to answer.")
        finally:
            running.is_ending = True
            if watch is not None:
                watch.cancel()
        shown = await self._keep(running, final)
        if running.log is not None:
            running.log.close(shown)

    async def _watch(self, running: BackgroundCall) -> None:
        """Stop the call when another process has cancelled or deleted its response."""
        while True:
            await asyncio.sleep(_POLL)
            if not await self._is_wanted(running):
                running.stop()
                return

    async def _is_wanted(self, running: BackgroundCall) -> bool:
        """False once the response was deleted, or has ended by what was done elsewhere."""
        if running.is_deleted:
            return False
        if not self._is_shared:
            # It may have had to make room for later ones.
            return True
        try:
            found = await self._store.load(running.stored.id)
        except AzureResponsesError:
            return True
        return found is not None and found.is_unfinished

    async def _answered(self, running: BackgroundCall) -> StoredResponse:
        """The response as the call has ended."""
        reply = await self._server.answer(running.call)
        if isinstance(reply.body, bytes):
            body = from_json(reply.body)
        else:
            assert running.log is not None
            async with aclosing(reply.body) as pieces:
                body = await running.log.receive(aiter(pieces)) or {}
            # An `error` event is the error; others hold the response.
            body = body.get("response") or {"error": body}
        if "id" not in body:
            error = body["error"]
            return running.failed(str(error.get("code")), str(error.get("message")))
        return await self._renamed(running, body)

    async def _renamed(self, running: BackgroundCall, body: Mapping[str, Any]) -> StoredResponse:
        """The answer under the id that its caller knows."""
        begun, label = running.stored, running.call.request.owner
        found = self._parts.reader.affinity.read_id(str(body["id"]), label)
        made = None
        if found is not None and is_stored_here(found.inner):
            made = await self._take(found.inner)
        if made is None:
            # The service's own, of a fallback that speaks Responses; or the store does not answer.
            made = StoredResponse(body, begun.input_items, await self._history(running))
        own = {name: begun.response[name] for name in ("id", "created_at", "background")}
        running.answer = {**body, **own, "id": running.label}
        return replace(
            made,
            response={**made.response, **own},
            input_items=begun.input_items or made.input_items,
            created_at=begun.created_at,
        )

    async def _take(self, response_id: str) -> StoredResponse | None:
        """A response, which is not stored under this id any more."""
        try:
            found = await self._store.load(response_id)
            await self._store.delete(response_id)
        except AzureResponsesError:
            # An answer that was paid for is not lost to that.
            return None
        return found

    async def _history(self, running: BackgroundCall) -> list[Mapping[str, Any]]:
        continued = running.call.posted.continued_id
        if continued is None or not is_stored_here(continued):
            return []
        try:
            before = await self._store.load(continued)
        except AzureResponsesError:
            return []
        return [] if before is None else before.conversation()

    async def _keep(
        self, running: BackgroundCall, final: StoredResponse
    ) -> Mapping[str, Any] | None:
        """Store how the response ended, unless that was decided elsewhere.

        Returns what the event at the end of a stream shows; None for no such event.
        """
        if not await self._is_wanted(running):
            return None
        await self._store.save(final)
        if self._is_shared and await self._is_wanted(running):
            # The store has not taken it.
            message = "The response is too large to be stored."
            await self._store.save(running.failed("response_too_large", message))
        if final.response["status"] not in _SHOWN:
            return None
        return running.answer or {**final.response, "id": running.label}


def _begin(call: ServedRequest) -> StoredResponse:
    """The response before its call is made."""
    now = time.time()
    patience = patience_of(call.timeout)
    response = begin_response(
        _repeatable(call.body),
        response_id=new_bridged_id("resp_"),
        model=call.group or "",
        created_at=now,
    )
    try:
        items = read_input(call.body, new_bridged_id)
    except AzureResponsesError:
        # References are looked up by the call, which also says what is wrong.
        items = []
    longest = min(_LONGEST, _LONGEST if patience is None else patience)
    if call.is_stream:
        # Its timeout is from one event to the next.
        longest = max(longest, _LONGEST_STREAM)
    deadline = now + _GRACE + longest
    return StoredResponse(response, items, created_at=now, deadline=deadline)


def _repeatable(body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a response can repeat; the call itself refuses the others."""
    repeated = dict(body)
    for name in ("metadata", "reasoning", "text"):
        if not isinstance(body.get(name), dict):
            repeated.pop(name, None)
    tools = repeated.pop("tools", None)
    if isinstance(tools, list):
        repeated["tools"] = [tool for tool in tools if isinstance(tool, dict)]
    return repeated


def _group(call: ServedRequest) -> Any:
    return call.posted.reader.routing.group_of(call.group or "")
