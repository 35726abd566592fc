"""The calls of a router, awaited."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, Literal, TypeVar, Unpack, overload

from azure_responses._async.chat_stream import AsyncChatCompletionStream
from azure_responses._async.concurrency import sleep
from azure_responses._async.object_calls import AsyncObjectCalls
from azure_responses._async.pages import AsyncInputItemPages
from azure_responses._async.stored_objects import AsyncStoredObjects
from azure_responses._async.tool_run import AsyncToolRun, read_turn
from azure_responses.errors import ConfigurationError, ResponseNotFoundError
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.polling import Poll
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.router._async.attempt import AsyncAttempt
from azure_responses.router._async.chat_answers import (
    AsyncRoutedChatStream,
    AsyncRoutedChunks,
    bridges_chat,
    chat_answer,
    native_chat_answer,
)
from azure_responses.router._async.object_purge import AsyncObjectPurge
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router._async.routed_connection import AsyncRoutedConnection
from azure_responses.router._async.router_connection import AsyncRouterConnection
from azure_responses.router._async.scoped_objects import AsyncScopedObjects
from azure_responses.router._async.typed_attempt import (
    AsyncRoutedStream,
    typed_answer,
    typed_stream,
)
from azure_responses.router.arguments import (
    RoutedOptions,
    RouterArguments,
    RouterChatArguments,
    RouterCompactArguments,
    RouterToolArguments,
    check_end_user,
    check_options,
    check_start,
    query_of,
)
from azure_responses.router.attempts import Answer, finished
from azure_responses.router.request_reader import RequestReader
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.router.stored_request import StoredRequest
from azure_responses.router.targets import AsyncTarget
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.purge_ledger import LedgerEntry, PurgeReceipt, judge_missing
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.routing_errors import require_origin
from azure_responses.store.interface import AsyncStateStore
from azure_responses.store.purge import async_purge
from azure_responses.transport import Timeout
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    ParsedResponse,
    Response,
)
from azure_responses.types.result import Result

__all__ = ["AsyncRouterOperations"]

T = TypeVar("T")

_PURGE_TIMEOUT = 30.0


class AsyncRouterOperations(AsyncStoredObjects):
    """What a router does, awaited; every call takes `owner` and `timeout` besides.

    `scoped` sets the owner of `files`, `vector_stores` and the other stored objects.
    """

    _routing: DeploymentRegistry
    _state: AsyncStateStore
    _reader: RequestReader

    @property
    def _calls(self) -> AsyncRoutedCalls:
        """The loop under every call, for other kinds of attempts."""
        raise NotImplementedError

    def scoped(
        self,
        *,
        model: str | None = None,
        owner: str | None = None,
        end_user: str | None = None,
        replicate: bool | None = None,
    ) -> AsyncScopedObjects:
        """The stored objects (`files`, `vector_stores`, …) of one owner.

        Args:
            model: a group, at whose resource objects are made. What an id names is found without
                it, and it is not needed where all deployments are on one resource.
            owner: the owner of the objects; only this owner can use their ids.
            end_user: for whom they are made, and whose are listed.
            replicate: upload files to every resource of the model: calls with them then go to any
                of these. None leaves it to the router's `replicate_files`.

        Raises:
            ConfigurationError: an argument is invalid.
        """
        check_options({"owner": owner})
        for name, value in (("model", model), ("end_user", end_user)):
            if value is not None and (not isinstance(value, str) or not value):
                raise ConfigurationError(f"{name} is {value!r}.", hint="Pass a name, or None.")
        if replicate not in (None, True, False):
            raise ConfigurationError(f"replicate is {replicate!r}.", hint="Pass True or False.")
        return AsyncScopedObjects(
            self._reader,
            lambda: self._calls,
            model=model,
            owner=owner,
            end_user=end_user,
            replicate=replicate,
        )

    def _objects(self, kind: Callable[[AsyncObjectCalls, Timeout], T]) -> T:
        return self.scoped()._objects(kind)

    def _label_of(self, entry: LedgerEntry) -> str:
        """The id by which this router's callers know a stored response."""
        raise NotImplementedError

    @overload
    async def responses(
        self, *, stream: Literal[False] = False, **arguments: Unpack[RouterArguments]
    ) -> Response: ...
    @overload
    async def responses(
        self, *, stream: Literal[True], **arguments: Unpack[RouterArguments]
    ) -> AsyncRoutedStream[Response]: ...
    @overload
    async def responses(
        self, *, stream: bool, **arguments: Unpack[RouterArguments]
    ) -> Response | AsyncRoutedStream[Response]: ...
    @shows_parameters(RouterArguments)
    async def responses(
        self, *, stream: bool = False, **arguments: Unpack[RouterArguments]
    ) -> Response | AsyncRoutedStream[Response]:
        """Call a group; takes every parameter of the Responses API.

        The ids in the answer find their way back by themselves. With `stream=True` it returns once
        output has begun, which is iterated for typed events.

        Raises:
            AzureResponsesError: the last failure, after retries and fallbacks; a 429 or 503 whose
                `retry_after` says how long no deployment can serve.
        """
        if stream:
            return await self._stream(arguments)
        result: Response = await self._perform("create", arguments, Response)
        return result

    @overload
    def stream(
        self, *, text_format: None = None, **arguments: Unpack[RouterArguments]
    ) -> AbstractAsyncContextManager[AsyncRoutedStream[Response]]: ...
    @overload
    def stream(
        self, *, text_format: type[T], **arguments: Unpack[RouterArguments]
    ) -> AbstractAsyncContextManager[AsyncRoutedStream[ParsedResponse[T]]]: ...
    @shows_parameters(RouterArguments)
    @asynccontextmanager
    async def stream(
        self, *, text_format: type[Any] | None = None, **arguments: Unpack[RouterArguments]
    ) -> AsyncIterator[AsyncRoutedStream[Any]]:
        """A stream for an `async with` block: typed events, text_deltas, get_final_response."""
        output, given = None, dict(arguments)
        if text_format is not None:
            output = StructuredOutput(text_format)
            given["text"] = output.text_parameter(arguments.get("text"))
        async with await self._stream(given, output) as stream:
            yield stream

    @shows_parameters(RoutedOptions)
    def connect(
        self, model: str | None = None, **options: Unpack[RoutedOptions]
    ) -> AsyncRouterConnection:
        """A connection for many turns, to be used as a context manager; nothing is sent yet.

        Deployments with `websocket: true` are called over WebSockets, all others over HTTP.

        Args:
            model: of turns that name none.

        The further options are those of every turn that gives none; `owner` is that of all turns.

        Raises:
            ConfigurationError: an option is invalid.
        """
        check_options(options)
        defaults = dict(options) if model is None else {"model": model, **options}
        routed = AsyncRoutedConnection(self._calls, self._reader, owner=options.get("owner"))
        return AsyncRouterConnection(routed, self._reader, self._open, defaults)

    @shows_parameters(RouterArguments)
    async def parse(
        self, *, text_format: type[T], **arguments: Unpack[RouterArguments]
    ) -> "ParsedResponse[T]":
        """Ask for an answer of a given type, in `output_parsed` of the result."""
        output = StructuredOutput(text_format)
        given = {**arguments, "text": output.text_parameter(arguments.get("text"))}
        result: ParsedResponse[T] = await self._perform("create", given, ParsedResponse, output)
        return result

    @overload
    async def run_tools(
        self, *, text_format: None = None, **arguments: Unpack[RouterToolArguments]
    ) -> Response: ...
    @overload
    async def run_tools(
        self, *, text_format: type[T], **arguments: Unpack[RouterToolArguments]
    ) -> "ParsedResponse[T]": ...
    @shows_parameters(RouterToolArguments)
    async def run_tools(
        self, *, text_format: type[Any] | None = None, **arguments: Unpack[RouterToolArguments]
    ) -> Response:
        """Ask a group, call the functions that the model asks for, until it has answered.

        Each turn is a routed call: it goes where the response before it is stored, or with
        `store=False` to any deployment that can read its reasoning. `history` is for the first
        turn.

        Raises:
            MaxTurnsError: the model would still call functions after `max_turns` responses.
            AzureResponsesError: as of `responses`.
            Exception: a function's, with `on_function_error="raise"`.
        """
        run = AsyncToolRun(arguments, text_format)

        async def take_turn(parameters: Any) -> Response:
            if run.turns:
                # It stands for the response before the first turn.
                parameters.pop("history", None)
            if run.on_event is not None:
                return await read_turn(
                    self.stream(text_format=text_format, **parameters), run.on_event
                )
            if text_format is not None:
                return await self.parse(text_format=text_format, **parameters)
            response: Response = await self.responses(**parameters)
            is_queued = response.status in ("queued", "in_progress")
            owner = arguments.get("owner")
            return await self.wait(response.id, owner=owner) if is_queued else response

        return await run.run(take_turn)

    @shows_parameters(RouterCompactArguments)
    async def compact(self, **arguments: Unpack[RouterCompactArguments]) -> CompactedResponse:
        """Compact a conversation; the result's `output` is the input of the next response."""
        result: CompactedResponse = await self._perform("compact", arguments, CompactedResponse)
        return result

    @overload
    async def completion(
        self,
        /,
        *,
        stream: Literal[False] | None = False,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion: ...
    @overload
    async def completion(
        self,
        /,
        *,
        stream: Literal[True],
        **arguments: Unpack[RouterChatArguments],
    ) -> AsyncChatCompletionStream: ...
    @overload
    async def completion(
        self,
        /,
        *,
        stream: bool | None,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion | AsyncChatCompletionStream: ...
    @shows_parameters(RouterChatArguments)
    async def completion(
        self,
        /,
        *,
        stream: bool | None = False,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion | AsyncChatCompletionStream:
        """A chat completion, whatever the deployment speaks; takes the parameters of both APIs.

        Reasoning that travels in the messages goes back to the resource that encrypted it.

        Raises:
            ConfigurationError: something the Responses API cannot do; nothing was sent.
            AzureResponsesError: as `responses`.
        """
        given: dict[str, Any] = {"messages": None, **arguments}
        request = self._reader.read(given, operation="chat", is_stream=bool(stream), caller="chat")
        calls = self._calls

        async def attempt(target: AsyncTarget, call: RoutedCall, left: float | None) -> Answer[Any]:
            if bridges_chat(request, target, call):
                answer = await chat_answer(request, target, call, left, calls)
                if answer is not None:
                    return answer
            return await native_chat_answer(AsyncAttempt(request, target, call, left, calls))

        routed = await calls.perform(request.route_request, attempt)
        if isinstance(routed.result, AsyncRoutedChatStream | AsyncRoutedChunks):
            routed.result.settle_with(routed, calls.abandoned_streams)
        else:
            routed.result.attach_route(routed.route)
        result: ChatCompletion | AsyncChatCompletionStream = routed.result
        return result

    @overload
    async def retrieve(
        self,
        response_id: str,
        *,
        stream: Literal[False] = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> Response: ...
    @overload
    async def retrieve(
        self,
        response_id: str,
        *,
        stream: Literal[True],
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> AsyncRoutedStream[Response]: ...
    @shows_parameters(RoutedOptions)
    async def retrieve(
        self,
        response_id: str,
        *,
        stream: bool = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> Response | AsyncRoutedStream[Response]:
        """A stored response, as it stands or as a stream from after event `starting_after`.

        Raises:
            ResponseNotFoundError: an id that is forged, another owner's, or unknown.
        """
        check_start(starting_after, stream=stream)
        query = query_of(include=include, starting_after=starting_after)
        request = replace(self._reader.read_stored(response_id, options), query=query)
        if stream:
            return await self._open(replace(request, is_stream=True), None)
        found: Response = await self._on_stored(request, Response)
        return found

    async def wait(
        self,
        response_id: str,
        *,
        poll_interval: float | None = None,
        timeout: float | None = None,
        owner: str | None = None,
    ) -> Response:
        """A background response once it has ended, whatever its status then.

        Args:
            response_id: which response.
            poll_interval: seconds between polls; None starts at half a second and grows to five.
            timeout: seconds to wait in all; None waits for ever.
            owner: who asks.

        Raises:
            APITimeoutError: the time is up and the response is still at work.
        """
        poll = Poll(time.monotonic(), poll_interval, timeout)
        while True:
            # Read anew for each poll: the deadline of a request counts from when it is read.
            options = self._reader.poll_options(poll.patience(time.monotonic()))
            given = {"owner": owner, **options}
            request = self._reader.read_stored(response_id, given)
            response: Response = await self._on_stored(request, Response)
            delay = poll.delay(response, time.monotonic())
            if delay is None:
                return response
            await sleep(delay)

    @shows_parameters(RoutedOptions)
    async def cancel(self, response_id: str, **options: Unpack[RoutedOptions]) -> Response:
        """Stop a background response; cancelling one that has ended changes nothing."""
        request = self._reader.read_stored(response_id, options, "cancel")
        result: Response = await self._on_stored(request, Response)
        return result

    @shows_parameters(RoutedOptions)
    async def delete(self, response_id: str, **options: Unpack[RoutedOptions]) -> DeletedResponse:
        """Delete a stored response."""
        request = self._reader.read_stored(response_id, options, "delete")
        result: DeletedResponse = await self._on_stored(request, DeletedResponse)
        return result

    @shows_parameters(RoutedOptions)
    def input_items(
        self,
        response_id: str,
        *,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        after: str | None = None,
        before: str | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> AsyncInputItemPages:
        """The items of a response's input: iterate for all of them, over all their pages."""
        request = self._reader.read_stored(response_id, options, "input_items")
        last = self._reader.read_cursor(before, request, "before")

        async def fetch(cursor: str | None) -> InputItemList:
            place = self._reader.read_cursor(cursor, request)
            query = query_of(limit=limit, order=order, after=place, before=last, include=include)
            page: InputItemList = await self._on_stored(
                replace(request, query=query), InputItemList
            )
            return page

        return AsyncInputItemPages(fetch, after)

    async def purge(
        self,
        *,
        end_user: str,
        owner: str | None = None,
        timeout: float | None = _PURGE_TIMEOUT,
        dry_run: bool = False,
    ) -> PurgeReceipt:
        """Delete every stored response and object of an end user on the resource that stores it.

        What was made within the last minute and is not found counts as failed and not as gone: the
        service may only not show it yet.

        Args:
            end_user: the `safety_identifier`, else `user`, else `metadata.user_id` of the calls;
                of objects that of `scoped`.
            owner: only what is this owner's; None for all.
            timeout: seconds that each deletion may take, waits included. What a resource that is
                down for longer stores is listed as failed, and the rest is deleted.
            dry_run: only say what would be deleted.

        Raises:
            ConfigurationError: no end user is named, or the owner or the timeout is invalid.
            APIConnectionError: the shared ledger cannot be read to its end.
        """

        async def delete(entry: LedgerEntry) -> object:
            # An entry of a resource that left model_list fails by itself; the others are deleted.
            require_origin(self._routing, entry)
            if not entry.is_response:
                await objects.delete(entry)
                return None
            try:
                # Signed for the owner of the entry, or `delete` would not find it.
                label = self._label_of(entry)
                return await self.delete(label, owner=entry.owner, timeout=timeout)
            except ResponseNotFoundError as error:
                raise judge_missing(error, entry, time.time()) from None

        check_options({"owner": owner, "timeout": timeout})
        objects = AsyncObjectPurge(self._reader.objects, self._calls, {"timeout": timeout})
        name = check_end_user(end_user)
        return await async_purge(self._state, name, delete, owner=owner, dry_run=dry_run)

    async def _perform(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        model: type[Result],
        output: StructuredOutput[Any] | None = None,
    ) -> Any:
        request, calls = self._reader.read(arguments, operation=operation), self._calls

        async def attempt(target: AsyncTarget, call: RoutedCall, left: float | None) -> Answer[Any]:
            return await typed_answer(
                AsyncAttempt(request, target, call, left, calls), model, output
            )

        return finished(await calls.perform(request.route_request, attempt))

    async def _on_stored(self, request: StoredRequest, model: type[Result]) -> Any:
        calls = self._calls

        async def attempt(target: AsyncTarget, call: RoutedCall, left: float | None) -> Answer[Any]:
            return await typed_answer(AsyncAttempt(request, target, call, left, calls), model)

        return finished(await calls.perform(request.route_request, attempt))

    async def _stream(
        self, arguments: Mapping[str, Any], output: StructuredOutput[Any] | None = None
    ) -> AsyncRoutedStream[Any]:
        return await self._open(self._reader.read(arguments, is_stream=True), output)

    async def _open(
        self, request: RoutedRequest | StoredRequest, output: StructuredOutput[Any] | None
    ) -> AsyncRoutedStream[Any]:
        calls = self._calls

        async def attempt(target: AsyncTarget, call: RoutedCall, left: float | None) -> Answer[Any]:
            return await typed_stream(AsyncAttempt(request, target, call, left, calls), output)

        routed = await calls.perform(request.route_request, attempt)
        stream: AsyncRoutedStream[Any] = routed.result
        stream.settle_with(routed, calls.abandoned_streams)
        return stream
