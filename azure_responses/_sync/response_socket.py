# Written by scripts/unasync: change the file of this name in ../_async instead.
"""A WebSocket in the place of an executor: streams that it opens come over the socket.

A socket carries one response at a time. What it cannot carry goes over HTTP: a background response,
the API of another deployment, every other operation, and everything once the service has refused
WebSockets or lost too many.
"""

import random
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any, TypeVar

from azure_responses._sync.concurrency import shield
from azure_responses._sync.converted_calls import ConvertedStream
from azure_responses._sync.executor import Executor
from azure_responses._sync.socket_reply import SocketReply, WarmUpReply
from azure_responses._sync.watch import Watch
from azure_responses.errors import (
    APIConnectionError,
    APITimeoutError,
    AzureResponsesError,
    ConfigurationError,
    CredentialError,
    ResponseNotFoundError,
)
from azure_responses.fork import in_forked_child
from azure_responses.protocol.call import Call, TypedCall
from azure_responses.protocol.http_message import CREDENTIAL_HEADERS, Reply
from azure_responses.protocol.image_deployment import IMAGE_HEADER
from azure_responses.protocol.socket_frames import (
    NOT_OFFERED,
    ServerFrame,
    SocketSettings,
    no_successor,
    read_server_frame,
    reply_of,
    steer_frame,
)
from azure_responses.protocol.socket_state import SocketState, SocketTurn, Verdict, turn_of
from azure_responses.protocol.warm_up import is_warm_up
from azure_responses.protocol.warning import warn_caller
from azure_responses.reply_body import StreamedReply
from azure_responses.timeouts import OpeningTimeout, TimeLimit, Timeout, limit_of
from azure_responses.types.result import Result
from azure_responses.websocket_connections import HandshakeError, WebSocket

__all__ = ["ResponseSocket"]

R = TypeVar("R", bound=Result)

# How long to wait for what becomes of a steer before its socket is given up for another turn.
_STEER_SECONDS = 1.0


class ResponseSocket:
    """One WebSocket, and those that take over from it; connects on use.

    Stands where an executor stands. It belongs to one reader: a second turn cannot begin before the
    first one has ended.

    Args:
        executor: sends what goes over HTTP, and knows credentials and network.
        url: of the WebSocket; None where everything goes over HTTP.
        settings: its limits.
    """

    def __init__(
        self, executor: Executor, url: str | None, settings: SocketSettings | None = None
    ) -> None:
        self.telemetry = executor.telemetry
        self._executor = executor
        self._url = url or ""
        self._settings = settings or SocketSettings()
        self._state = SocketState(self._settings)
        if url is None:
            self._state.refuse()
        self._socket: WebSocket | None = None
        self._turn: SocketTurn | None = None
        # What the socket was opened with: the secret, and the caller's own credential headers.
        self._secret: str | None = None
        self._own: Mapping[str, str] = {}
        # A socket has headers only in its handshake, and Azure reads this name from a header.
        self._image_deployment: str | None = None
        # Something was sent, and is not answered to its end.
        self._is_busy = False
        # Who gives no URL has said why.
        self._has_warned = url is None
        # What came between two turns: about steers, and the first event of a successor.
        self._side: deque[ServerFrame] = deque()
        self._successor: ServerFrame | None = None
        in_forked_child(self, ResponseSocket._leave_parent)

    @property
    def reconnects(self) -> int:
        """How many sockets took the place of another."""
        return max(0, self._state.opened_count - 1)

    @property
    def is_websocket(self) -> bool:
        """False once everything goes over HTTP."""
        return not self._state.is_http

    @property
    def is_open(self) -> bool:
        """True while a socket is open: its handshake, with the headers, is over."""
        return self._socket is not None and self._socket.is_open

    @property
    def expects_successor(self) -> bool:
        """True where the service begins a response by itself, which no turn has adopted yet."""
        return self._successor is not None or self._state.expects_successor

    def knows(self, response_id: str) -> bool:
        """True where the live socket can continue the response from its own memory."""
        return self.is_open and self._state.knows(response_id, time.monotonic())

    def send(self, call: Call, timeout: Timeout, watch: Watch | None = None) -> Reply:
        """The whole reply, over HTTP."""
        return self._executor.send(call, timeout, watch)

    def exchange(
        self, call: TypedCall[R], timeout: Timeout, watch: Watch | None
    ) -> tuple[Reply, R]:
        """Reply and result of a call, over HTTP."""
        return self._executor.exchange(call, timeout, watch)

    def open(
        self, call: Call, timeout: Timeout, watch: Watch | None = None
    ) -> "SocketReply | WarmUpReply | StreamedReply | ConvertedStream":
        """A reply whose events are still to be read; the caller closes it.

        Raises:
            ConfigurationError: another turn has not ended, or the request is too large.
            AzureResponsesError: what the service answers, or the network ends with.
        """
        turn = turn_of(call)
        if turn is None:
            return self._over_http(call, timeout, watch)
        if self._turn is not None:
            raise ConfigurationError(
                "The WebSocket still carries another response.",
                hint="Read its stream to the end or close it first; or use another lane.",
            )
        self._turn = turn
        try:
            with nullcontext() if watch is None else watch.active():
                opened = self._open(turn, call, timeout, watch)
        except BaseException:
            self.end_turn(turn)
            raise
        if opened is not None:
            return opened
        self.end_turn(turn)
        return self._over_http(call, timeout, watch)

    def steer(self, previous_response_id: str, steered: Any) -> None:
        """Steer the response that is being made; what becomes of it comes as an event.

        Raises:
            APIConnectionError: there is no live socket.
        """
        text = steer_frame(previous_response_id, steered)
        self._live().send(text, TimeLimit(self._settings.connect_timeout))

    def side_events(self, seconds: float = _STEER_SECONDS) -> Iterator[ServerFrame]:
        """The steer events that come between two turns.

        Ends with the first event of the response that a steer begins, which is kept for the turn
        that adopts it, or when nothing has come for so many seconds.
        """
        while True:
            while self._side:
                yield self._side.popleft()
            if self._turn is not None or not self._read_aside(TimeLimit(seconds)):
                return

    def close(self) -> None:
        """Close the socket; a turn that is going on ends."""
        self._turn = None
        self._drop()

    def _over_http(
        self, call: Call, timeout: Timeout, watch: Watch | None
    ) -> WarmUpReply | StreamedReply | ConvertedStream:
        if is_warm_up(call.parameters):
            return WarmUpReply(call)
        return self._executor.open(call, timeout, watch)

    def _open(
        self, turn: SocketTurn, call: Call, timeout: Timeout, watch: Watch | None
    ) -> SocketReply | None:
        """A reply; None where the call goes over HTTP."""
        # A successor exists on its socket only.
        call.has_begun = turn.is_adopted
        before: AzureResponsesError | None = None
        while not self._state.is_http:
            try:
                opened = self._attempt(turn, call, timeout)
            except HandshakeError:
                # Nothing was sent: the other side may take the request over HTTP.
                break
            if isinstance(opened, SocketReply):
                call.has_begun = True
                return opened
            if opened is not None and not self._state.is_http:
                self._retry(call, _caused(opened, before), watch)
                before = opened
                if call.conversion is not None:
                    # The deployment speaks another API, which only HTTP carries.
                    return None
        if turn.is_adopted:
            raise APIConnectionError("The WebSocket of the response that was steered was lost.")
        if self._state.is_http:
            self._warn()
        return None

    def _attempt(
        self, turn: SocketTurn, call: Call, timeout: Timeout
    ) -> SocketReply | AzureResponsesError | None:
        """What one attempt ends with; None for another at once."""
        try:
            opened = self._begin(turn, call, timeout)
        except HandshakeError:
            raise
        except AzureResponsesError as failure:
            return failure
        if not isinstance(opened, Reply):
            return opened
        return call.failure(opened.status, opened.headers, opened.body, time.time())

    def _retry(self, call: Call, error: AzureResponsesError, watch: Watch | None) -> None:
        attempt = call.next_attempt(error, time.monotonic(), random.random())
        if watch is not None:
            watch.retry(error, attempt.delay)
        if attempt.refreshes_token:
            # The socket was opened with the old one.
            self._drop()
        self._executor.prepare(attempt, call.secret, is_socket=True)

    def _begin(self, turn: SocketTurn, call: Call, timeout: Timeout) -> SocketReply | Reply | None:
        """A reply, the HTTP reply that stands for a refusal, or None for another attempt."""
        limit = limit_of(timeout)
        if turn.is_adopted:
            frame: ServerFrame | Reply | None = self._adopt(limit)
        else:
            frame = self._ask(turn, call, limit)
        if not isinstance(frame, ServerFrame):
            return frame
        assert self._socket is not None
        return SocketReply(
            self,
            turn,
            frame,
            self._socket.headers,
            limit,
            is_opening=isinstance(timeout, OpeningTimeout),
        )

    def _ask(self, turn: SocketTurn, call: Call, limit: TimeLimit) -> ServerFrame | Reply | None:
        """Send the turn: its first event, or as `_begin`."""
        self._retire(turn, call, limit)
        is_fresh = self._socket is None
        # So that no error repeats it.
        call.secret = self._secret
        if is_fresh and (refusal := self._connect(call, limit)) is not None:
            return refusal
        try:
            self._send(turn, limit)
            frame, verdict = self._read_first(limit)
        except APITimeoutError:
            self._drop()
            raise
        except APIConnectionError:
            self._drop()
            if is_fresh:
                self._state.fail()
                raise
            # It had died since the last turn.
            return None
        if verdict == "begun":
            return frame
        self._is_busy = False
        headers = self._live().headers
        if verdict == "outdated":
            self._drop()
        if verdict == "unknown" or (verdict == "outdated" and not is_fresh):
            return None
        return reply_of(frame, headers)

    def _retire(self, turn: SocketTurn, call: Call, limit: TimeLimit) -> None:
        """Give up a socket that this turn cannot go over."""
        if _own_credentials(call) != self._own or not self._draws_with(call):
            # Another caller pays for the turn, or another deployment draws its images.
            self._drop()
        if self._socket is not None and not self._is_fit(self._socket, turn, limit):
            self._drop()

    def _draws_with(self, call: Call) -> bool:
        """False where the turn needs an image deployment that the handshake did not name."""
        name = call.request.headers.get(IMAGE_HEADER)
        return name is None or name == self._image_deployment

    def _is_fit(self, socket: WebSocket, turn: SocketTurn, limit: TimeLimit) -> bool:
        if not socket.is_open or self._state.is_due(time.monotonic(), turn):
            return False
        if not self._has_settled():
            return False
        return not socket.is_doubtful or socket.probe(limit)

    def _has_settled(self) -> bool:
        """False where a successor that no turn has adopted is being made."""
        while self._state.expects_successor:
            if not self._read_aside(TimeLimit(_STEER_SECONDS)):
                return False
        return self._successor is None

    def _connect(self, call: Call, limit: TimeLimit) -> Reply | None:
        """Open a socket; the reply that refuses it, None where it is open or is not offered."""
        try:
            opened = self._executor.open_socket(self._url, call, self._settings, limit)
        except APIConnectionError as error:
            # A caller who is in a hurry says nothing of the socket; nor does a missing token.
            if limit.left() > 0 and not isinstance(error, CredentialError):
                self._state.fail()
            raise
        if isinstance(opened, WebSocket):
            self._socket = opened
            self._secret, self._own = call.secret, _own_credentials(call)
            self._image_deployment = call.request.headers.get(IMAGE_HEADER)
            self._state.opened(time.monotonic())
            return None
        if opened.status in NOT_OFFERED:
            self._state.refuse()
        return opened

    def _send(self, turn: SocketTurn, limit: TimeLimit) -> None:
        text = turn.frame(is_short=self._state.begin(turn), settings=self._settings)
        self._is_busy = True
        self._live().send(text, limit)

    def _read_first(self, limit: TimeLimit) -> tuple[ServerFrame, Verdict]:
        while True:
            frame = read_server_frame(self._live().receive(limit))
            verdict = self._state.take_first(frame)
            if verdict != "aside":
                self._is_busy = not frame.is_terminal
                return frame, verdict
            self._side.append(frame)

    def _adopt(self, limit: TimeLimit) -> ServerFrame | Reply:
        """The first event of the response that a steer begins, or the reply that refuses it."""
        frame, self._successor = self._successor, None
        while frame is None or frame.is_steer:
            frame = self._receive(limit)
            if frame.is_steer:
                self._side.append(frame)
                if not self._state.expects_successor:
                    return no_successor(frame, self._live().headers)
        self._state.take_first(frame)
        self._is_busy = not frame.is_terminal
        return frame

    def read_event(self, turn: SocketTurn, limit: TimeLimit) -> ServerFrame:
        """The next event of the turn that is going on."""
        if self._turn is not turn:
            raise APIConnectionError("The WebSocket was closed before the stream was read.")
        frame = self._receive(limit)
        self._is_busy = not frame.is_terminal
        return frame

    def _receive(self, limit: TimeLimit) -> ServerFrame:
        try:
            frame = read_server_frame(self._live().receive(limit))
        except APITimeoutError:
            raise
        except APIConnectionError:
            self._state.fail()
            self._drop()
            raise
        self._state.take(frame)
        return frame

    def _read_aside(self, limit: TimeLimit) -> bool:
        """True when a steer event has come between two turns."""
        if self._socket is None or self._successor is not None:
            return False
        try:
            frame = read_server_frame(self._socket.receive(limit))
        except APITimeoutError:
            return False
        except APIConnectionError:
            self._drop()
            return False
        if frame.is_steer:
            self._state.take(frame)
            self._side.append(frame)
        elif frame.is_error:
            # That of the 60 minutes.
            self._drop()
        else:
            self._successor = frame
        return frame.is_steer

    def _live(self) -> WebSocket:
        if self._socket is None:
            raise APIConnectionError("The WebSocket was lost, and with it what it was to bring.")
        return self._socket

    def end_turn(self, turn: SocketTurn) -> None:
        """No reader waits any more; a response that is going on ends with its socket."""
        # After a fork, or after `close`, another turn may have begun.
        if self._turn is turn:
            self._turn = None
            if self._is_busy:
                self._drop()

    def _drop(self) -> None:
        socket, self._socket = self._socket, None
        self._forget()
        if socket is not None:
            with shield():
                socket.close()

    def _forget(self) -> None:
        self._is_busy = False
        self._successor = None
        self._state.lost()

    def _warn(self) -> None:
        if not self._has_warned:
            self._has_warned = True
            warn_caller(
                f"No WebSocket can be used at {self._url.partition('?')[0]}: this connection goes "
                "on over HTTP."
            )

    def _leave_parent(self) -> None:
        socket, self._socket = self._socket, None
        self._turn = None
        self._forget()
        if socket is not None:
            socket.leave()


def _caused(error: AzureResponsesError, before: AzureResponsesError | None) -> AzureResponsesError:
    """The error of an attempt, with the one of the attempt before where that has led to it."""
    if before is not None and isinstance(error, ResponseNotFoundError):
        # Whatever refuses a turn makes the service forget what it continues.
        error.__cause__ = before
    return error


def _own_credentials(call: Call) -> dict[str, str]:
    """The credential headers that the caller gave for this call."""
    headers = call.request.headers
    return {name: headers[name] for name in CREDENTIAL_HEADERS if name in headers}
