# Written by scripts/unasync: change the file of this name in ../_async instead.
"""What one WebSocket connection of a caller remembers, whichever deployments serve its turns."""

from collections.abc import Mapping
from typing import Any

from azure_responses.errors import BadRequestError
from azure_responses.protocol.connection_memory import ConnectionMemory
from azure_responses.router._sync.routed_calls import RoutedCalls
from azure_responses.router.connection_turn import ChainPins, ConnectionTurn
from azure_responses.router.request_reader import RequestReader

__all__ = ["RoutedConnection"]

_MOST_BYTES = 64 * 1024 * 1024


class RoutedConnection:
    """One connection; safe to share between threads.

    Each `response.create` is a turn: `begin`, then the call itself with that turn (in
    `ApiRequest.turn`, or of the router's own methods), then `turn.ended`.

    Args:
        calls: the router's loop.
        reader: the router's.
        owner: whose connection it is; ids are bound to them.
        most_bytes: how much JSON of its items to keep.
    """

    def __init__(
        self,
        calls: RoutedCalls,
        reader: RequestReader,
        *,
        owner: str | None = None,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._calls = calls
        self._reader = reader
        self._memory = ConnectionMemory(most_bytes)
        self._pins = ChainPins(reader.affinity, owner)

    def begin(
        self, body: Mapping[str, Any], lane: str | None = None
    ) -> tuple[Mapping[str, Any], ConnectionTurn]:
        """The body to make the call with, and its turn.

        Args:
            body: of the `response.create`, without `type` and `stream_id`.
            lane: its `stream_id`.
        """
        kept = self._memory.find(body.get("previous_response_id"))
        turn = ConnectionTurn(body, lane, kept=kept, memory=self._memory, pins=self._pins)
        return body, turn

    def warms_up(self, model: Any) -> bool:
        """True where the service answers a `response.create` with `generate: false` itself.

        Otherwise the caller of `begin` answers, and `turn.ended` gets that answer.
        """
        return False

    def steer(self, response_id: str, content: Any) -> None:
        """Tell the response that is being made what to do otherwise.

        What comes of it is among the events of the response.

        Args:
            response_id: as the caller knows it.
            content: a text, or user messages.

        Raises:
            BadRequestError: the deployment that makes the response cannot be steered.
        """
        raise _not_steered("The deployment that makes the response takes no response.steer.")

    def successor_begins(self, turn: ConnectionTurn) -> tuple[Mapping[str, Any], Any] | None:
        """The body and the turn of the response that the service begins by itself after a steer.

        To be asked when `turn` has ended; None where there is none.
        """
        return None

    def close(self) -> None:
        """Close the sockets of the connection."""


def _not_steered(message: str) -> BadRequestError:
    return BadRequestError(
        message,
        status_code=400,
        code="steering_not_supported",
        type="invalid_request_error",
        hint="Only deployments with websocket: true are steered, where their model allows it.",
    )
