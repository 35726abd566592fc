"""The stream of one turn of a connection."""

from dataclasses import replace
from typing import Self, TypeVar

from azure_responses._async.connection_lane import AsyncLane, QueuedTurn
from azure_responses._async.socket_reply import AsyncSocketReply
from azure_responses._async.stream import AsyncStream
from azure_responses.errors import BadRequestError, ConfigurationError, ResponseNotFoundError
from azure_responses.protocol.call import Call
from azure_responses.protocol.connection_turns import (
    ConnectionTurns,
    TurnRequest,
    steering_error,
)
from azure_responses.transport import Timeout, patience_of
from azure_responses.types.response import Response
from azure_responses.types.steering import SteerFailedEvent, SteerPendingEvent

__all__ = ["AsyncTurnStream"]

R = TypeVar("R", bound=Response)

_FINAL = (SteerFailedEvent, SteerPendingEvent)
# How long the service may take to say what became of a steer, where another turn is to follow.
_STEER_SECONDS = 1.0
_REPLAY_HINT = (
    "The WebSocket does not know the response: it is not the latest of its lane, was made with "
    "store=False on a WebSocket that was lost, was forgotten when a turn that continued it was "
    "refused, or was deleted. connect(replay=True) sends the items of such responses again."
)
# For a successor, where the caller sets no limit.
_MOST_PATIENCE = 600.0


class AsyncTurnStream(AsyncStream[R]):
    """A stream that waits for its turn in a lane, and gives the lane back at its end.

    What is sent is decided when its turn has come: only then is known what the turns before it
    have left, and whether a WebSocket knows it.

    Args:
        turns: write the calls of the connection.
        lane: carries the turn.
        request: what the caller asked for.
        timeout: of the turn, and of the wait for it.
    """

    def __init__(
        self, turns: ConnectionTurns, lane: AsyncLane, request: TurnRequest, timeout: Timeout
    ) -> None:
        # What the caller did wrong is said at once, and not when the turn has come.
        self._written = turns.check(request)
        state = self._written.state
        super().__init__(lane.socket, turns.operations, state, request.options, timeout)
        self._turns = turns
        self._lane = lane
        self._request = request
        self._place: QueuedTurn | None = None

    async def open(self) -> Self:
        """Wait for the turn and send it; raises what the service answers.

        Raises:
            SteeringError: no successor follows; only of a stream that waits for one.
        """
        if self._is_connected_once or self._is_done:
            return self
        try:
            await self._begin()
            return await super().open()
        except BaseException:
            # A turn that was refused is not sent again by reading on.
            self._is_done = True
            self._leave()
            raise

    async def _begin(self) -> None:
        place = QueuedTurn()
        await self._lane.take(place, patience_of(self._timeout))
        self._place = place
        self._lane.watch(self, place)
        await self._settle()
        place.has_begun = True
        self._rewrite()

    async def _settle(self) -> None:
        """Find out what became of the steers before this turn."""
        lane, is_adopted = self._lane, self._request.is_adopted
        if not lane.steered:
            return
        patience = patience_of(self._timeout) or _MOST_PATIENCE
        events = await lane.read_steers(patience if is_adopted else _STEER_SECONDS)
        if is_adopted:
            final = next((event for event in events if isinstance(event, _FINAL)), None)
            if final is not None and not lane.steered:
                raise steering_error(final)
        else:
            # Nothing is lost: they come before the events of this turn.
            self._ready.extend(events)
            if lane.steered and lane.socket.knows(lane.response_id or ""):
                raise ConfigurationError(
                    f"The response {lane.response_id} was steered, and another follows by itself.",
                    hint="Read the stream of `successor()` before the next turn.",
                )

    def _rewrite(self) -> None:
        lane = self._lane
        request = self._request
        if lane.queued and request.parameters.get("previous_response_id") == lane.response_id:
            request = self._request = replace(request, queued=tuple(lane.queued))
        is_socket = lane.socket.is_websocket and self._state.call.conversion is None
        self._written = self._turns.write(request, is_socket=is_socket)
        self._state = self._written.state
        lane.latest, lane.response_id = request, None
        lane.steered.clear()
        lane.queued.clear()

    async def _connect(self, call: Call) -> None:
        try:
            await super()._connect(call)
        except BadRequestError as error:
            if not self._turns.drop_encryption(self._written, error):
                raise
            await super()._connect(call)
        except ResponseNotFoundError as error:
            if self._written.body is None:
                error.hint = _REPLAY_HINT
            raise
        if not isinstance(self._reply, AsyncSocketReply):
            # The WebSocket was given up only now.
            self._turns.note_http(self._request, self._written)

    async def _read(self) -> None:
        count = len(self._ready)
        await super()._read()
        lane = self._lane
        lane.response_id = self._state.response_id or lane.response_id
        if lane.steered:
            lane.note_steers(list(self._ready)[count:])

    async def _disconnect(self) -> None:
        await super()._disconnect()
        final = self._state.final_response
        if final is not None and self._place is not None:
            # Before the last event is handed out: a caller may go on in the middle of a loop.
            self._turns.keep(self._written, final)
            self._leave()

    async def _end_watch(self, error: BaseException | None) -> None:
        try:
            await super()._end_watch(error)
        finally:
            self._leave()

    def _leave(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            self._lane.give_back(place)
