"""The operations a async client offers."""

import time
from dataclasses import replace
from typing import Any, Literal, TypeVar, Unpack, overload

from azure_responses._async.concurrency import compute, sleep
from azure_responses._async.executor import AsyncExecutor
from azure_responses._async.pages import AsyncInputItemPages
from azure_responses._async.stream import AsyncStream, AsyncStreamSource
from azure_responses._async.watch import AsyncWatch
from azure_responses.call_options import (
    CallOptions,
    CompactArguments,
    CreateArguments,
    limit_poll,
    split_arguments,
)
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.http_message import RawResponse
from azure_responses.protocol.operations import Options
from azure_responses.protocol.plans import Plans, StreamPlan
from azure_responses.protocol.poll import Poll
from azure_responses.transport import Timeout
from azure_responses.types.models import ModelList
from azure_responses.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    ParsedResponse,
    Response,
)

__all__ = [
    "AsyncInputItemPages",
    "AsyncInputItems",
    "AsyncModels",
    "AsyncRawResponses",
    "AsyncResponses",
]

T = TypeVar("T")


class _Resource:
    """What every group of operations stands on."""

    def __init__(self, plans: Plans, sender: AsyncExecutor, timeout: Timeout) -> None:
        self._plans = plans
        self._sender = sender
        self._timeout = timeout

    def _split(self, arguments: Any) -> tuple[dict[str, Any], Options, Timeout]:
        return split_arguments(arguments, self._timeout)


class AsyncResponses(_Resource):
    """`client.responses`."""

    @property
    def with_raw_response(self) -> "AsyncRawResponses":
        """The same operations, answering with status, headers and body."""
        return AsyncRawResponses(self._plans, self._sender, self._timeout)

    @property
    def input_items(self) -> "AsyncInputItems":
        """The items that were a response's input."""
        return AsyncInputItems(self._plans, self._sender, self._timeout)

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
        parameters, options, timeout = self._split(arguments)
        if stream:
            opened = self._open(self._plans.stream(parameters, options), options, timeout)
            return await opened.open()
        plan = await compute(self._plans.create, parameters, options)
        return await self._sender.perform(plan, timeout)

    @overload
    def stream(
        self, *, text_format: None = None, **arguments: Unpack[CreateArguments]
    ) -> AsyncStream[Response]: ...
    @overload
    def stream(
        self, *, text_format: type[T], **arguments: Unpack[CreateArguments]
    ) -> "AsyncStream[ParsedResponse[T]]": ...
    @shows_parameters(CreateArguments)
    def stream(
        self, *, text_format: type[Any] | None = None, **arguments: Unpack[CreateArguments]
    ) -> "AsyncStream[Response] | AsyncStream[ParsedResponse[Any]]":
        """A stream to use as a context manager: typed events, text_deltas, get_final_response.

        With `text_format` the final response is a ParsedResponse.
        """
        parameters, options, timeout = self._split(arguments)
        plan = self._plans.stream(parameters, options, text_format)
        return self._open(plan, options, timeout)

    @shows_parameters(CreateArguments)
    async def parse(
        self, *, text_format: type[T], **arguments: Unpack[CreateArguments]
    ) -> "ParsedResponse[T]":
        """Ask for an answer of a given type, in `output_parsed` of the result.

        It is None when the model refused (`refusal`) or was cut short (`incomplete_details`).

        Raises:
            ConfigurationError: the type cannot be a strict JSON schema.
            pydantic.ValidationError: the type does not accept a complete answer.
        """
        parameters, options, timeout = self._split(arguments)
        return await self._sender.perform(
            self._plans.parse(parameters, options, text_format), timeout
        )

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
        _, given, timeout = self._split(options)
        if stream:
            plan = self._plans.retrieve_stream(response_id, given, starting_after, include=include)
            return await self._open(plan, given, timeout).open()
        return await self._sender.perform(
            self._plans.retrieve(response_id, given, include, starting_after=starting_after),
            timeout,
        )

    async def wait(
        self,
        response_id: str,
        *,
        poll_interval: float | None = None,
        timeout: float | None = None,
    ) -> Response:
        """A background response once it has ended, whatever its status then.

        Args:
            response_id: which response.
            poll_interval: seconds between polls; None starts at half a second and grows to five.
            timeout: seconds to wait in all; None waits for ever.

        Raises:
            APITimeoutError: the time is up and the response is still at work.
        """
        poll = Poll(time.monotonic(), poll_interval, timeout)
        while True:
            options = limit_poll(self._timeout, poll.patience(time.monotonic()))
            response = await self.retrieve(response_id, **options)
            delay = poll.delay(response, time.monotonic())
            if delay is None:
                return response
            await sleep(delay)

    @shows_parameters(CallOptions)
    async def cancel(self, response_id: str, **options: Unpack[CallOptions]) -> Response:
        """Stop a background response; cancelling one that has ended changes nothing."""
        _, given, timeout = self._split(options)
        return await self._sender.perform(self._plans.cancel(response_id, given), timeout)

    @shows_parameters(CallOptions)
    async def delete(self, response_id: str, **options: Unpack[CallOptions]) -> DeletedResponse:
        """Delete a stored response."""
        _, given, timeout = self._split(options)
        return await self._sender.perform(self._plans.delete(response_id, given), timeout)

    @shows_parameters(CompactArguments)
    async def compact(self, **arguments: Unpack[CompactArguments]) -> CompactedResponse:
        """Compact a conversation; the result's `output` is the input of the next response."""
        parameters, options, timeout = self._split(arguments)
        return await self._sender.perform(self._plans.compact(parameters, options), timeout)

    def _open(
        self, plan: StreamPlan[Response], options: Options, timeout: Timeout
    ) -> AsyncStream[Response]:
        again = replace(options, extra_body=None)

        async def poll(response_id: str, watch: AsyncWatch | None) -> Response:
            retrieval = self._plans.retrieve(response_id, again)
            return (await self._sender.exchange(retrieval, timeout, watch))[1]

        source = AsyncStreamSource(
            self._sender,
            plan.call,
            timeout,
            resume=lambda id_, after: self._plans.resume(id_, after, again),
            poll=poll,
            note_id=lambda id_: self._plans.note_created(id_, time.monotonic()),
        )
        return AsyncStream(source, plan.state, plan.finish)


class AsyncRawResponses(_Resource):
    """`client.responses.with_raw_response`."""

    @shows_parameters(CreateArguments)
    async def create(self, **arguments: Unpack[CreateArguments]) -> RawResponse[Response]:
        """`responses.create` without streaming."""
        parameters, options, timeout = self._split(arguments)
        return await self._sender.perform_raw(self._plans.create(parameters, options), timeout)

    @shows_parameters(CreateArguments)
    async def parse(
        self, *, text_format: type[T], **arguments: Unpack[CreateArguments]
    ) -> "RawResponse[ParsedResponse[T]]":
        """`responses.parse`."""
        parameters, options, timeout = self._split(arguments)
        plan = self._plans.parse(parameters, options, text_format)
        return await self._sender.perform_raw(plan, timeout)

    @shows_parameters(CallOptions)
    async def retrieve(
        self, response_id: str, *, include: list[str] | None = None, **options: Unpack[CallOptions]
    ) -> RawResponse[Response]:
        """`responses.retrieve` without streaming."""
        _, given, timeout = self._split(options)
        return await self._sender.perform_raw(
            self._plans.retrieve(response_id, given, include), timeout
        )

    @shows_parameters(CallOptions)
    async def cancel(
        self, response_id: str, **options: Unpack[CallOptions]
    ) -> RawResponse[Response]:
        """`responses.cancel`."""
        _, given, timeout = self._split(options)
        return await self._sender.perform_raw(self._plans.cancel(response_id, given), timeout)

    @shows_parameters(CallOptions)
    async def delete(
        self, response_id: str, **options: Unpack[CallOptions]
    ) -> RawResponse[DeletedResponse]:
        """`responses.delete`."""
        _, given, timeout = self._split(options)
        return await self._sender.perform_raw(self._plans.delete(response_id, given), timeout)

    @shows_parameters(CompactArguments)
    async def compact(
        self, **arguments: Unpack[CompactArguments]
    ) -> RawResponse[CompactedResponse]:
        """`responses.compact`."""
        parameters, options, timeout = self._split(arguments)
        return await self._sender.perform_raw(self._plans.compact(parameters, options), timeout)


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

        `limit` is the size of a page, 1 to 100, 20 if not said; `order` is "desc" if not said.
        """
        _, given, timeout = self._split(options)

        async def fetch(cursor: str | None) -> InputItemList:
            plan = self._plans.input_items(
                response_id,
                given,
                limit=limit,
                order=order,
                after=cursor,
                before=before,
                include=include,
            )
            return await self._sender.perform(plan, timeout)

        return AsyncInputItemPages(fetch, after)


class AsyncModels(_Resource):
    """`client.models`."""

    @shows_parameters(CallOptions)
    async def list(self, **options: Unpack[CallOptions]) -> ModelList:
        """The models the resource offers; iterate `data`."""
        _, given, timeout = self._split(options)
        return await self._sender.perform(self._plans.models(given), timeout)
