"""The operations that an async client offers."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from azure_responses._async.concurrency import compute
from azure_responses._async.executor import AsyncExecutor
from azure_responses._async.pages import (
    AsyncInputItemPages,
    AsyncListedModels,
    async_list_models,
)
from azure_responses._async.raw_results import AsyncRawMethods, AsyncStreamingMethods
from azure_responses._async.stream import AsyncStream
from azure_responses._async.tool_run import AsyncToolRun, read_turn
from azure_responses._async.waiting import wait_for_end
from azure_responses.call_options import (
    CallOptions,
    CompactArguments,
    CreateArguments,
    ToolRunArguments,
    split_arguments,
)
from azure_responses.errors import NotFoundError
from azure_responses.openai_arguments import without_omitted
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.http_message import RawResponse, Reply
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import NO_OPTIONS, Options
from azure_responses.protocol.polling import Poll
from azure_responses.protocol.stream import ResponseStream
from azure_responses.routing.token_estimate import estimate_count
from azure_responses.transport import Timeout
from azure_responses.types.models import ModelInfo, ModelList
from azure_responses.types.parameters import Conversation, Reasoning, TextConfig
from azure_responses.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    InputTokenCount,
    ParsedResponse,
    Response,
)

if TYPE_CHECKING:
    from azure_responses._async.response_connection import AsyncResponseConnection

__all__ = [
    "AsyncInputItemPages",
    "AsyncInputItems",
    "AsyncInputTokens",
    "AsyncModels",
    "AsyncRawResponses",
    "AsyncResponses",
]

T = TypeVar("T")


_OPTIONS = frozenset(CallOptions.__annotations__)


class _Resource:
    """A group of operations.

    Args:
        operations: builds the calls.
        executor: performs them.
        timeout: of calls that give none.
    """

    def __init__(self, operations: Operations, executor: AsyncExecutor, timeout: Timeout) -> None:
        self._operations = operations
        self._executor = executor
        self._timeout = timeout

    def split(self, arguments: Any) -> tuple[dict[str, Any], Options, Timeout]:
        """Parameters, options and timeout of a call."""
        arguments = without_omitted(arguments)
        if _OPTIONS.isdisjoint(arguments):
            # Nearly every call.
            return arguments, NO_OPTIONS, self._timeout
        return split_arguments(arguments, self._timeout)


class AsyncResponses(_Resource):
    """`client.responses`."""

    @property
    def with_raw_response(self) -> "AsyncRawResponses":
        """The same operations, answering with status, headers and body."""
        return AsyncRawResponses(self._operations, self._executor, self._timeout)

    @property
    def with_streaming_response(self) -> AsyncStreamingMethods:
        """The same operations, entered for the bytes, the lines or the events of their replies."""
        return AsyncStreamingMethods(self.with_raw_response)

    @property
    def input_items(self) -> "AsyncInputItems":
        """The items that were a response's input."""
        return AsyncInputItems(self._operations, self._executor, self._timeout)

    @property
    def input_tokens(self) -> "AsyncInputTokens":
        """How many tokens an input would be."""
        return AsyncInputTokens(self._operations, self._executor, self._timeout)

    @overload
    async def create(
        self, *, stream: Literal[False] = False, **arguments: Unpack[CreateArguments]
    ) -> Response: ...
    @overload
    async def create(
        self, *, stream: Literal[True], **arguments: Unpack[CreateArguments]
    ) -> AsyncStream[Response]: ...
    @overload
    async def create(
        self, *, stream: bool, **arguments: Unpack[CreateArguments]
    ) -> Response | AsyncStream[Response]: ...
    @shows_parameters(CreateArguments)
    async def create(
        self, *, stream: bool = False, **arguments: Unpack[CreateArguments]
    ) -> Response | AsyncStream[Response]:
        """Ask the model; takes every parameter of the Responses API.

        A parameter of None counts as not given. With `stream=True` the result is iterated for
        typed events.

        Raises:
            AzureResponsesError: what the service or the network ended with, after retries.
            TypeError: a parameter the API does not have; `extra_body` sends it all the same.
        """
        parameters, options, timeout = self.split(arguments)
        if stream:
            state = self._operations.stream(parameters, options)
            return await self._stream(state, options, timeout).open()
        call = await compute(self._operations.create, parameters, options)
        return await self._executor.perform(call, timeout)

    @overload
    def stream(
        self,
        *,
        text_format: None = None,
        response_id: str | None = None,
        starting_after: int | None = None,
        **arguments: Unpack[CreateArguments],
    ) -> AsyncStream[Response]: ...
    @overload
    def stream(
        self,
        *,
        text_format: type[T],
        response_id: str | None = None,
        starting_after: int | None = None,
        **arguments: Unpack[CreateArguments],
    ) -> "AsyncStream[ParsedResponse[T]]": ...
    @shows_parameters(CreateArguments)
    def stream(
        self,
        *,
        text_format: type[Any] | None = None,
        response_id: str | None = None,
        starting_after: int | None = None,
        **arguments: Unpack[CreateArguments],
    ) -> "AsyncStream[Response] | AsyncStream[ParsedResponse[Any]]":
        """A stream to use as a context manager: typed events, text_deltas, get_final_response.

        With `text_format` the final response is a ParsedResponse. With `response_id` the events are
        those of a background response that was streamed, from the one after `starting_after`.
        """
        parameters, options, timeout = self.split(arguments)
        if response_id is None:
            state = self._operations.stream(parameters, options, text_format)
        else:
            state = self._operations.retrieve_stream(
                response_id, options, starting_after, text_format=text_format
            )
        return self._stream(state, options, timeout)

    @shows_parameters(CallOptions)
    def connect(
        self, model: str | None = None, *, replay: bool = False, **options: Unpack[CallOptions]
    ) -> "AsyncResponseConnection":
        """A connection for many turns, over WebSockets; to be used as a context manager.

        Nothing is sent before the first turn. Where the endpoint or the deployment has no
        WebSockets, the turns go over HTTP, with one warning.

        Args:
            model: deployment of turns that name none; None takes the client's `deployment`.
            replay: keep the items of responses with `store=False`, to send all of them again where
                a WebSocket was lost that knew them; their reasoning is asked for encrypted. Over
                HTTP this is always done.

        The further options are those of every turn that gives none.

        Raises:
            ConfigurationError: the package websockets is missing.
        """
        # Imported on use: most programs open no WebSocket.
        from azure_responses._async.response_connection import AsyncResponseConnection

        defaults = options if model is None else {"model": model, **options}
        return AsyncResponseConnection(
            self._operations, self._executor, defaults, self._timeout, replay=replay
        )

    @overload
    async def parse(
        self, *, text_format: type[T], **arguments: Unpack[CreateArguments]
    ) -> "ParsedResponse[T]": ...
    @overload
    async def parse(
        self, *, text_format: None = None, **arguments: Unpack[CreateArguments]
    ) -> "ParsedResponse[None]": ...
    @shows_parameters(CreateArguments)
    async def parse(
        self, *, text_format: type[Any] | None = None, **arguments: Unpack[CreateArguments]
    ) -> "ParsedResponse[Any]":
        """Ask for an answer of a given type, in `output_parsed` of the result.

        It is None when the model refused (`refusal`) or was cut short (`incomplete_details`). The
        `parsed_arguments` of a function call are a model where its tool was made with
        `pydantic_responses_function_tool`, and a JSON value where it is strict.

        Raises:
            ConfigurationError: the type cannot be a strict JSON schema.
            pydantic.ValidationError: the type does not accept a complete answer.
        """
        parameters, options, timeout = self.split(arguments)
        call = self._operations.parse(parameters, options, text_format)
        return await self._executor.perform(call, timeout)

    @overload
    async def run_tools(
        self, *, text_format: None = None, **arguments: Unpack[ToolRunArguments]
    ) -> Response: ...
    @overload
    async def run_tools(
        self, *, text_format: type[T], **arguments: Unpack[ToolRunArguments]
    ) -> "ParsedResponse[T]": ...
    @shows_parameters(ToolRunArguments)
    async def run_tools(
        self, *, text_format: type[Any] | None = None, **arguments: Unpack[ToolRunArguments]
    ) -> Response:
        """Ask the model, call the functions that it asks for, until it has answered.

        `tools` takes functions (or `CallableTool`s of them) beside tools of any other kind, which
        the service runs. The result is the last response: the answer, one that was cut short, or
        one that waits for what only the caller can do, such as a custom tool's call.

        Raises:
            MaxTurnsError: the model would still call functions after `max_turns` responses.
            AzureResponsesError: as of `create`.
            Exception: a function's, with `on_function_error="raise"`.
        """
        run = AsyncToolRun(arguments, text_format)

        async def take_turn(parameters: Any) -> Response:
            if run.on_event is not None:
                return await read_turn(
                    self.stream(text_format=text_format, **parameters), run.on_event
                )
            if text_format is not None:
                return await self.parse(text_format=text_format, **parameters)
            response = await self.create(**parameters)
            is_queued = response.status in ("queued", "in_progress")
            return await self.wait(response.id) if is_queued else response

        return await run.run(take_turn)

    @overload
    async def retrieve(
        self,
        response_id: str,
        *,
        stream: Literal[False] = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[CallOptions],
    ) -> Response: ...
    @overload
    async def retrieve(
        self,
        response_id: str,
        *,
        stream: Literal[True],
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncStream[Response]: ...
    @shows_parameters(CallOptions)
    async def retrieve(
        self,
        response_id: str,
        *,
        stream: bool = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[CallOptions],
    ) -> Response | AsyncStream[Response]:
        """A stored response, as it stands or as a stream from after event `starting_after`.

        Only a response created in background mode with `stream=True` can be streamed again.
        """
        _, given, timeout = self.split(options)
        if stream:
            state = self._operations.retrieve_stream(response_id, given, starting_after, include)
            return await self._stream(state, given, timeout).open()
        call = self._operations.retrieve(
            response_id, given, starting_after=starting_after, include=include
        )
        return await self._executor.perform(call, timeout)

    async def wait(
        self,
        response_id: str,
        *,
        poll_interval: float | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Response], object] | None = None,
    ) -> Response:
        """A background response once it has ended, whatever its status then.

        Args:
            response_id: which response.
            poll_interval: seconds between polls; None goes by what the service asks for, else
                starts at half a second and grows to five.
            timeout: seconds to wait in all; None waits for ever.
            on_progress: called with what each poll found, the last one included.

        Raises:
            APITimeoutError: the time is up and the response is still at work.
        """
        poll = Poll(time.monotonic(), poll_interval, timeout)

        async def retrieve(options: CallOptions) -> Response:
            return await self.retrieve(response_id, **options)

        return await wait_for_end(retrieve, poll, self._timeout, on_progress)

    @shows_parameters(CallOptions)
    async def cancel(self, response_id: str, **options: Unpack[CallOptions]) -> Response:
        """Stop a background response; cancelling one that has ended changes nothing."""
        _, given, timeout = self.split(options)
        call = self._operations.cancel(response_id, given)
        return await self._executor.perform(call, timeout)

    @shows_parameters(CallOptions)
    async def delete(self, response_id: str, **options: Unpack[CallOptions]) -> DeletedResponse:
        """Delete a stored response."""
        _, given, timeout = self.split(options)
        call = self._operations.delete(response_id, given)
        return await self._executor.perform(call, timeout)

    @shows_parameters(CompactArguments)
    async def compact(self, **arguments: Unpack[CompactArguments]) -> CompactedResponse:
        """Compact a conversation; the result's `output` is the input of the next response."""
        parameters, options, timeout = self.split(arguments)
        call = self._operations.compact(parameters, options)
        return await self._executor.perform(call, timeout)

    def _stream(
        self, state: ResponseStream, options: Options, timeout: Timeout
    ) -> AsyncStream[Any]:
        return AsyncStream(self._executor, self._operations, state, options, timeout)


class AsyncRawResponses(_Resource):
    """`client.responses.with_raw_response`."""

    @overload
    async def create(
        self, *, stream: Literal[False] = False, **arguments: Unpack[CreateArguments]
    ) -> RawResponse[Response]: ...
    @overload
    async def create(
        self, *, stream: Literal[True], **arguments: Unpack[CreateArguments]
    ) -> RawResponse[AsyncStream[Response]]: ...
    @shows_parameters(CreateArguments)
    async def create(
        self, *, stream: bool = False, **arguments: Unpack[CreateArguments]
    ) -> RawResponse[Response] | RawResponse[AsyncStream[Response]]:
        """`responses.create`; of a stream `parse()` gives the stream."""
        parameters, options, timeout = self.split(arguments)
        if stream:
            state = self._operations.stream(parameters, options)
            opened: AsyncStream[Response] = await AsyncStream(
                self._executor, self._operations, state, options, timeout
            ).open()
            return RawResponse(Reply(200, opened.headers), lambda _: opened, is_stream=True)
        return await self._executor.perform_raw(
            self._operations.create(parameters, options), timeout
        )

    @shows_parameters(CreateArguments)
    async def parse(
        self, *, text_format: type[T], **arguments: Unpack[CreateArguments]
    ) -> "RawResponse[ParsedResponse[T]]":
        """`responses.parse`."""
        parameters, options, timeout = self.split(arguments)
        call = self._operations.parse(parameters, options, text_format)
        return await self._executor.perform_raw(call, timeout)

    @shows_parameters(CallOptions)
    async def retrieve(
        self, response_id: str, *, include: list[str] | None = None, **options: Unpack[CallOptions]
    ) -> RawResponse[Response]:
        """`responses.retrieve` without streaming."""
        _, given, timeout = self.split(options)
        call = self._operations.retrieve(response_id, given, include=include)
        return await self._executor.perform_raw(call, timeout)

    @shows_parameters(CallOptions)
    async def cancel(
        self, response_id: str, **options: Unpack[CallOptions]
    ) -> RawResponse[Response]:
        """`responses.cancel`."""
        _, given, timeout = self.split(options)
        return await self._executor.perform_raw(
            self._operations.cancel(response_id, given), timeout
        )

    @shows_parameters(CallOptions)
    async def delete(
        self, response_id: str, **options: Unpack[CallOptions]
    ) -> RawResponse[DeletedResponse]:
        """`responses.delete`."""
        _, given, timeout = self.split(options)
        return await self._executor.perform_raw(
            self._operations.delete(response_id, given), timeout
        )

    @shows_parameters(CompactArguments)
    async def compact(
        self, **arguments: Unpack[CompactArguments]
    ) -> RawResponse[CompactedResponse]:
        """`responses.compact`."""
        parameters, options, timeout = self.split(arguments)
        return await self._executor.perform_raw(
            self._operations.compact(parameters, options), timeout
        )


class AsyncInputItems(_Resource):
    """`client.responses.input_items`."""

    @shows_parameters(CallOptions)
    def list(
        self,
        response_id: str,
        *,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        after: str | None = None,
        before: str | None = None,
        include: "list[str] | None" = None,
        **options: Unpack[CallOptions],
    ) -> "AsyncInputItemPages":
        """The items of a response's input: iterate for all of them, over as many pages as needed.

        `limit` is the size of a page, 1 to 100, by default 20; `order` is "desc" by default.
        """
        _, given, timeout = self.split(options)

        async def fetch(cursor: str | None) -> InputItemList:
            call = self._operations.input_items(
                response_id,
                given,
                limit=limit,
                order=order,
                after=cursor,
                before=before,
                include=include,
            )
            return await self._executor.perform(call, timeout)

        return AsyncInputItemPages(fetch, after)


class AsyncInputTokens(_Resource):
    """`client.responses.input_tokens`."""

    @shows_parameters(CallOptions)
    async def count(
        self,
        *,
        conversation: str | Conversation | Mapping[str, Any] | None = None,
        input: str | Iterable[Any] | None = None,
        instructions: str | None = None,
        model: str | None = None,
        parallel_tool_calls: bool | None = None,
        personality: str | None = None,
        previous_response_id: str | None = None,
        reasoning: Reasoning | Mapping[str, Any] | None = None,
        text: TextConfig | Mapping[str, Any] | None = None,
        tool_choice: Any = None,
        tools: Iterable[Any] | None = None,
        truncation: Literal["auto", "disabled"] | None = None,
        **options: Unpack[CallOptions],
    ) -> InputTokenCount:
        """How many tokens the input of such a response would be; each parameter as of `create`.

        Claude counts itself. Chat completions cannot count: then nothing is sent, and the result
        is an estimate (`is_estimate`) without what `previous_response_id` stands for.

        Raises:
            NotFoundError: the resource does not count; Azure's did not in May 2026.
        """
        parameters = {
            "conversation": conversation,
            "input": input,
            "instructions": instructions,
            "model": model,
            "parallel_tool_calls": parallel_tool_calls,
            "personality": personality,
            "previous_response_id": previous_response_id,
            "reasoning": reasoning,
            "text": text,
            "tool_choice": tool_choice,
            "tools": tools,
            "truncation": truncation,
        }
        _, given, timeout = self.split(options)
        if not self._operations.counts(model):
            return InputTokenCount.model_validate(estimate_count(parameters))
        call = self._operations.count_input(parameters, given)
        return await self._executor.perform(call, timeout)


class AsyncModels(_Resource):
    """`client.models`."""

    @property
    def with_raw_response(self) -> AsyncRawMethods:
        """The same operations, answering with status, headers and body."""
        return AsyncRawMethods(self)

    @property
    def with_streaming_response(self) -> AsyncStreamingMethods:
        """The same operations, entered for the bytes of their replies."""
        return AsyncStreamingMethods(self.with_raw_response)

    @shows_parameters(CallOptions)
    async def retrieve(self, model: str, **options: Unpack[CallOptions]) -> ModelInfo:
        """One of the models that the resource offers.

        Raises:
            NotFoundError: the resource does not offer it.
        """
        listed = await self.list(**options)
        for found in listed.data:
            if found.id == model:
                return found
        raise NotFoundError(
            f"The resource does not offer the model {model!r}.",
            status_code=404,
            code="model_not_found",
            type="invalid_request_error",
            param="model",
            request_id=listed.request_id,
        )

    @shows_parameters(CallOptions)
    def list(self, **options: Unpack[CallOptions]) -> AsyncListedModels:
        """The models the resource offers; iterate them, or `data`."""
        _, given, timeout = self.split(options)

        async def fetch() -> ModelList:
            return await self._executor.perform(self._operations.models(given), timeout)

        return async_list_models(fetch)
