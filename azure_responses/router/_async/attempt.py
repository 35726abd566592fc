"""One attempt of a routed call on one deployment: what is sent, and what comes back.

The same attempt serves the typed methods of a router, the OpenAI server and chat completions: it
sends JSON and returns JSON, with what routing and the ledger need to know. Typed callers decode the
reply at the edge (`UpstreamReply.decode`), the server passes its bytes on.

| state | event | next state | what happens |
|---|---|---|---|
| new | `send`, `open` | written | history is fetched if needed; ids become the service's |
| written | a reply | answered | outcome and entry are noted; the caller rewrites the ids |
| written | a reply that reports a failure | failed | `reply` holds it, the error is raised |
| written | a stream begins | open | see `byte_stream` |
| written | no reply | failed | the error is raised, with the ids as the caller knows them |

Nothing here settles the reservation of the attempt: that is for the loop (`routed_calls`) when a
reply is whole, and for the stream when it ends.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from azure_responses._async.concurrency import compute, run_in_thread
from azure_responses._async.object_calls import AsyncClientDownload, open_download
from azure_responses._async.watch import AsyncWatch
from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    AzureResponsesError,
    ConfigurationError,
    CredentialError,
)
from azure_responses.form_content import async_form_content
from azure_responses.protocol.call import Call
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.operation_table import OPERATIONS
from azure_responses.protocol.stored_response import is_kept_here
from azure_responses.protocol.warning import warn_caller
from azure_responses.router.attempts import NotSent, unsupported
from azure_responses.router.connection_turn import ConnectionTurn
from azure_responses.router.event_frames import EventFrames
from azure_responses.router.history import MOST_TURNS
from azure_responses.router.native_frames import native_frames
from azure_responses.router.prepared_request import PreparedRequest
from azure_responses.router.routed_object import RoutedObject
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.router.stored_request import StoredRequest
from azure_responses.router.targets import AsyncTarget, AsyncTargets
from azure_responses.router.upstream_reply import UpstreamReply, failure_of, not_offered, outcome_of
from azure_responses.routing.id_rewriter import IdRewriter, NoIds
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.timeouts import read_timeout, shorten

if TYPE_CHECKING:
    from azure_responses._async.executor import AsyncExecutor
    from azure_responses._async.response_socket import AsyncResponseSocket
    from azure_responses.router._async.routed_calls import AsyncRoutedCalls

__all__ = ["AsyncAttempt", "find_history"]

# What takes milliseconds to read, which other tasks should not wait for.
_LONG_REPLY = 256 * 1024
# The code of what a WebSocket answers to a continuation of a response that it does not know.
_NOT_KNOWN = "previous_response_not_found"


class AsyncAttempt:
    """One attempt.

    Args:
        request: what is asked.
        target: the deployment and its client.
        call: the call so far.
        left: seconds the attempt may take; None is no limit.
        calls: the loop that the attempt is part of.

    Attributes:
        reply: what arrived, also where it reports a failure; None before.
        warnings: what was left out of the request, one sentence each.
        began: monotonic seconds.
    """

    ids: IdRewriter | NoIds
    sent: Call

    def __init__(
        self,
        request: RoutedRequest | StoredRequest | RoutedObject,
        target: AsyncTarget,
        call: RoutedCall,
        left: float | None,
        calls: "AsyncRoutedCalls",
    ) -> None:
        self.request = request
        self.target = target
        self.left = left
        self.calls = calls
        self.reply: UpstreamReply | None = None
        self.warnings: tuple[str, ...] = ()
        self.began = time.monotonic()
        self._call = call
        self._told = 0
        self._sends_id = False
        self._sends_items = False

    async def write(self) -> None:
        """Make the call that is sent; with the history that it has to carry, if it has to.

        Raises:
            UnsupportedOperationError: the deployment's model does not take the request.
        """
        request = self.request
        # Only a follow-up has a history; a call about a stored response never moves.
        if self._call.replays_history and isinstance(request, RoutedRequest):
            await find_history(request, self._call, self.calls.targets)
        elif isinstance(request, RoutedObject) and request.pieces is None:
            form = request.form
            if form is not None:
                request.pieces = await async_form_content(form)
        await compute(self._write)
        self.tell_warnings()

    @property
    def api(self) -> APIName | None:
        """What the deployment was asked in; None before."""
        sent: Call | None = getattr(self, "sent", None)
        return None if sent is None else sent.api

    @property
    def turn(self) -> ConnectionTurn | None:
        """Of the WebSocket connection that the request came over; None over HTTP."""
        return self.request.turn if isinstance(self.request, RoutedRequest) else None

    @property
    def sender(self) -> "AsyncExecutor | AsyncResponseSocket":
        """What sends the call: the socket of its turn, or the executor of its deployment."""
        turn = self.turn
        socket: AsyncResponseSocket | None = None if turn is None else turn.socket
        return self.target.sender if socket is None else socket

    def make_frames(self, model: str | None) -> EventFrames:
        """The state of the stream that answers; `model` stands in the place of Azure's name."""
        request = self.request
        if request.caller != "responses":
            return native_frames(request.caller, model=model, drops_usage=request.drops_usage)
        return self.target.upstream.read_stream(
            self.ids,
            model=model,
            is_background=request.is_background,
            starting_after=request.starting_after,
            show=None if self.turn is None else self.turn.show,
        )

    async def send(self) -> UpstreamReply:
        """The whole reply, with the service's own ids.

        Raises:
            AzureResponsesError: what the service or the network ended with.
        """
        await self.write()
        watch = self.target.sender.telemetry.watch(self.sent)
        try:
            reply = await (self._exchange(None) if watch is None else self._watched(watch))
            if isinstance(self.request, RoutedObject) and self.request.names_files:
                await self._name_copies(self.request, reply)
            return reply
        except AzureResponsesError as error:
            explained = self.explain(error)
            if isinstance(self.request, RoutedObject) and self.request.is_used_up:
                raise NotSent(explained) from error
            # A bare raise where it is the same error: it keeps the cause that the network gave it.
            if explained is not error:
                raise explained from error
            raise

    async def open_download(self) -> AsyncClientDownload:
        """The bytes of a download, still to be read; raises what `send` raises."""
        await self.write()
        watch = self.target.sender.telemetry.watch(self.sent)
        if watch is not None:
            await watch.start()
        timeout = read_timeout(shorten(self.request.timeout, self.left))
        try:
            return await open_download(self.target.sender, self.sent, timeout)
        except AzureResponsesError as error:
            self.explain(error)
            raise

    def explain(self, error: AzureResponsesError) -> AzureResponsesError:
        """The error with the ids as the caller knows them, and with what a 404 stands for.

        An operation that the deployment's API does not offer is the request's fault, and no reason
        to leave the deployment alone for a while.
        """
        # "Response with id … not found": a caller knows that id only as a signed one.
        error.message = self.ids.label_text(error.message)
        operation = self.request.operation
        instead = OPERATIONS[operation].instead if operation in OPERATIONS else None
        return not_offered(error, operation, instead)

    def note_created(self, answer: Mapping[str, Any] | None) -> None:
        """A response was made, which may not be readable at once."""
        found = answer.get("id") if answer is not None else None
        if not isinstance(found, str) or answer is None or answer.get("store") is False:
            return
        # What is stored on our side can be read at once.
        if self.request.operation == "create" and not is_kept_here(found):
            self.target.upstream.note_created(found, time.monotonic())

    def _write(self) -> None:
        request, target = self.request, self.target
        api = target.upstream.api_of(target.deployment.name_for(self._call.group))
        if isinstance(request, RoutedRequest):
            self._require_history(request, api)
        drops = request.reader.chat_options.drop_params or target.drops_params
        turn = self.turn
        if turn is not None and isinstance(request, RoutedRequest):
            prepared = self._prepare_turn(request, turn, api, drops_params=drops)
        else:
            prepared = request.prepare(target.deployment, self._call, drops_params=drops, api=api)
        self.ids, self.warnings = prepared.ids, prepared.warnings
        try:
            self.sent = target.upstream.write(prepared.request, self._warn)
        except ConfigurationError as error:
            raise self.refusal(error) from error
        if target.pricer is not None:
            self.sent.pricer = target.pricer
        if turn is not None:
            self.sent.continuation = turn.continuation()

    def _prepare_turn(
        self, request: RoutedRequest, turn: ConnectionTurn, api: APIName, *, drops_params: bool
    ) -> PreparedRequest:
        target = self.target
        can_use = api == "responses"
        self._sends_id = turn.choose_socket(
            target if can_use else None, sends_items=self._sends_items
        )
        if turn.is_successor and turn.socket is None:
            lost = APIConnectionError("The WebSocket of the response that was steered was lost.")
            raise NotSent(lost)
        prepared = request.prepare(
            target.deployment,
            self._call,
            drops_params=drops_params,
            api=api,
            sends_id=self._sends_id or turn.is_successor,
            can_encrypt=target.upstream.can_encrypt(target.deployment.name_for(self._call.group)),
        )
        turn.label = prepared.ids.label
        return prepared

    async def write_again(self, error: APIStatusError) -> None:
        """Write the call of a turn anew, where what the connection made of it was refused.

        Its socket did not know what it continues: then all items are sent. Or the model does not
        reason, and refuses to be asked for encrypted reasoning.

        Raises:
            APIStatusError: `error`, where another form would not help.
        """
        if self._sends_id and error.code == _NOT_KNOWN:
            self._sends_items = True
        elif not self._has_learned(error):
            raise error
        await compute(self._write)

    def _has_learned(self, error: APIStatusError) -> bool:
        turn, deployment = self.turn, self.target.deployment
        if turn is None or not turn.hides_reasoning or not isinstance(self.request, RoutedRequest):
            return False
        knowledge = self.request.reader.chat_options.knowledge_of(deployment)
        return knowledge.learn_from_refusal(deployment.name_for(self._call.group), error)

    def _require_history(self, request: RoutedRequest, api: APIName) -> None:
        """Leave what a resource stores to a deployment that reads it there, if the group has one.

        Otherwise the target's client asks the resource for the history, which costs requests and
        cannot restore encrypted reasoning.
        """
        if self._call.replays_history or not request.caller == "responses" != api:
            return
        own, name = self.target.deployment, self._call.group
        if any(
            self.calls.targets.of(one).upstream.api_of(one.name_for(name)) == "responses"
            for one in request.reader.routing.group_of(name)
            if one.resource == own.resource
        ):
            request.require_own_history(api)

    def refusal(self, error: ConfigurationError) -> AzureResponsesError:
        """What an error before sending means: a deployment of another API may be at its limits."""
        name = self.target.deployment.name_for(self._call.group)
        is_responses = self.target.upstream.api_of(name) == self.request.caller == "responses"
        # A credential that gave no token is the deployment's own affair, whichever API it speaks.
        return error if is_responses or isinstance(error, CredentialError) else unsupported(error)

    async def _name_copies(self, request: RoutedObject, reply: UpstreamReply) -> None:
        """Let files with copies have the id of all copies in a reply that names files."""
        keys = request.file_keys(reply.body, self.target.deployment)
        try:
            entries = await self.calls.state.find_objects(keys)
        except APIConnectionError:
            # The ids of single copies lead to the files as well.
            return
        if isinstance(self.ids, IdRewriter):
            self.ids.give(request.labels_of(entries.values()))

    def _note_objects(self, request: RoutedObject, body: Mapping[str, Any]) -> None:
        """Note what was deleted, and what was made beside the object that the reply describes."""
        deployment, state = self.target.deployment, self.calls.state
        gone = request.forgotten(deployment)
        if gone is not None:
            state.forget(gone)
        for entry in request.made_files(body, deployment):
            state.remember(entry)

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings = (*self.warnings, text)

    def tell_warnings(self) -> None:
        """Let a program know what was left out; again after the executor has converted the call."""
        new, self._told = self.warnings[self._told :], len(self.warnings)
        if isinstance(self.request, RoutedRequest) and self.request.warns:
            for text in new:
                warn_caller(text)

    async def _watched(self, watch: AsyncWatch) -> UpstreamReply:
        await watch.start()
        try:
            with watch.active():
                reply = await self._exchange(watch)
        except BaseException as error:
            await watch.fail(error)
            raise
        # Listeners look ids up in Azure, where signed ones mean nothing.
        await watch.finish(reply.typed(), reply.headers)
        return reply

    async def _exchange(self, watch: AsyncWatch | None) -> UpstreamReply:
        timeout = read_timeout(shorten(self.request.timeout, self.left))
        try:
            reply = await self.target.sender.send(self.sent, timeout, watch)
        except ConfigurationError as error:
            refused = self.refusal(error)
            if refused is error:
                raise
            raise refused from error
        self.tell_warnings()
        if len(reply.body) < _LONG_REPLY:
            return self._read(reply)
        return await run_in_thread(partial(self._read, reply))

    def _read(self, reply: Reply) -> UpstreamReply:
        """What arrived, noted; raises the failure that it reports."""
        upstream, request, now = self.target.upstream, self.request, time.time()
        body = upstream.read(self.sent, reply, now)
        found = self.reply = UpstreamReply(self.sent, reply, body, self.ids, request.caller)
        # A failed response comes with HTTP 200. Routing needs an error; `reply` keeps the response,
        # which the server shows as Azure wrote it.
        failure = None
        if not isinstance(request, RoutedObject):
            failure = failure_of(self.sent, body, reply.headers, now)
        # Reading that a background response has failed is a call that succeeded.
        if failure is not None and not is_kept_here(request.known_id or ""):
            raise failure
        # Reading a stored response is fast, and says nothing about how fast answers are made.
        latency = None if request.is_about_stored else time.monotonic() - self.began
        is_stored = request.is_about_stored
        # Before the ids are rewritten: the ledger and the store know the service's own.
        found.outcome = outcome_of(found.facts(), reply.headers, latency, is_stored=is_stored)
        found.entry = request.entry(body, self.target.deployment)
        self.note_created(body)
        if isinstance(request, RoutedObject):
            self._note_objects(request, body)
        if isinstance(request, StoredRequest) and request.operation == "delete":
            # A 404 is the right answer from now on, and not to be waited out as one of a new
            # response.
            upstream.note_deleted(request.inner)
            self.calls.state.forget(request.inner)
        return found


async def find_history(request: RoutedRequest, call: RoutedCall, targets: AsyncTargets) -> None:
    """Get what the response that is continued held, which an attempt elsewhere has to carry."""
    if request.history is not None:
        return
    try:
        request.history = await _read_history(request, call, targets)
    except AzureResponsesError as error:
        # The origin is what is down, and no other deployment has the history.
        reason = f" and does not give it out either: {error.message}"
        raise NotSent(request.nothing_to_replay(reason)) from error


async def _read_history(
    request: RoutedRequest, call: RoutedCall, targets: AsyncTargets
) -> list[Any]:
    """The turns up to a stored response, the oldest first, as far as its resource tells."""
    origin, response_id = request.origin(), request.continued_id
    if origin is None or response_id is None:
        raise ConfigurationError("No entry of model_list is on its resource.")
    responses = targets.of(origin).client.responses
    turns: list[list[Any]] = []
    while response_id is not None and len(turns) < MOST_TURNS:
        # The turns together may take no longer than the call.
        left = call.attempt_timeout(time.monotonic())
        response = await responses.retrieve(response_id, timeout=left)
        pages = responses.input_items.list(response_id, order="asc", limit=100, timeout=left)
        turns.append([*[item async for item in pages], *response.output])
        response_id = response.previous_response_id
    return [item for turn in reversed(turns) for item in turn]
