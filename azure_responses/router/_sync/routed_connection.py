# Written by scripts/unasync: change the file of this name in ../_async instead.
"""What one WebSocket connection of a caller remembers, whichever deployments serve its turns."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from azure_responses._sync.executor import Executor
from azure_responses._sync.response_socket import ResponseSocket
from azure_responses.errors import BadRequestError
from azure_responses.protocol.connection_memory import ConnectionMemory
from azure_responses.protocol.socket_frames import SocketSettings
from azure_responses.router._sync.routed_calls import RoutedCalls
from azure_responses.router.connection_turn import ChainPins, ConnectionTurn
from azure_responses.router.request_reader import RequestReader
from azure_responses.router.targets import Target

__all__ = ["RoutedConnection", "not_steered"]

_MOST_BYTES = 64 * 1024 * 1024
_MOST_SOCKETS = 16


class RoutedConnection:
    """One connection; safe to share between threads.

    Each `response.create` is a turn: `begin`, then the call itself with that turn (in
    `ApiRequest.turn`, or of the router's own methods), then `turn.ended`. In one lane a turn begins
    after the one before has ended.

    Args:
        calls: the router's loop.
        reader: the router's.
        owner: whose connection it is; ids are bound to them.
        most_bytes: how much JSON of its items to keep.
        settings: the limits of its WebSockets to deployments.
    """

    def __init__(
        self,
        calls: RoutedCalls,
        reader: RequestReader,
        *,
        owner: str | None = None,
        most_bytes: int = _MOST_BYTES,
        settings: SocketSettings | None = None,
    ) -> None:
        self._calls = calls
        self._reader = reader
        self._owner = owner
        self._settings = settings
        self._memory = ConnectionMemory(most_bytes)
        self._pins = ChainPins(reader.affinity, owner)
        # By deployment and lane, with the executor that each was made for.
        self._sockets: dict[tuple[str, str | None], tuple[Executor, ResponseSocket]] = {}
        self._outdated: list[ResponseSocket] = []
        self._turns: dict[str | None, ConnectionTurn] = {}

    def begin(
        self, body: Mapping[str, Any], lane: str | None = None
    ) -> tuple[Mapping[str, Any], ConnectionTurn]:
        """The body to make the call with, and its turn.

        Args:
            body: of the `response.create`, without `type` and `stream_id`.
            lane: its `stream_id`.
        """
        return body, self._turn(body, lane)

    @property
    def kept_bytes(self) -> int:
        """How much JSON of its items it keeps."""
        return self._memory.size

    def reconnects(self) -> Counter[str]:
        """How often a WebSocket to a deployment took the place of another, by its id."""
        found: Counter[str] = Counter()
        for (deployment, _), (_, socket) in self._sockets.items():
            found[deployment] += socket.reconnects
        return found

    def forget(self) -> None:
        """Keep no items any more: what no service stores has to be sent again as a whole."""
        self._memory.clear()

    def warms_up(self, model: Any) -> bool:
        """True where the service answers a `response.create` with `generate: false` itself.

        Otherwise the caller of `begin` answers, and `turn.ended` gets that answer.
        """
        group = self._reader.routing.group_of(model) if isinstance(model, str) else ()
        sockets = [socket for _, socket in self._sockets.values()]
        has_sockets = all(socket.is_websocket for socket in sockets)
        return bool(group) and has_sockets and all(one.is_websocket for one in group)

    def active(self, response_id: str) -> ConnectionTurn:
        """The turn whose response is being made.

        Raises:
            BadRequestError: there is none.
        """
        for turn in self._turns.values():
            if (turn.response or {}).get("id") == response_id:
                if not turn.has_ended:
                    return turn
                raise not_steered("response_already_completed", "The response has ended.")
        raise not_steered("response_not_found", "No response of this id is being made here.")

    def steer(self, response_id: str, content: Any) -> None:
        """Tell the response that is being made what to do otherwise.

        What comes of it is among the events of the response, and in `side_events` after its end.

        Args:
            response_id: as the caller knows it.
            content: a text, or user messages.

        Raises:
            BadRequestError: no such response is being made, or its deployment cannot be steered.
            APIConnectionError: its socket was lost.
        """
        turn = self.active(response_id)
        socket: ResponseSocket | None = turn.socket
        if socket is None or not socket.is_websocket:
            raise not_steered(
                "steering_not_supported",
                "The deployment that makes the response takes no response.steer.",
            )
        asked = {"previous_response_id": response_id, "input": content}
        ids = self._reader.affinity.read(asked, self._owner)
        if self._owner is not None:
            ids.pins.require_own()
        frame = ids.unlabel().body
        turn.steers.append(content)
        socket.steer(frame["previous_response_id"], frame["input"])

    def side_events(self, turn: ConnectionTurn) -> Iterator[dict[str, Any]]:
        """The steer events that come after a turn has ended; none where it was not steered.

        To be read to their end before `successor_begins` is asked. Closes sockets that are not used
        any more, too.
        """
        self.close_unused()
        socket: ResponseSocket | None = turn.socket
        if not turn.steers or socket is None:
            return
        for frame in socket.side_events():
            yield turn.label(dict(frame.data))

    def successor_begins(
        self, turn: ConnectionTurn
    ) -> tuple[Mapping[str, Any], ConnectionTurn] | None:
        """The body and the turn of the response that the service begins after a steer.

        To be asked when `turn` has ended; None where no response begins.
        """
        socket: ResponseSocket | None = turn.socket
        response_id = (turn.response or {}).get("id")
        if not turn.steers or socket is None or not socket.expects_successor:
            return None
        # It inherits what the response before was asked.
        body = {**turn.body, "previous_response_id": response_id, "input": _joined(turn.steers)}
        following = self._turn(body, turn.lane, is_successor=True)
        following.socket = socket
        return body, following

    def stop_refused(self, turn: ConnectionTurn) -> None:
        """Stop the generation of a successor whose turn was refused before it was read.

        To be called when the turn of each successor has ended. The service generates it, and
        charges for it, until its socket is closed.
        """
        socket: ResponseSocket | None = turn.socket
        # A turn with a response has read its own; what is expected then is the one after it.
        if turn.response is None and socket is not None and socket.expects_successor:
            socket.close()

    def close_unused(self) -> None:
        """Close the sockets that no turn will use any more."""
        while self._outdated:
            self._outdated.pop().close()

    def close(self) -> None:
        """Close the sockets of the connection; a response that is being made is given up."""
        self._outdated += [socket for _, socket in self._sockets.values()]
        self._sockets = {}
        self.close_unused()

    def _turn(
        self, body: Mapping[str, Any], lane: str | None, *, is_successor: bool = False
    ) -> ConnectionTurn:
        turn = self._turns[lane] = ConnectionTurn(
            body,
            lane,
            kept=self._memory.find(body.get("previous_response_id")),
            memory=self._memory,
            pins=self._pins,
            find_socket=self._find_socket,
            is_successor=is_successor,
        )
        return turn

    def _find_socket(self, target: Target, lane: str | None) -> ResponseSocket | None:
        deployment = target.deployment
        if not deployment.is_websocket:
            return None
        offered = target.upstream.websocket_url()
        url = None if offered is None else target.sender.websocket_url(offered)
        if url is None:
            # The client of an entry may have a way of its own, past which nothing is sent.
            return None
        key = deployment.id, lane
        executor, socket = self._sockets.get(key, (None, None))
        # Another client may stand behind the deployment since its configuration was read again.
        if socket is None or executor is not target.sender:
            if socket is not None:
                self._outdated.append(socket)
            socket = ResponseSocket(target.sender, url, self._settings)
        # The one that was used last stands last.
        self._sockets.pop(key, None)
        self._sockets[key] = target.sender, socket
        self._retire_sockets()
        return socket

    def _retire_sockets(self) -> None:
        """Leave what has not been used longest, beyond as many sockets as turns may be under way.

        What it knew is sent again from its items.
        """
        for key in list(self._sockets)[: max(0, len(self._sockets) - _MOST_SOCKETS)]:
            turn = self._turns.get(key[1])
            if turn is None or turn.has_ended:
                self._outdated.append(self._sockets.pop(key)[1])


def _joined(steers: list[Any]) -> Any:
    """The inputs of several steers as one."""
    if len(steers) == 1:
        return steers[0]
    texts = ([{"role": "user", "content": one}] if isinstance(one, str) else one for one in steers)
    return [message for messages in texts for message in messages]


def not_steered(code: str, message: str) -> BadRequestError:
    """The error of a steer that reaches no response."""
    return BadRequestError(
        message,
        status_code=400,
        code=code,
        param="previous_response_id",
        type="invalid_request_error",
        hint="Only deployments with websocket: true are steered, where their model allows it.",
    )
