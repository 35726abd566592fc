"""`router.connect()`: turns that each go to the deployment that serves them best."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self, TypeVar, Unpack, overload

from azure_responses._async.stream import AsyncTypedStream
from azure_responses._async.turn_connection import AsyncTurnConnection
from azure_responses.call_options import new_warm_up_id
from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    ConfigurationError,
    ResponseFailedError,
    SteeringError,
)
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.protocol.warm_up import warm_up_events
from azure_responses.router._async.routed_connection import AsyncRoutedConnection
from azure_responses.router._async.typed_attempt import AsyncRoutedStream
from azure_responses.router.arguments import EXTRAS, RouterArguments
from azure_responses.router.connection_turn import ConnectionTurn
from azure_responses.router.request_reader import RequestReader
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.types.response import ParsedResponse, Response

__all__ = ["AsyncRouterConnection", "AsyncRoutedTurn"]

R = TypeVar("R", bound=Response)
T = TypeVar("T")

# What a turn is asked besides its parameters.
_OPTIONS = frozenset({"history", "on_origin_down", "owner", "timeout", *EXTRAS})
# What the service tells of a steer that no response follows.
_ENDS = ("response.steer.pending", "response.steer.failed")

OpenStream = Callable[
    [RoutedRequest, StructuredOutput[Any] | None], Awaitable[AsyncRoutedStream[Any]]
]


class AsyncRoutedTurn(AsyncTypedStream[R]):
    """The typed events of one turn, in order; the call is made when it is entered or read.

    Args:
        begin: makes the call.
    """

    def __init__(
        self,
        begin: Callable[[], Awaitable[tuple[ConnectionTurn, AsyncRoutedStream[R]]]],
    ) -> None:
        super().__init__()
        self._begin = begin
        self._inner: AsyncRoutedStream[R] | None = None
        self._turn: ConnectionTurn | None = None
        self._is_closed = False

    async def open(self) -> Self:
        """Make the call now instead of at the first event; raises what the deployments answer."""
        if self._inner is None and not self._is_closed:
            self._turn, self._inner = await self._begin()
            self._state = self._inner._state
            self._take(self._inner)
        return self

    @property
    def response_id(self) -> str | None:
        """The response's id, once its first event has arrived."""
        return None if self._inner is None else self._inner.response_id

    @property
    def final_response(self) -> Response | None:
        """The finished response as its terminal event carried it; None before that."""
        return None if self._inner is None else self._inner.final_response

    @property
    def partial_response(self) -> Response | None:
        """The response as far as it has arrived; None before its first event."""
        return None if self._inner is None else self._inner.partial_response

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the latest connection's reply."""
        return {} if self._inner is None else self._inner.headers

    async def get_final_response(self) -> R:
        """The finished response; reads what is left of the stream first.

        Raises:
            StreamInterruptedError: the stream was closed before its end.
        """
        while await self._fill():
            self._ready.clear()
        await self.open()
        if self._inner is None:
            raise APIConnectionError("The stream was closed before it was opened.")
        return await self._inner.get_final_response()

    async def aclose(self) -> None:
        """Give up the rest of the stream and release its connection."""
        self._is_closed = True
        if self._inner is not None:
            await self._inner.aclose()
        if self._turn is None:
            return
        if self.final_response is not None and not self._ready:
            self._turn.ended()
        else:
            self._turn.give_up()

    async def __aenter__(self) -> Self:
        self._is_entered = True
        return await self.open()

    async def _fill(self) -> bool:
        if self._is_closed:
            return False
        if self._inner is None:
            await self.open()
            return True
        assert self._turn is not None
        try:
            goes_on = await self._inner._fill()
        except BaseException as error:
            self._take(self._inner)
            self._turn.ended(failed=is_refusal(error))
            raise
        self._take(self._inner)
        if not goes_on:
            self._turn.ended()
        return goes_on or bool(self._ready)

    def _take(self, inner: AsyncRoutedStream[R]) -> None:
        self._ready.extend(inner._ready)
        inner._ready.clear()


class AsyncRouterConnection(AsyncTurnConnection):
    """A conversation over WebSockets where deployments have them, and over HTTP elsewhere.

    Each turn is a call of its own: routed, limited, tried again and priced like every other. With
    `store=False` the connection keeps the items of the latest response of each lane, and sends all
    of them where the deployment of the next turn does not know that response.

    Args:
        routed: what the turns share.
        reader: the router's.
        open_stream: makes a call of the router.
        defaults: parameters and options of turns that do not give them.
    """

    def __init__(
        self,
        routed: AsyncRoutedConnection,
        reader: RequestReader,
        open_stream: OpenStream,
        defaults: Mapping[str, Any],
    ) -> None:
        self._routed = routed
        self._reader = reader
        self._open_stream = open_stream
        self._defaults = defaults
        self._latest: dict[str | None, ConnectionTurn] = {}
        self._is_closed = False

    @overload
    def create(
        self,
        *,
        lane: str | None = None,
        text_format: None = None,
        **arguments: Unpack[RouterArguments],
    ) -> AsyncRoutedTurn[Response]: ...
    @overload
    def create(
        self, *, lane: str | None = None, text_format: type[T], **arguments: Unpack[RouterArguments]
    ) -> "AsyncRoutedTurn[ParsedResponse[T]]": ...
    @shows_parameters(RouterArguments)
    def create(
        self,
        *,
        lane: str | None = None,
        text_format: type[Any] | None = None,
        **arguments: Unpack[RouterArguments],
    ) -> "AsyncRoutedTurn[Response] | AsyncRoutedTurn[ParsedResponse[Any]]":
        """One turn, as the stream that `router.stream` returns.

        The call is made when the stream is entered, opened or read. `previous_response_id`
        continues a response with new items only, also the latest one of a lane that was made with
        `store=False`. Leaving the stream early ends the response.

        Args:
            lane: turns of one lane follow one another; those of others may run at the same time.
            text_format: the type of the answer, which is then in `output_parsed`.

        Raises:
            APIConnectionError: the connection is closed.
            ConfigurationError: `background`, or an owner other than the connection's.
        """
        self._check_open()
        given = self._merged(arguments)
        output = None
        if text_format is not None:
            output = StructuredOutput(text_format)
            given["text"] = output.text_parameter(given.get("text"))

        async def begin() -> tuple[ConnectionTurn, AsyncRoutedStream[Any]]:
            self._check_free(lane)
            await self._routed.close_unused()
            body, turn = self._routed.begin(_body_of(given), lane)
            return await self._perform(turn, {**given, **body}, output)

        return AsyncRoutedTurn(begin)

    @shows_parameters(RouterArguments)
    async def warm_up(
        self, *, lane: str | None = None, **arguments: Unpack[RouterArguments]
    ) -> Response:
        """Send instructions, tools and input before they are needed; nothing is generated.

        The result has no output; its id is the `previous_response_id` of the first turn. Where the
        deployments have no WebSockets nothing is sent, and the first turn sends everything.

        Raises:
            AzureResponsesError: as of a turn.
        """
        given = self._merged(arguments)
        if self._routed.warms_up(given.get("model")):
            extra = {**(given.get("extra_body") or {}), "generate": False}
            stream: Any = self.create(lane=lane, **{**given, "extra_body": extra})
            found: Response = await stream.get_final_response()
            return found
        self._check_open()
        self._check_free(lane)
        # It is read, so that a warm-up is refused for what its turn would be refused for.
        body, turn = self._routed.begin(_body_of(given), lane)
        self._reader.read(given, is_stream=True, turn=turn)
        response = warm_up_events(body, new_warm_up_id(), time.time())[-1]["response"]
        turn.ended(response)
        return Response.model_validate(response)

    async def steer(self, response_id: str, input: Any) -> None:
        """Give a response that is being made further input.

        What becomes of it is an event in the stream of the response.

        Args:
            response_id: of the response, as its first event has it.
            input: text, or messages of the user.

        Raises:
            SteeringError: no such response is being made, or its deployment cannot be steered.
            APIConnectionError: the WebSocket was lost.
        """
        self._check_open()
        try:
            await self._routed.steer(response_id, input)
        except BadRequestError as error:
            raise SteeringError(
                error.message,
                code=error.code,
                input=input,
                hint="Send the input as the next turn.",
            ) from error

    def successor(self, lane: str | None = None) -> AsyncRoutedTurn[Response]:
        """The stream of the response that follows a steered one.

        The service begins it by itself, with the settings of the response before: call `create`
        only after its end. Opening the stream raises SteeringError where none follows.

        Args:
            lane: of the response that was steered.
        """
        self._check_open()

        async def begin() -> tuple[ConnectionTurn, AsyncRoutedStream[Any]]:
            self._check_free(lane)
            before = self._latest.get(lane)
            found = None if before is None else await self._await_successor(before)
            if found is None:
                raise SteeringError(
                    "No response follows by itself: none of this lane was steered.",
                    hint="Call `steer` while a response is being made.",
                )
            body, turn = found
            return await self._perform(turn, {**self._defaults, **body}, None)

        return AsyncRoutedTurn(begin)

    async def aclose(self) -> None:
        """Close the WebSockets; a stream that is still open ends with an error."""
        self._is_closed = True
        await self._routed.aclose()

    async def _perform(
        self,
        turn: ConnectionTurn,
        given: Mapping[str, Any],
        output: StructuredOutput[Any] | None,
    ) -> tuple[ConnectionTurn, AsyncRoutedStream[Any]]:
        self._latest[turn.lane] = turn
        try:
            request = self._reader.read(given, is_stream=True, turn=turn)
            return turn, await self._open_stream(request, output)
        except BaseException as error:
            turn.ended(failed=is_refusal(error))
            raise

    async def _await_successor(
        self, before: ConnectionTurn
    ) -> tuple[Mapping[str, Any], ConnectionTurn] | None:
        async for event in self._routed.side_events(before):
            if event.get("type") in _ENDS:
                raise _unfollowed(event)
        return self._routed.successor_begins(before)

    def _merged(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        owner = self._defaults.get("owner")
        if arguments.get("owner", owner) != owner:
            raise ConfigurationError(
                "A connection belongs to one owner.", hint="Pass owner= to connect alone."
            )
        merged = {**self._defaults, **arguments}
        if merged.get("background"):
            raise ConfigurationError(
                "A turn of a connection cannot run in the background.",
                hint="Leave background out, or call router.responses.",
            )
        return merged

    def _check_open(self) -> None:
        if self._is_closed:
            raise APIConnectionError("The connection is closed.")

    def _check_free(self, lane: str | None) -> None:
        self._check_open()
        before = self._latest.get(lane)
        if before is not None and not before.has_ended:
            raise ConfigurationError(
                "The lane still carries another response.",
                hint="Read its stream to the end or close it first; or use another lane.",
            )


def _unfollowed(event: Mapping[str, Any]) -> SteeringError:
    """The error of a steer that no response follows, as the service says why."""
    error = event.get("error") or {}
    return SteeringError(
        error.get("message") or "The service waits for the results of calls before it goes on.",
        code=error.get("code") or event.get("reason"),
        input=event.get("input"),
        required_input=tuple(event.get("required_input") or ()),
        hint="Go on with `create`.",
    )


def is_refusal(error: BaseException) -> bool:
    """True where the service has refused a turn or failed at it, and not where it was lost."""
    return isinstance(error, APIStatusError | ResponseFailedError)


def _body_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters among the arguments."""
    return {name: value for name, value in given.items() if name not in _OPTIONS}
