"""One WebSocket connection of a caller, without its socket: lanes, turns and their end.

Each `response.create` is a turn: one call, made by `perform` as if it had come as a POST, whose
reply goes back as frames. The turns of one lane follow one another; turns of several lanes are
made at the same time, up to a limit, and others wait.

| state | event | next state | what happens |
|---|---|---|---|
| new | a `response.create` | open | its turn begins |
| new | another frame, or none in time | closed | an error, 1008 |
| open | a `response.create` | open | its turn begins, or waits for its lane or for a place |
| open | a binary message | closed | turns are given up, 1003 |
| open | the time of the connection is over | ending | waiting turns are refused |
| open | the server shuts down | ending | waiting turns are refused |
| ending | the last turn has ended | closed | an error, 1000, or 1012 at a shutdown |
| any | the caller leaves, or reads nothing | closed | turns are given up |
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from azure_responses._async.concurrency import run_in_thread
from azure_responses.call_options import new_warm_up_id
from azure_responses.errors import AzureResponsesError
from azure_responses.openai_server.connection_frames import (
    ClientFrame,
    FrameError,
    check_steer,
    create_body,
    event_frame,
    frame_error,
    frame_of_error,
    read_client_frame,
    steer_failure,
    time_over_frame,
    waiting_frame,
    write_body,
)
from azure_responses.openai_server.reply_frames import warm_up_frames
from azure_responses.openai_server.request_json import invalid_request, read_object
from azure_responses.openai_server.turn_queue import TurnQueue, WebSocketLimits
from azure_responses.openai_server.turn_reply import Message, Send, TurnReply
from azure_responses.router._async.routed_connection import AsyncRoutedConnection
from azure_responses.router.connection_turn import ConnectionTurn

__all__ = ["Close", "ServedConnection", "read_frame_json"]

LOGGER = logging.getLogger("azure_responses.openai_server")

# What takes milliseconds to read, which other tasks should not wait for.
_LONG_FRAME = 256 * 1024
# So many ended responses are kept: a steer that comes too late has its own error code.
_MOST_ENDED = 64

Receive = Callable[[], Awaitable[str | bytes | None]]
"""The next message of the caller: a text, binary bytes, or None once they have left."""

Perform = Callable[[bytes, ConnectionTurn, Callable[[Message], Awaitable[None]]], Awaitable[None]]
"""Answers a `POST /responses` with that body and turn; the reply goes out as messages of ASGI."""

Check = Callable[[bytes, ConnectionTurn], Awaitable[None]]
"""Raises AzureResponsesError for a body that a POST would be refused for."""


class Close(NamedTuple):
    """How a connection ends: code and reason of the WebSocket's close frame."""

    code: int
    reason: str = ""


_LEFT = Close(1006)


async def read_frame_json(content: bytes) -> dict[str, Any]:
    """The JSON object in a frame.

    Raises:
        BadRequestError: the content is not a JSON object.
    """
    if len(content) < _LONG_FRAME:
        return read_object(content)
    return await run_in_thread(partial(read_object, content))


async def _check_nothing(body: bytes, turn: ConnectionTurn) -> None:
    """Let every body pass."""


class ServedConnection:
    """One connection; for one event loop, in which it is made.

    Args:
        routed: what it remembers, and its sockets. Closed at the end of `run`.
        perform: makes one turn.
        send: sends a frame to the caller; it may wait until they have read.
        limits: of the connection.
        model: for turns that name none; None takes that of the first turn.
        check: of a warm-up, which is answered here.
        read: the JSON of a frame.
        ended: called when a turn has ended.
        hold: counts so many bytes more (or, negative, fewer) of turns that wait; False has no room.
    """

    def __init__(
        self,
        routed: AsyncRoutedConnection,
        perform: Perform,
        send: Send,
        limits: WebSocketLimits | None = None,
        *,
        model: str | None = None,
        check: Check = _check_nothing,
        read: Callable[[bytes], Awaitable[dict[str, Any]]] = read_frame_json,
        ended: Callable[[], None] | None = None,
        hold: Callable[[int], bool] = lambda size: True,
    ) -> None:
        self._routed = routed
        self._perform = perform
        self._send_text = send
        self._limits = limits or WebSocketLimits()
        self._model = model
        self._check = check
        self._read = read
        self._tell_of_end = ended
        self._hold = hold
        self._held = 0
        self._loop = asyncio.get_running_loop()
        self._queue: TurnQueue[ClientFrame] = TurnQueue(self._limits)
        self._tasks: set[asyncio.Task[None]] = set()
        self._made: dict[str | None, ConnectionTurn] = {}
        self._ended: deque[str] = deque(maxlen=_MOST_ENDED)
        self._has_begun = False
        self._last_sign = self._loop.time()
        self._closed: asyncio.Future[Close] = self._loop.create_future()
        # What to say, and how to close, once the turns under way have ended.
        self._ending: tuple[Callable[[str | None], str], Close] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def run(self, receive: Receive) -> Close:
        """Serve the connection until it ends; returns how to close it.

        No turn is under way any more then.
        """
        self._start_timers()
        reader = self._loop.create_task(self._read_frames(receive))
        either: set[asyncio.Future[Any]] = {reader, self._closed}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._closed.done():
                # Only an unexpected error ends the reader before the connection.
                reader.result()
            return await self._say_goodbye()
        finally:
            # Also where this task was cancelled: no turn begins any more.
            self._end(_LEFT)
            self._release(self._held)
            for timer in self._timers.values():
                timer.cancel()
            await _cancel({reader, *self._tasks})
            await asyncio.shield(self._routed.aclose())

    def drain(self, error: BaseException) -> None:
        """Begin no more turns; say why, and close with 1012, when those under way have ended."""
        self._end_after_turns(partial(frame_of_error, error), Close(1012, "shutting down"))

    # How it ends.

    def _start_timers(self) -> None:
        limits, later = self._limits, self._loop.call_later
        self._timers["first"] = later(limits.first_seconds, self._miss_first)
        self._timers["max"] = later(limits.max_seconds, self._end_of_time)
        if limits.idle_seconds:
            self._timers["idle"] = later(limits.idle_seconds, self._look_for_signs)

    def _miss_first(self) -> None:
        if not self._has_begun:
            error = invalid_request("No response.create came in time.", code="invalid_value")
            self._refuse_first(error)

    def _refuse_first(self, error: BaseException) -> None:
        self._end_after_turns(
            partial(frame_of_error, error), Close(1008, "the first frame is not a response.create")
        )

    def _end_of_time(self) -> None:
        frame = partial(time_over_frame, self._limits.max_seconds)
        self._end_after_turns(frame, Close(1000, "connection limit reached"))

    def _look_for_signs(self) -> None:
        silence = 0.0 if self._queue.active else self._loop.time() - self._last_sign
        left = self._limits.idle_seconds - silence
        if left <= 0:
            self._end(Close(1000, "idle"))
        else:
            self._timers["idle"] = self._loop.call_later(left, self._look_for_signs)

    def _end_after_turns(self, frame: Callable[[str | None], str], close: Close) -> None:
        if self._ending is None:
            self._ending = frame, close
            self._end_if_over()

    def _end_if_over(self) -> None:
        if self._ending is not None and not self._queue.active:
            self._end(self._ending[1])

    def _end(self, close: Close) -> None:
        if not self._closed.done():
            self._closed.set_result(close)

    async def _say_goodbye(self) -> Close:
        """Refuse the turns that wait, and say why the connection ends, where there is a reason."""
        close = self._closed.result()
        if self._ending is not None and close is self._ending[1]:
            named = [lane for lane in self._queue.clear() if lane is not None]
            try:
                for lane in (*named, None):
                    await self._send_text(self._ending[0](lane))
            except OSError:
                return _LEFT
        return close

    # What the caller sends.

    async def _read_frames(self, receive: Receive) -> None:
        while not self._closed.done():
            message = await receive()
            self._last_sign = self._loop.time()
            if message is None:
                self._end(_LEFT)
            elif isinstance(message, bytes):
                self._end(Close(1003, "binary frames are not read"))
            else:
                await self._take(message.encode("utf-8", "replace"))

    async def _take(self, content: bytes) -> None:
        try:
            frame = read_client_frame(await self._read(content), content)
            if frame.type == "response.create":
                await self._add(frame)
            elif self._has_begun:
                await self._steer(frame)
            else:
                raise frame_error("The first frame is not a response.create.", "type")
        except FrameError as error:
            if error.param == "type" and not self._has_begun:
                self._refuse_first(error)
            else:
                await self._send(frame_of_error(error, error.lane))
        except AzureResponsesError as error:
            await self._send(frame_of_error(error))

    async def _add(self, frame: ClientFrame) -> None:
        self._has_begun = True
        lane, size = frame.lane, len(frame.content)
        if self._ending is not None:
            await self._send(self._ending[0](lane))
        elif not self._queue.knows(lane):
            message = f"A connection may use {self._limits.most_lanes} names as stream_id."
            code = "websocket_stream_limit_reached"
            raise frame_error(message, "stream_id", code=code, lane=lane)
        elif not self._queue.has_room(size) or not self._hold(size):
            await self._send(waiting_frame(lane))
        else:
            self._held += size
            self._queue.add(lane, frame, size)
            self._begin_turns()

    async def _steer(self, frame: ClientFrame) -> None:
        lane = None
        try:
            response_id, steered = check_steer(frame.body)
            lane = self._lane_of(response_id)
            await self._routed.steer(response_id, steered)
        except AzureResponsesError as error:
            await self._send(steer_failure(frame.body, error, lane))

    def _lane_of(self, response_id: str) -> str | None:
        """The lane of a response that is being made.

        Raises:
            BadRequestError: it is not being made.
        """
        for lane, turn in self._made.items():
            if turn.response is not None and turn.response.get("id") == response_id:
                return lane
        if response_id in self._ended:
            message = "The response has ended."
            raise invalid_request(message, code="response_already_completed")
        message = "This connection makes no response of that id."
        raise invalid_request(message, code="response_not_found")

    # What it answers.

    def _begin_turns(self) -> None:
        while not self._is_ending and (begun := self._queue.begin()) is not None:
            self._release(len(begun[1].content))
            task = self._loop.create_task(self._serve(*begun))
            self._tasks.add(task)
            task.add_done_callback(partial(self._note_end, begun[0]))

    def _release(self, size: int) -> None:
        """Turns do not wait any more."""
        if size:
            self._held -= size
            self._hold(-size)

    @property
    def _is_ending(self) -> bool:
        return self._ending is not None or self._closed.done()

    def _note_end(self, lane: str | None, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._queue.end(lane)
        self._last_sign = self._loop.time()
        if self._tell_of_end is not None:
            self._tell_of_end()
        if not task.cancelled() and (error := task.exception()) is not None:
            LOGGER.error("A WebSocket connection failed", exc_info=error)
            self._end(Close(1011, "the server failed"))
        self._begin_turns()
        self._end_if_over()

    async def _serve(self, lane: str | None, frame: ClientFrame) -> None:
        """Make a turn, and those that the service begins by itself after it."""
        body: Mapping[str, Any] = frame.body
        if body.get("model") is None and self._model is not None:
            body = {**body, "model": self._model}
        elif self._model is None and isinstance(body.get("model"), str):
            self._model = body["model"]
        try:
            sent, turn = self._routed.begin(body, lane)
        except AzureResponsesError as error:
            await self._send(frame_of_error(error, lane))
            return
        warms_up = not frame.generates
        if warms_up and not self._routed.warms_up(body.get("model")):
            await self._warm_up(create_body(frame, sent), body, turn)
            return
        await self._make(create_body(frame, sent, warms_up=warms_up), turn)
        while (following := await self._await_successor(turn)) is not None:
            sent, turn = following
            await self._make(write_body(sent), turn)
            await self._routed.stop_refused(turn)

    async def _await_successor(
        self, turn: ConnectionTurn
    ) -> tuple[Mapping[str, Any], ConnectionTurn] | None:
        """What the service begins by itself after a steer, once it has said so."""
        try:
            async for event in self._routed.side_events(turn):
                await self._send(event_frame(event, turn.lane))
        except AzureResponsesError as error:
            # The turn has ended in order: what became of the steer is not known.
            await self._send(frame_of_error(error, turn.lane))
        return self._routed.successor_begins(turn)

    async def _make(self, content: bytes, turn: ConnectionTurn) -> None:
        """Make one turn; whatever happens, it ends with one terminal frame."""
        self._made[turn.lane] = turn
        reply = TurnReply(turn, self._send, self._note_response)
        try:
            await self._perform(content, turn, reply.take)
        except Exception:
            LOGGER.exception("A turn of a WebSocket connection failed")
        except asyncio.CancelledError:
            turn.ended(failed=True)
            raise
        finally:
            del self._made[turn.lane]
        await reply.end()

    async def _warm_up(self, content: bytes, body: Mapping[str, Any], turn: ConnectionTurn) -> None:
        """Answer a turn without output for a service that has no such turns."""
        try:
            await self._check(content, turn)
            response_id = new_warm_up_id()
            frames = warm_up_frames(body, turn.lane, response_id=response_id, now=time.time())
        except AzureResponsesError as error:
            turn.ended(failed=True)
            await self._send(frame_of_error(error, turn.lane))
            return
        for frame in frames:
            if frame.is_terminal:
                turn.ended(frame.response)
                self._ended.append(response_id)
            await self._send(frame.text)

    def _note_response(self, turn: ConnectionTurn) -> None:
        response_id = (turn.response or {}).get("id")
        if isinstance(response_id, str):
            self._ended.append(response_id)

    async def _send(self, text: str) -> None:
        if not self._closed.done():
            try:
                await self._send_text(text)
            except OSError:
                self._end(_LEFT)
        if self._closed.done():
            # As the task will be anyway: the rest of it is for a caller who has left.
            raise asyncio.CancelledError


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    """Give up what is under way, and wait for its end."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
