"""What a WebSocket connection remembers, and what one of its turns is.

After OpenAI's guide to WebSocket mode: a connection keeps the newest response of each lane in
memory, so that a chain goes on although nothing is stored. A lane is what a `stream_id` names.
"""

from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.response_store import EmulatedResponse

__all__ = ["SocketMemory", "EmulatedTurn", "ReceivedSteer"]


class SocketMemory:
    """The newest response of each lane of one connection; None is the lane without a name."""

    def __init__(self) -> None:
        self._newest: dict[str | None, EmulatedResponse] = {}

    def find(self, response_id: object) -> EmulatedResponse | None:
        """A response that any lane made last: another lane may fork from it."""
        return next((one for one in self._newest.values() if one.id == response_id), None)

    def is_newest(self, lane: str | None, response_id: object) -> bool:
        """True for what this lane made last."""
        last = self._newest.get(lane)
        return last is not None and last.id == response_id

    def keep(self, lane: str | None, record: EmulatedResponse) -> None:
        """Remember a response in place of the lane's last one."""
        self._newest[lane] = record

    def evict(self, lane: str | None, response_id: object) -> None:
        """Forget what a turn of this lane continued in vain; a fork's source stays."""
        if self.is_newest(lane, response_id):
            del self._newest[lane]

    def clear(self) -> None:
        """Forget every response."""
        self._newest.clear()


@dataclass
class ReceivedSteer:
    """Input for a response that is still being made, accepted under this id."""

    id: str
    previous_response_id: str
    given: Any

    @property
    def items(self) -> list[dict[str, Any]]:
        """The input as messages of the user."""
        if isinstance(self.given, str):
            return [{"role": "user", "content": self.given}]
        return list(self.given)

    def describe(self) -> dict[str, Any]:
        """The `steer` of an event that accepts it or keeps it waiting."""
        return {"id": self.id, "previous_response_id": self.previous_response_id}


@dataclass
class EmulatedTurn:
    """One `response.create`, and what becomes of it.

    Attributes:
        memory: what the connection remembers.
        lane: the `stream_id`; None without one.
        body: the body of the call that stands for the frame.
        frame: the frame as it was sent, for the log.
        is_warm_up: it came with `generate: false`.
        record: the response, once it was created.
        can_be_steered: whether model and parameters allow it.
        steers: accepted input that waits for the end of the response.
        sent: how many events of the response were sent.
        extra: how many events of steering stood between them, which count, too.
    """

    memory: SocketMemory
    lane: str | None
    body: dict[str, Any]
    frame: bytes
    is_warm_up: bool = False
    record: EmulatedResponse | None = None
    can_be_steered: bool = False
    steers: list[ReceivedSteer] = field(default_factory=list)
    sent: int = 0
    extra: int = 0

    @property
    def parent_id(self) -> Any:
        """What it continues, as the caller says."""
        return self.body.get("previous_response_id")

    def next_number(self) -> int:
        """The `sequence_number` of an event of steering, which stands between the others."""
        number = self.sent + self.extra
        self.extra += 1
        return number
