# Written by scripts/unasync: change the file of this name in ../_async instead.
"""The calls of a router, blocking."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, TypeVar, Unpack, overload

from azure_responses._sync.chat import ChatCompletionStream
from azure_responses._sync.concurrency import sleep
from azure_responses._sync.resources import InputItemPages
from azure_responses.errors import AzureResponsesError, ResponseNotFoundError
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.poll import Poll
from azure_responses.router._sync.labelled import LabelledAttempt
from azure_responses.router._sync.routed_calls import Attempt, RoutedCalls
from azure_responses.router._sync.routed_stream import RoutedStream
from azure_responses.router.arguments import (
    ChatOptions,
    RoutedOptions,
    RouterArguments,
    RouterChatArguments,
    RouterCompactArguments,
    check_end_user,
    check_options,
    check_start,
)
from azure_responses.router.attempts import Answer
from azure_responses.router.requests import RequestReader, RouterRequest, StoredRequest
from azure_responses.router.stream_outcome import (
    StreamOutcome,
    finished,
    label_error,
    outcome_of_stored,
)
from azure_responses.router.targets import Target
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.purge_ledger import LedgerEntry, PurgeReceipt, judge_missing
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.routing_errors import require_origin
from azure_responses.store.interface import StateStore
from azure_responses.store.purge import purge
from azure_responses.timeouts import for_stream
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    ParsedResponse,
    Response,
)
from azure_responses.types.result import Result

__all__ = ["RouterOperations"]

T = TypeVar("T")
R = TypeVar("R", bound=Result)

_PURGE_TIMEOUT = 30.0
_OPTIONS = ("extra_headers", "extra_query", "extra_body")


class RouterOperations:
    """What a router does, blocking; every call takes `owner` and `timeout` besides."""

    _routing: DeploymentRegistry
    _state: StateStore
    _reader: RequestReader
    _chat_options: ChatOptions

    @property
    def calls(self) -> RoutedCalls:
        """The loop under every call, for other kinds of attempts."""
        raise NotImplementedError

    def _label_of(self, entry: LedgerEntry) -> str:
        """The id by which this router's callers know a stored response."""
        raise NotImplementedError

    @overload
    def responses(
        self, *, stream: Literal[False] = False, **arguments: Unpack[RouterArguments]
    ) -> Response: ...
    @overload
    def responses(
        self, *, stream: Literal[True], **arguments: Unpack[RouterArguments]
    ) -> RoutedStream[Response]: ...
    @overload
    def responses(
        self, *, stream: bool, **arguments: Unpack[RouterArguments]
    ) -> Response | RoutedStream[Response]: ...
    @shows_parameters(RouterArguments)
    def responses(
        self, *, stream: bool = False, **arguments: Unpack[RouterArguments]
    ) -> Response | RoutedStream[Response]:
        """Call a group; takes every parameter of the Responses API.

        The ids in the answer find their way back by themselves. With `stream=True` it returns once
        output has begun, which is iterated for typed events.

        Raises:
            AzureResponsesError: the last failure, after retries and fallbacks; a 429 or 503 whose
                `retry_after` is how long nobody can serve.
        """
        if stream:
            return self._stream(arguments)
        result: Response = self._perform("create", arguments)
        return result

    @overload
    def stream(
        self, *, text_format: None = None, **arguments: Unpack[RouterArguments]
    ) -> AbstractContextManager[RoutedStream[Response]]: ...
    @overload
    def stream(
        self, *, text_format: type[T], **arguments: Unpack[RouterArguments]
    ) -> AbstractContextManager[RoutedStream[ParsedResponse[T]]]: ...
    @shows_parameters(RouterArguments)
    @contextmanager
    def stream(
        self, *, text_format: type[Any] | None = None, **arguments: Unpack[RouterArguments]
    ) -> Iterator[RoutedStream[Any]]:
        """A stream for a `with` block: typed events, text_deltas, get_final_response."""
        with self._stream(arguments, text_format=text_format) as stream:
            yield stream

    @shows_parameters(RouterArguments)
    def parse(
        self, *, text_format: type[T], **arguments: Unpack[RouterArguments]
    ) -> "ParsedResponse[T]":
        """Ask for an answer of a given type, in `output_parsed` of the result."""
        result: ParsedResponse[T] = self._perform("parse", arguments, text_format=text_format)
        return result

    @shows_parameters(RouterCompactArguments)
    def compact(self, **arguments: Unpack[RouterCompactArguments]) -> CompactedResponse:
        """Compact a conversation; the result's `output` is the input of the next response."""
        result: CompactedResponse = self._perform("compact", arguments)
        return result

    @overload
    def completion(
        self,
        /,
        *,
        stream: Literal[False] | None = False,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion: ...
    @overload
    def completion(
        self,
        /,
        *,
        stream: Literal[True],
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletionStream: ...
    @overload
    def completion(
        self,
        /,
        *,
        stream: bool | None,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion | ChatCompletionStream: ...
    @shows_parameters(RouterChatArguments)
    def completion(
        self,
        /,
        *,
        stream: bool | None = False,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion | ChatCompletionStream:
        """A chat completion, served by the Responses API; takes every parameter of both APIs.

        Reasoning that travels in the messages goes back to the resource that encrypted it.

        Raises:
            ConfigurationError: something the Responses API cannot do; nothing was sent.
            AzureResponsesError: as `responses`.
        """
        given: dict[str, Any] = {"messages": None, **arguments}
        request = self._reader.read(given, is_stream=bool(stream), is_chat=True)
        made: list[tuple[Any, LabelledAttempt]] = []

        def attempt(target: Target, call: RoutedCall, left: float | None) -> Answer[Any]:
            one = self._attempt(request, target, call, left)
            answer = one.chat(self._chat_options, stream=bool(stream))
            made.append((answer.result, one))
            return answer

        routed = self.calls.perform(request.route_request, attempt)
        # An answer that the content filter cut short stands if no later attempt is answered.
        events = next(one.stream for result, one in made if result is routed.result)
        if events is not None:
            events.settle_with(routed, self.calls.abandoned_streams)
        else:
            routed.result.attach_route(routed.route)
        result: ChatCompletion | ChatCompletionStream = routed.result
        return result

    @overload
    def retrieve(
        self,
        response_id: str,
        *,
        stream: Literal[False] = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> Response: ...
    @overload
    def retrieve(
        self,
        response_id: str,
        *,
        stream: Literal[True],
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> RoutedStream[Response]: ...
    @shows_parameters(RoutedOptions)
    def retrieve(
        self,
        response_id: str,
        *,
        stream: bool = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> Response | RoutedStream[Response]:
        """A stored response, as it stands or as a stream from after event `starting_after`.

        Raises:
            ResponseNotFoundError: an id that is forged, another owner's, or known to nobody.
        """
        check_start(starting_after, stream=stream)
        if stream:
            return self._resume(
                response_id, options, starting_after=starting_after, include=include
            )
        found: Response = self._on_stored("retrieve", response_id, options, include=include)
        return found

    def wait(
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
            options = self._reader.poll_options(poll.patience(time.monotonic()))
            given = {"owner": owner, **options}
            response: Response = self._on_stored("retrieve", response_id, given)
            delay = poll.delay(response, time.monotonic())
            if delay is None:
                return response
            sleep(delay)

    @shows_parameters(RoutedOptions)
    def cancel(self, response_id: str, **options: Unpack[RoutedOptions]) -> Response:
        """Stop a background response; cancelling one that has ended changes nothing."""
        result: Response = self._on_stored("cancel", response_id, options)
        return result

    @shows_parameters(RoutedOptions)
    def delete(self, response_id: str, **options: Unpack[RoutedOptions]) -> DeletedResponse:
        """Delete a stored response."""
        request = self._reader.read_stored(response_id, options)
        result: DeletedResponse = self._on_read("delete", request, options)
        self.calls.state.forget(request.inner)
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
    ) -> InputItemPages:
        """The items of a response's input: iterate for all of them, over all their pages."""
        request = self._reader.read_stored(response_id, options)
        last = self._reader.read_cursor(before, request, "before")
        query = {"limit": limit, "order": order, "before": last, "include": include}

        def fetch(cursor: str | None) -> InputItemList:
            place = self._reader.read_cursor(cursor, request)
            page: InputItemList = self._on_read("list", request, options, after=place, **query)
            return page

        return InputItemPages(fetch, after)

    def purge(
        self,
        *,
        end_user: str,
        owner: str | None = None,
        timeout: float | None = _PURGE_TIMEOUT,
    ) -> PurgeReceipt:
        """Delete every stored response of an end user on the resource that stores it.

        What was made within the last minute and is not found counts as failed and not as gone: the
        service may only not show it yet.

        Args:
            end_user: the `safety_identifier`, else `user`, else `metadata.user_id` of the calls.
            owner: only the responses of this owner; None for all.
            timeout: seconds that each deletion may take, waits included. What a resource that is
                down for longer stores is listed as failed, and the rest is deleted.

        Raises:
            ConfigurationError: no end user is named, or the owner or the timeout is invalid.
            APIConnectionError: the shared ledger cannot be read to its end.
        """

        def delete(entry: LedgerEntry) -> object:
            require_origin(self._routing, entry)
            try:
                label = self._label_of(entry)
                return self.delete(label, owner=entry.owner, timeout=timeout)
            except ResponseNotFoundError as error:
                raise judge_missing(error, entry, time.time()) from None

        check_options({"owner": owner, "timeout": timeout})
        return purge(self._state, check_end_user(end_user), delete, owner=owner)

    def _perform(self, operation: str, arguments: Mapping[str, Any], **more: Any) -> Any:
        request = self._reader.read(arguments)

        def attempt(target: Target, call: RoutedCall, left: float | None) -> Answer[Any]:
            return self._attempt(request, target, call, left).send(operation, **more)

        routed = self.calls.perform(request.route_request, attempt)
        return finished(routed)

    def _stream(self, arguments: Mapping[str, Any], **more: Any) -> RoutedStream[Any]:
        request = self._reader.read(arguments, is_stream=True)

        def attempt(target: Target, call: RoutedCall, left: float | None) -> Answer[Any]:
            return self._attempt(request, target, call, left).open(**more)

        return self._opened(request, attempt)

    def _opened(
        self, request: RouterRequest | StoredRequest, attempt: Attempt[RoutedStream[Any]]
    ) -> RoutedStream[Any]:
        routed = self.calls.perform(request.route_request, attempt)
        routed.result.settle_with(routed, self.calls.abandoned_streams)
        return routed.result

    def _attempt(
        self, request: RouterRequest, target: Target, call: RoutedCall, left: float | None
    ) -> LabelledAttempt:
        calls = self.calls
        return LabelledAttempt(request, target, call, left, calls.targets, calls.state.remember)

    def _on_stored(
        self, operation: str, response_id: str, options: Mapping[str, Any], **more: Any
    ) -> Any:
        request = self._reader.read_stored(response_id, options)
        return self._on_read(operation, request, options, **more)

    def _on_read(
        self, operation: str, request: StoredRequest, options: Mapping[str, Any], **more: Any
    ) -> Any:
        given = {name: options[name] for name in _OPTIONS if name in options}

        def attempt(target: Target, call: RoutedCall, left: float | None) -> Answer[Any]:
            labels, timeout = request.labels(target), request.timeout_of(left)
            try:
                perform = _operation(target, operation)
                result = perform(request.inner, timeout=timeout, **given, **more)
            except AzureResponsesError as error:
                label_error(error, labels)
                raise
            return Answer(labels.label(result), outcome_of_stored(result, {}))

        routed = self.calls.perform(request.route_request, attempt)
        routed.result.attach_route(routed.route)
        return routed.result

    def _resume(
        self, response_id: str, options: Mapping[str, Any], **more: Any
    ) -> RoutedStream[Response]:
        request = self._reader.read_stored(response_id, options)
        given = {name: options[name] for name in _OPTIONS if name in options}

        def attempt(target: Target, call: RoutedCall, left: float | None) -> Answer[Any]:
            outcome_so_far = StreamOutcome(
                is_background=True,
                counts_tokens=False,
                entry_of=lambda _id: None,
                remember=self.calls.state.remember,
            )
            labels, own = request.labels(target), target.deployment.timeout
            timeout = for_stream(request.timeout, left, own)
            try:
                inner = target.client.responses.retrieve(
                    request.inner, stream=True, timeout=timeout, **given, **more
                )
            except AzureResponsesError as error:
                label_error(error, labels)
                raise
            stream = RoutedStream(inner, labels, outcome_so_far)
            return Answer(stream, stream.begin())

        return self._opened(request, attempt)


def _operation(target: Target, operation: str) -> Callable[..., Any]:
    responses = target.client.responses
    if operation != "list":
        function: Callable[..., Any] = getattr(responses, operation)
        return function

    def list_page(*arguments: Any, **options: Any) -> InputItemList:
        return responses.input_items.list(*arguments, **options).first()

    return list_page
