"""`client.responses.connect()`: turns of a conversation over WebSockets."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, TypeVar, Unpack, overload

from azure_responses._async.connection_lane import AsyncLane, closed_error
from azure_responses._async.executor import AsyncExecutor
from azure_responses._async.response_socket import AsyncResponseSocket
from azure_responses._async.stream import AsyncStream
from azure_responses._async.turn_connection import AsyncTurnConnection
from azure_responses._async.turn_stream import AsyncTurnStream
from azure_responses.call_options import CreateArguments, split_arguments
from azure_responses.errors import ConfigurationError, SteeringError
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.connection_turns import ConnectionTurns, TurnRequest, check_lane
from azure_responses.protocol.http_message import CREDENTIAL_HEADERS
from azure_responses.protocol.image_deployment import IMAGE_HEADER
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.warning import warn_caller
from azure_responses.transport import Timeout
from azure_responses.types.response import ParsedResponse, Response
from azure_responses.types.steering import SteerInput

__all__ = ["AsyncResponseConnection"]

T = TypeVar("T")

# OpenAI's limit of named lanes of one WebSocket.
_MOST_LANES = 32


class AsyncResponseConnection(AsyncTurnConnection):
    """A conversation over WebSockets, or over HTTP where there are none.

    Each lane has a WebSocket of its own, which is opened with its first turn, and replaced between
    two turns before the service ends it after 60 minutes. Turns of one lane follow one another.

    Args:
        operations: builds the calls.
        executor: performs what goes over HTTP, and opens WebSockets.
        defaults: parameters and options of turns that do not give them.
        timeout: of turns for which neither gives one.
        replay: keep all items, to send them again where a WebSocket does not know what a turn
            continues.

    Raises:
        ConfigurationError: the package websockets is missing.
    """

    def __init__(
        self,
        operations: Operations,
        executor: AsyncExecutor,
        defaults: Mapping[str, Any],
        timeout: Timeout,
        *,
        replay: bool,
    ) -> None:
        self._executor = executor
        self._defaults = defaults
        self._timeout = timeout
        self._turns = ConnectionTurns(operations, replay)
        self._url = _find_url(operations, executor)
        self._lanes: dict[str | None, AsyncLane] = {}
        self._is_closed = False

    @property
    def is_websocket(self) -> bool:
        """False once the turns go over HTTP."""
        lanes = self._lanes.values()
        return self._url is not None and all(lane.socket.is_websocket for lane in lanes)

    @overload
    def create(
        self,
        *,
        lane: str | None = None,
        text_format: None = None,
        **arguments: Unpack[CreateArguments],
    ) -> AsyncStream[Response]: ...
    @overload
    def create(
        self, *, lane: str | None = None, text_format: type[T], **arguments: Unpack[CreateArguments]
    ) -> "AsyncStream[ParsedResponse[T]]": ...
    @shows_parameters(CreateArguments)
    def create(
        self,
        *,
        lane: str | None = None,
        text_format: type[Any] | None = None,
        **arguments: Unpack[CreateArguments],
    ) -> "AsyncStream[Response] | AsyncStream[ParsedResponse[Any]]":
        """One turn, as the stream that `client.responses.stream` returns.

        It is sent when the stream is entered, opened or read, after the turns before it in its
        lane. `previous_response_id` continues a response with new items only, also one with
        `store=False` that this lane has made last. Leaving the stream early closes the WebSocket,
        which ends the response. Headers and query parameters count where a WebSocket is opened.

        Args:
            lane: the name of a WebSocket beside the usual one; up to 32.
            text_format: the type of the answer, which is then in `output_parsed`.

        Raises:
            APIConnectionError: the connection is closed.
            ConfigurationError: `background`, an invalid lane, or a value that cannot be sent.
            TypeError: a parameter the API does not have; `extra_body` sends it all the same.
        """
        return self._stream(arguments, lane, text_format)

    @shows_parameters(CreateArguments)
    async def warm_up(
        self, *, lane: str | None = None, **arguments: Unpack[CreateArguments]
    ) -> Response:
        """Send instructions, tools and input before they are needed; nothing is generated.

        The result has no output; its id is the `previous_response_id` of the first turn. Over HTTP
        nothing is sent, and the first turn sends everything.

        Raises:
            AzureResponsesError: as of a turn.
        """
        extra = {**(arguments.get("extra_body") or {}), "generate": False}
        warming: dict[str, Any] = {**arguments, "extra_body": extra}
        stream: AsyncTurnStream[Response] = self._stream(warming, lane, None)
        return await stream.get_final_response()

    async def steer(self, response_id: str, input: SteerInput) -> None:
        """Give a response that is being made further input.

        What becomes of it is an event in the stream of the response, or, where that has ended
        meanwhile, in `successor`. Only models from GPT-6 on can be steered (OpenAI).

        Args:
            response_id: of the response, as its first event has it.
            input: text, or messages of the user.

        Raises:
            SteeringError: no lane of this connection makes that response, or it makes it over HTTP.
            APIConnectionError: the WebSocket was lost.
        """
        self._check_open()
        given = input if isinstance(input, str) else list(input)
        lane = self._lane_of(response_id, given)
        lane.steered.append(given)
        try:
            await lane.socket.steer(response_id, given)
        except BaseException:
            lane.steered.remove(given)
            raise

    @overload
    def successor(
        self, lane: str | None = None, *, text_format: None = None
    ) -> AsyncStream[Response]: ...
    @overload
    def successor(
        self, lane: str | None = None, *, text_format: type[T]
    ) -> "AsyncStream[ParsedResponse[T]]": ...
    def successor(
        self, lane: str | None = None, *, text_format: type[Any] | None = None
    ) -> "AsyncStream[Response] | AsyncStream[ParsedResponse[Any]]":
        """The stream of the response that follows a steered one.

        The service begins it by itself, with the settings of the response before: call `create`
        only after its end. Opening the stream raises SteeringError where none follows, because the
        input was refused, or because the service waits for the results of calls first.

        Args:
            lane: of the response that was steered.
            text_format: the type of the answer; the default is that of the response before.

        Raises:
            SteeringError: no response of the lane was steered.
        """
        self._check_open()
        found = self._lanes.get(lane)
        if found is None or found.latest is None or not (found.response_id and found.steered):
            raise SteeringError(
                "No response of this lane was steered, so that none follows by itself.",
                hint="Call `steer` while a response is being made.",
            )
        request = found.latest.successor(found.response_id, tuple(found.steered), text_format)
        return AsyncTurnStream(self._turns, found, request, self._timeout)

    async def aclose(self) -> None:
        """Close the WebSockets; a stream that is still open ends with an error."""
        self._is_closed = True
        for lane in list(self._lanes.values()):
            await lane.aclose()

    def _stream(
        self, arguments: Mapping[str, Any], lane: str | None, text_format: type[Any] | None
    ) -> AsyncTurnStream[Any]:
        self._check_open()
        check_lane(lane)
        # A timeout of None is one: no limit.
        given = {n: value for n, value in arguments.items() if value is not None or n == "timeout"}
        merged = {**self._defaults, **given}
        parameters, options, timeout = split_arguments(merged, self._timeout)
        # A turn may be written twice, and kept.
        steady = {
            name: list(value) if isinstance(value, Iterator) else value
            for name, value in parameters.items()
        }
        request = TurnRequest(steady, options, text_format, lane)
        found = self._find_lane(lane)
        if found.socket.is_open:
            _warn_of_headers(given)
        return AsyncTurnStream(self._turns, found, request, timeout)

    def _find_lane(self, name: str | None) -> AsyncLane:
        found = self._lanes.get(name)
        if found is None:
            if len(self._lanes.keys() - {None}) >= _MOST_LANES and name is not None:
                raise ConfigurationError(
                    f"A connection has at most {_MOST_LANES} named lanes.",
                    hint="Use a lane again, or open another connection.",
                )
            socket = AsyncResponseSocket(self._executor, self._url)
            # Two threads may ask for the same lane.
            found = self._lanes.setdefault(name, AsyncLane(name, socket))
        return found

    def _lane_of(self, response_id: str, steered: Any) -> AsyncLane:
        for lane in list(self._lanes.values()):
            if lane.response_id == response_id:
                if lane.socket.is_websocket:
                    return lane
                raise SteeringError(
                    "A response that is made over HTTP cannot be steered.",
                    code="steering_not_supported",
                    input=steered,
                    hint="Send the input as the next turn.",
                )
        raise SteeringError(
            f"This connection makes no response {response_id!r}.",
            code="response_not_found",
            input=steered,
            hint="Send the input as the next turn.",
        )

    def _check_open(self) -> None:
        if self._is_closed:
            raise closed_error()


def _warn_of_headers(given: Mapping[str, Any]) -> None:
    """Warn of headers and query parameters that an open WebSocket cannot send any more."""
    # A turn with a key or an image deployment of its own gets a socket of its own.
    effective = CREDENTIAL_HEADERS | {IMAGE_HEADER}
    headers = [n for n in given.get("extra_headers") or () if n.lower() not in effective]
    late = [*headers, *(given.get("extra_query") or ())]
    if late:
        warn_caller(
            f"The WebSocket is open already, so that {', '.join(late)} is not sent with this turn: "
            "give extra_headers and extra_query to connect()."
        )


def _find_url(operations: Operations, executor: AsyncExecutor) -> str | None:
    """Where WebSockets are opened; None, after a warning, where everything goes over HTTP."""
    url = operations.settings.endpoint.websocket_url()
    reason = f"{operations.settings.endpoint.url('responses')} has none"
    if url is not None:
        url = executor.websocket_url(url)
        reason = "http_client has none: give proxy= and verify= to the client in its place"
    if url is None:
        warn_caller(f"The turns of this connection go over HTTP, not over WebSockets: {reason}.")
    elif find_spec("websockets") is None:
        raise ConfigurationError(
            "WebSockets need the package websockets.",
            hint="pip install 'azure-responses[websocket]'",
        )
    return url
