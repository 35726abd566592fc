"""A WebSocket connection of the emulator: its turns, its lanes, and how it ends.

Each `response.create` is answered by the emulator as if it had been posted, so that limits,
faults, content filters and the log are those of HTTP. This module reads and writes the frames.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import anyio.lowlevel
from pydantic_core import to_json

from azure_responses.emulator.bounded_dict import BoundedDict
from azure_responses.emulator.broken_connections import (
    Message,
    Receive,
    Send,
    break_connection,
)
from azure_responses.emulator.connection_memory import EmulatedTurn, ReceivedSteer, SocketMemory
from azure_responses.emulator.http_messages import (
    Answerer,
    Break,
    Pause,
    PlannedReply,
    ReceivedRequest,
    ReplyStep,
)
from azure_responses.emulator.opaque_values import IdentifierMint
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.steering import (
    describe_failure,
    find_mistake,
    find_required_input,
    shorten_response,
)
from azure_responses.emulator.websocket_frames import (
    connection_expired,
    error_frame,
    read_create,
    read_frame,
    read_refusal,
    read_step,
    response_in_progress,
    stamp,
    too_many_lanes,
)

__all__ = ["Connection"]

_ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
# OpenAI's guide: so many responses are made at once, and further ones wait; so many names.
_MOST_ACTIVE = 16
_MOST_LANES = 32
# So many ended responses are kept: a steer that comes too late has its own error code.
_MOST_ENDED = 100
# How often a connection looks whether its time is over: the clock may be moved at any moment.
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 5.0


async def _receive_nothing() -> Message:
    await anyio.sleep_forever()
    return {}


@dataclass
class _Lane:
    """What one `stream_id` names: its turns run one after the other."""

    name: str | None
    turns: deque[EmulatedTurn] = field(default_factory=deque)
    is_busy: bool = False
    is_running: bool = False


class Connection:
    """One connection, from its first frame to its end.

    Args:
        emulator: who answers the calls.
        handshake: its host, path and headers are those of each call.
        receive, send: of ASGI.
    """

    def __init__(
        self, emulator: Answerer, handshake: ReceivedRequest, receive: Receive, send: Send
    ) -> None:
        self._emulator = emulator
        self._handshake = handshake
        self._receive = receive
        self._send = send
        self._mode = emulator.websocket
        self._opened_at = emulator.clock.now()
        self._memory = SocketMemory()
        self._lanes: dict[str | None, _Lane] = {None: _Lane(None)}
        self._active = anyio.Semaphore(_MOST_ACTIVE)
        self._turns: dict[str, EmulatedTurn] = {}
        self._ended: BoundedDict[str] = BoundedDict(_MOST_ENDED)
        # Steering that waits for the outputs of the caller's tools, by response.
        self._waiting: BoundedDict[list[ReceivedSteer]] = BoundedDict(_MOST_ENDED)
        self._mint = IdentifierMint(f"steers/{self._opened_at}", emulator.clock.now)
        self._group: anyio.abc.TaskGroup

    async def serve(self, opening: Iterator[ReplyStep]) -> None:
        """Serve until one side closes; `opening` is what a fault does before the first frame."""
        async with anyio.create_task_group() as self._group:
            self._group.start_soon(self._watch_clock)
            self._group.start_soon(self._open, opening)
            await self._read()
            self._leave()

    async def _open(self, steps: Iterator[ReplyStep]) -> None:
        for step in steps:
            if isinstance(step, Break):
                await self._break(step)
            elif isinstance(step, Pause):
                await self._wait(step.seconds)

    async def _watch_clock(self) -> None:
        while not self._is_over():
            await anyio.sleep(_LOOK_SECONDS)
        await self._expire()

    def _is_over(self) -> bool:
        return self._emulator.clock.now() >= self._opened_at + self._mode.seconds

    async def _expire(self) -> None:
        # Also in the middle of a response: whether Azure waits for its end is not documented.
        with anyio.move_on_after(_PATIENCE_SECONDS):
            await self._send_frame(error_frame(connection_expired(self._mode.seconds)))
            await self._close(1000)
        # A caller who reads nothing would keep the connection.
        await self._break(Break("reset"))

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._is_over():
                await self._expire()
            elif message.get("text") is None:
                await self._close(1003)
            else:
                await self._take(message["text"])

    async def _take(self, text: str) -> None:
        lane = None
        try:
            frame = read_frame(text)
            if frame["type"] == "response.steer":
                await self._steer(frame)
                return
            given = frame.get("stream_id")
            lane = given if self._mode.lanes and isinstance(given, str) and given else None
            self._create(frame, text)
        except ServiceError as error:
            await self._send_frame(error_frame(error), lane)

    # --- turns ------------------------------------------------------------------------------------

    def _create(self, frame: dict[str, Any], text: str) -> None:
        asked = read_create(frame, self._mode.lanes)
        if asked.lane not in self._lanes and len(self._lanes) > _MOST_LANES:
            raise too_many_lanes(_MOST_LANES)
        lane = self._lanes.setdefault(asked.lane, _Lane(asked.lane))
        if lane.is_busy and not self._mode.lanes:
            raise response_in_progress()
        lane.is_busy = True
        lane.turns.append(
            EmulatedTurn(self._memory, lane.name, asked.body, text.encode(), asked.is_warm_up)
        )
        if not lane.is_running:
            lane.is_running = True
            self._group.start_soon(self._run, lane)

    async def _run(self, lane: _Lane) -> None:
        while lane.turns:
            async with self._active:
                turn: EmulatedTurn | None = lane.turns.popleft()
                while turn is not None:
                    turn = await self._serve_turn(lane, turn)
        lane.is_running = False

    async def _serve_turn(self, lane: _Lane, turn: EmulatedTurn) -> EmulatedTurn | None:
        """Serve one turn; the answer is the one that the service begins after it, if any."""
        waiting = self._take_waiting(turn)
        reply = self._emulator.handle(self._write_call(turn, waiting))
        if reply.broken is not None:
            await self._break(reply.broken)
        await self._wait(reply.delay)
        steps = iter(()) if reply.steps is None else reply.steps
        try:
            if reply.status == 200:
                return await self._stream(lane, turn, steps)
            await self._open(steps)
            await self._refuse_turn(lane, turn, reply, waiting)
            return None
        finally:
            # A response whose stream was left early is never stored; its generator sees to that.
            close = getattr(steps, "close", None)
            if close is not None:
                close()

    def _take_waiting(self, turn: EmulatedTurn) -> list[ReceivedSteer]:
        # A fork on another lane is not what the input waits for.
        if not self._memory.is_newest(turn.lane, turn.parent_id):
            return []
        return self._waiting.pop(turn.parent_id, [])

    def _write_call(self, turn: EmulatedTurn, waiting: list[ReceivedSteer]) -> ReceivedRequest:
        body = {**turn.body, "stream": True}
        given = body.get("input")
        if waiting and isinstance(given, str | list):
            own = [{"role": "user", "content": given}] if isinstance(given, str) else given
            body["input"] = [item for steer in waiting for item in steer.items] + own
        return replace(self._handshake, method="POST", body=to_json(body), turn=turn)

    async def _refuse_turn(
        self, lane: _Lane, turn: EmulatedTurn, reply: PlannedReply, waiting: list[ReceivedSteer]
    ) -> None:
        self._memory.evict(lane.name, turn.parent_id)
        # A successor that fails is the answer to the steers that asked for it.
        steers = [*waiting, *turn.steers]
        lane.is_busy = bool(lane.turns)
        if not turn.steers:
            await self._send_frame(read_refusal(reply), lane.name)
        await self._fail_steers(turn, steers, "successor_creation_failed")

    async def _stream(
        self, lane: _Lane, turn: EmulatedTurn, steps: Iterator[ReplyStep]
    ) -> EmulatedTurn | None:
        # A successor has begun: what it was steered with is committed.
        turn.steers.clear()
        if turn.record is not None:
            self._turns[turn.record.id] = turn
        end = ""
        for step in steps:
            if isinstance(step, Pause):
                await self._wait(step.seconds)
            elif isinstance(step, Break):
                await self._break(step)
            else:
                kind, text = read_step(step)
                turn.sent += 1
                # Before the caller can know: the next frame may come at once.
                if kind in _ENDS and not end:
                    end = kind
                    self._finish(lane, turn, kind)
                await self._send_text(stamp(text, lane.name, turn.extra))
        if not end:
            await self._close(1000)
        return await self._settle_steers(lane, turn, end)

    def _finish(self, lane: _Lane, turn: EmulatedTurn, end: str) -> None:
        record = turn.record
        if record is None or end not in ("response.completed", "response.incomplete"):
            self._memory.evict(lane.name, turn.parent_id)
        else:
            self._memory.keep(lane.name, record)
        if record is not None:
            del self._turns[record.id]
            is_whole = end == "response.completed"
            self._ended[record.id] = (
                "response_already_completed" if is_whole else "response_not_active"
            )
            if turn.steers and is_whole and find_required_input(record.output_items):
                self._waiting[record.id] = turn.steers
        lane.is_busy = bool(lane.turns) or self._has_successor(turn, end)

    def _has_successor(self, turn: EmulatedTurn, end: str) -> bool:
        record = turn.record
        if not turn.steers or record is None or record.id in self._waiting:
            return False
        details = record.response.get("incomplete_details") or {}
        return end == "response.completed" or details.get("reason") == "steered"

    # --- steering ---------------------------------------------------------------------------------

    async def _steer(self, frame: dict[str, Any]) -> None:
        mistake, target = find_mistake(frame), None
        previous = frame.get("previous_response_id")
        if isinstance(previous, str):
            target = self._turns.get(previous)
        code = "invalid_input" if mistake else self._refuses_steer(target, previous)
        lane = target.lane if target else None
        number = target.next_number() if target else 0
        if code or target is None or target.record is None:
            failure = describe_failure(code or "response_not_found", frame, number, mistake)
            await self._send_frame(failure, lane)
            return
        steer = ReceivedSteer("steer_" + self._mint.digits(50), target.record.id, frame["input"])
        target.steers.append(steer)
        shorten_response(target.record, target.sent)
        accepted = {
            "type": "response.steer.accepted",
            "sequence_number": number,
            "steer": steer.describe(),
        }
        await self._send_frame(accepted, lane)

    def _refuses_steer(self, target: EmulatedTurn | None, previous: Any) -> str | None:
        if target is None:
            return self._ended.get(previous, "response_not_found")
        if not target.can_be_steered:
            return "steering_not_supported"
        is_full = len(target.steers) >= self._mode.most_steers
        return "too_many_pending_steers" if is_full else None

    async def _settle_steers(
        self, lane: _Lane, turn: EmulatedTurn, end: str
    ) -> EmulatedTurn | None:
        """What follows the end of a response that was steered: its successor, or its turn."""
        record = turn.record
        if not turn.steers or record is None:
            return None
        if self._has_successor(turn, end):
            given = [item for steer in turn.steers for item in steer.items]
            body = {**turn.body, "previous_response_id": record.id, "input": given}
            frame = to_json({"type": "response.create", **body})
            return EmulatedTurn(self._memory, lane.name, body, frame, steers=turn.steers)
        if end != "response.completed":
            await self._fail_steers(turn, turn.steers, "response_not_active")
            return None
        for steer in turn.steers:
            pending = {
                "type": "response.steer.pending",
                "sequence_number": turn.next_number(),
                "steer": steer.describe(),
                "reason": "waiting_for_required_input",
                "required_input": find_required_input(record.output_items),
            }
            await self._send_frame(pending, lane.name)
        return None

    async def _fail_steers(
        self, turn: EmulatedTurn, steers: list[ReceivedSteer], code: str
    ) -> None:
        for steer in steers:
            asked = {"previous_response_id": steer.previous_response_id, "input": steer.given}
            failure = describe_failure(code, asked, turn.next_number(), steer=steer)
            await self._send_frame(failure, turn.lane)

    # --- the connection ---------------------------------------------------------------------------

    async def _wait(self, seconds: float) -> None:
        await anyio.sleep(self._emulator.clock.wait(seconds))

    async def _send_frame(self, frame: dict[str, Any], lane: str | None = None) -> None:
        where = {} if lane is None else {"stream_id": lane}
        await self._send_text(to_json({**frame, **where}).decode())

    async def _send_text(self, text: str) -> None:
        await self._send_message({"type": "websocket.send", "text": text})
        # Frames of the caller, and other lanes, get their turn between two events.
        await anyio.lowlevel.checkpoint()

    async def _send_message(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:
            # ASGI's word for a caller who has gone.
            self._leave()

    async def _close(self, code: int) -> None:
        await self._send_message({"type": "websocket.close", "code": code})
        await self._end()

    async def _break(self, broken: Break) -> None:
        if broken.kind == "close":
            await self._close(broken.code)
        # The end of the connection is noticed where its frames are read.
        await break_connection(broken, _receive_nothing, self._send)
        await self._end()

    async def _end(self) -> None:
        self._leave()
        # What called this goes no further: it is cancelled here.
        await anyio.sleep_forever()

    def _leave(self) -> None:
        self._group.cancel_scope.cancel()
