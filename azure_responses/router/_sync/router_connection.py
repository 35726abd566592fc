# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`router.connect()`: turns that each go to the deployment that serves them best."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar, Unpack, overload

from azure_responses._sync.stream import TypedStream
from azure_responses._sync.turn_connection import TurnConnection
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
from azure_responses.router._sync.routed_connection import RoutedConnection
from azure_responses.router._sync.typed_attempt import RoutedStream
from azure_responses.router.arguments import EXTRAS, RouterArguments
from azure_responses.router.connection_turn import ConnectionTurn
from azure_responses.router.request_reader import RequestReader
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.types.response import ParsedResponse, Response

__all__ = ["RouterConnection", "RoutedTurn"]

R = TypeVar("R", bound=Response)
T = TypeVar("T")

# What a turn is asked besides its parameters.
_OPTIONS = frozenset({"history", "on_origin_down", "owner", "timeout", *EXTRAS})
# What the service tells of a steer that no response follows.
_ENDS = ("response.steer.pending", "response.steer.failed")

OpenStream = Callable[[RoutedRequest, StructuredOutput[Any] | None], RoutedStream[Any]]


class RoutedTurn(TypedStream[R]):
    """The typed events of one turn, in order; the call is made when it is entered or read.

    Args:
        begin: makes the call.
    """

    def __init__(
        self,
        begin: Callable[[], tuple[ConnectionTurn, RoutedStream[R]]],
    ) -> None:
        super().__init__()
        self._begin = begin
        self._inner: RoutedStream[R] | None = None
        self._turn: ConnectionTurn | None = None
        self._is_closed = False

    def open(self) -> Self:
        """Make the call now instead of at the first event; raises what the deployments answer."""
        if self._inner is None and not self._is_closed:
            self._turn, self._inner = self._begin()
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

    def get_final_response(self) -> R:
        """The finished response; reads what is left of the stream first.

        Raises:
            StreamInterruptedError: the stream was closed before its end.
        """
        while self._fill():
            self._ready.clear()
        self.open()
        if self._inner is None:
            raise APIConnectionError("The stream was closed before it was opened.")
        return self._inner.get_final_response()

    def close(self) -> None:
        """Give up the rest of the stream and release its connection."""
        self._is_closed = True
        if self._inner is not None:
            self._inner.close()
        if self._turn is None:
            return
        if self.final_response is not None and not self._ready:
            self._turn.ended()
        else:
            self._turn.give_up()

    def __enter__(self) -> Self:
        self._is_entered = True
        return self.open()

    def _fill(self) -> bool:
        if self._is_closed:
            return False
        if self._inner is None:
            self.open()
            return True
        assert self._turn is not None
        try:
            goes_on = self._inner._fill()
        except BaseException as error:
            self._take(self._inner)
            self._turn.ended(failed=is_refusal(error))
            raise
        self._take(self._inner)
        if not goes_on:
            self._turn.ended()
        return goes_on or bool(self._ready)

    def _take(self, inner: RoutedStream[R]) -> None:
        self._ready.extend(inner._ready)
        inner._ready.clear()


class RouterConnection(TurnConnection):
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
        routed: RoutedConnection,
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
    ) -> RoutedTurn[Response]: ...
    @overload
    def create(
        self, *, lane: str | None = None, text_format: type[T], **arguments: Unpack[RouterArguments]
    ) -> "RoutedTurn[ParsedResponse[T]]": ...
    @shows_parameters(RouterArguments)
    def create(
        self,
        *,
        lane: str | None = None,
        text_format: type[Any] | None = None,
        **arguments: Unpack[RouterArguments],
    ) -> "RoutedTurn[Response] | RoutedTurn[ParsedResponse[Any]]":
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

        def begin() -> tuple[ConnectionTurn, RoutedStream[Any]]:
            self._check_free(lane)
            self._routed.close_unused()
            body, turn = self._routed.begin(_body_of(given), lane)
            return self._perform(turn, {**given, **body}, output)

        return RoutedTurn(begin)

    @shows_parameters(RouterArguments)
    def warm_up(self, *, lane: str | None = None, **arguments: Unpack[RouterArguments]) -> Response:
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
            found: Response = stream.get_final_response()
            return found
        self._check_open()
        self._check_free(lane)
        # It is read, so that a warm-up is refused for what its turn would be refused for.
        body, turn = self._routed.begin(_body_of(given), lane)
        self._reader.read(given, is_stream=True, turn=turn)
        response = warm_up_events(body, new_warm_up_id(), time.time())[-1]["response"]
        turn.ended(response)
        return Response.model_validate(response)

    def steer(self, response_id: str, input: Any) -> None:
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
            self._routed.steer(response_id, input)
        except BadRequestError as error:
            raise SteeringError(
                error.message,
                code=error.code,
                input=input,
                hint="Send the input as the next turn.",
            ) from error

    def successor(self, lane: str | None = None) -> RoutedTurn[Response]:
        """The stream of the response that follows a steered one.

        The service begins it by itself, with the settings of the response before: call `create`
        only after its end. Opening the stream raises SteeringError where none follows.

        Args:
            lane: of the response that was steered.
        """
        self._check_open()

        def begin() -> tuple[ConnectionTurn, RoutedStream[Any]]:
            self._check_free(lane)
            before = self._latest.get(lane)
            found = None if before is None else self._await_successor(before)
            if found is None:
                raise SteeringError(
                    "No response follows by itself: none of this lane was steered.",
                    hint="Call `steer` while a response is being made.",
                )
            body, turn = found
            return self._perform(turn, {**self._defaults, **body}, None)

        return RoutedTurn(begin)

    def close(self) -> None:
        """Close the WebSockets; a stream that is still open ends with an error."""
        self._is_closed = True
        self._routed.close()

    def _perform(
        self,
        turn: ConnectionTurn,
        given: Mapping[str, Any],
        output: StructuredOutput[Any] | None,
    ) -> tuple[ConnectionTurn, RoutedStream[Any]]:
        self._latest[turn.lane] = turn
        try:
            request = self._reader.read(given, is_stream=True, turn=turn)
            return turn, self._open_stream(request, output)
        except BaseException as error:
            turn.ended(failed=is_refusal(error))
            raise

    def _await_successor(
        self, before: ConnectionTurn
    ) -> tuple[Mapping[str, Any], ConnectionTurn] | None:
        for event in self._routed.side_events(before):
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
