"""The responses that one WebSocket connection can continue although no service stores them.

A connection keeps the latest response of each lane, and a client's as many earlier ones as it is
asked to. A later `response.create` names it as its
`previous_response_id` and sends new items only; where the other side does not know that response
(another socket, HTTP, another deployment) all items so far are sent instead. Items are kept as they
were sent and received, of every type.

    memory.keep(lane, body, response)      a response has ended; `body` is what its caller sent
    memory.fail(lane, body)                a call was refused or has failed
    memory.find(response_id)               -> KeptResponse | None
    memory.continued(body)                 -> the body with all items, or None

The rules are those of OpenAI's WebSocket mode: a refusal of a continuation in the lane of the
response makes the connection forget it, a refusal of a fork (in another lane) does not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.reasoning_filter import is_lost
from azure_responses.protocol.request_body import ITEMS_WITHOUT_STATUS, encode_body

__all__ = ["ConnectionMemory", "KeptResponse", "Piece"]

_CONTINUES = "previous_response_id"


# Both are compared by identity: responses of one chain share their pieces.
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Piece:
    """The items of one turn, as JSON in which they are an `input`."""

    content: bytes

    def body(self) -> dict[str, Any]:
        """A body with the items as its `input`; a new one each time."""
        body: dict[str, Any] = from_json(self.content)
        return body


@dataclass(frozen=True, slots=True, eq=False)
class KeptResponse:
    """One response, and all items of its chain.

    Attributes:
        response_id: as the caller knows it.
        lane: where it was made; None is the lane without a name.
        is_stored: the service stores it, and reads it there.
        tokens: what it used in all: a continuation takes them up again.
        base: the response before the chain, which this connection has not seen; None of a chain
            that begins here.
        pieces: the items of each turn, the oldest first.
    """

    response_id: str
    lane: str | None
    is_stored: bool
    tokens: int
    base: str | None
    pieces: tuple[Piece, ...]

    def continued(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body with all items so far in front of its own, in place of the response's id."""
        kept = {name: value for name, value in body.items() if name != _CONTINUES}
        if self.base is not None:
            kept[_CONTINUES] = self.base
        given = body.get("input")
        if given is not None and not _has_items(given):
            # The service refuses it; without it, the answer would be one to the earlier turns.
            return {**kept, "input": given}
        before = [item for piece in self.pieces for item in piece.body()["input"]]
        return {**kept, "input": [*before, *_items_of(body.get("input"))]}


class ConnectionMemory:
    """The latest response of each lane; not for two threads at once.

    Args:
        most_bytes: how much JSON to keep in all. Above it the earlier responses are forgotten
            first, and then the lanes that have not been used for the longest time.
        most_earlier: how many responses to keep besides the latest ones. The service knows none of
            them; most of their items are those of later responses, and kept once.
    """

    def __init__(self, most_bytes: int = 64 * 1024 * 1024, *, most_earlier: int = 0) -> None:
        self._most_bytes = most_bytes
        self._most_earlier = most_earlier
        self._earlier: dict[str, KeptResponse] = {}
        # The one that was made last stands last.
        self._latest: dict[str | None, KeptResponse] = {}

    @property
    def size(self) -> int:
        """How many bytes of JSON are kept."""
        found: set[Piece] = set()
        for kept in (*self._latest.values(), *self._earlier.values()):
            for piece in reversed(kept.pieces):
                if piece in found:
                    # Chains that share a piece share all that came before it.
                    break
                found.add(piece)
        return sum(len(piece.content) for piece in found)

    def find(self, response_id: Any) -> KeptResponse | None:
        """The response of this id, if it is kept."""
        if not isinstance(response_id, str):
            return None
        # There are few lanes.
        found = (one for one in self._latest.values() if one.response_id == response_id)
        return next(found, None) or self._earlier.get(response_id)

    def keep(
        self,
        lane: str | None,
        body: Mapping[str, Any],
        response: Mapping[str, Any],
        *,
        continues: KeptResponse | None = None,
    ) -> None:
        """Remember a response as the latest of its lane.

        Args:
            lane: where it was made.
            body: of its `response.create`, with `previous_response_id` as the caller sent it.
            response: as its terminal event carried it.
            continues: what `find` returned when the call began, for a lane that may have gone on
                meanwhile; None looks it up now.
        """
        parent = continues or self.find(body.get(_CONTINUES))
        self._pass_by(lane)
        kept = _kept(lane, body, response, parent)
        if kept is not None:
            self._latest[lane] = kept
            self._shrink()

    def fail(self, lane: str | None, body: Mapping[str, Any]) -> None:
        """Forget the response that a call wanted to continue, unless it is another lane's."""
        latest = self._latest.get(lane)
        if latest is not None and latest.response_id == body.get(_CONTINUES):
            del self._latest[lane]

    def clear(self) -> None:
        """Forget every response."""
        self._latest.clear()
        self._earlier.clear()

    def continued(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """The body with all items of what it continues; None where that is not kept."""
        kept = self.find(body.get(_CONTINUES))
        return None if kept is None else kept.continued(body)

    def _pass_by(self, lane: str | None) -> None:
        """Another response takes the place of the lane's latest one."""
        before = self._latest.pop(lane, None)
        if before is not None:
            self._earlier[before.response_id] = before
        while len(self._earlier) > self._most_earlier:
            del self._earlier[next(iter(self._earlier))]

    def _shrink(self) -> None:
        while self._latest and self.size > self._most_bytes:
            kept: dict[Any, Any] = self._earlier or self._latest
            del kept[next(iter(kept))]


def _kept(
    lane: str | None,
    body: Mapping[str, Any],
    response: Mapping[str, Any],
    parent: KeptResponse | None,
) -> KeptResponse | None:
    """What is kept of a response; None of one that its items do not continue."""
    response_id = response.get("id")
    # The items of a conversation are kept by the service.
    if not isinstance(response_id, str) or body.get("conversation") is not None:
        return None
    stored = response.get("store")
    is_stored = body.get("store") is not False if stored is None else bool(stored)
    items = [*_items_of(body.get("input")), *_output_of(response, is_stored=is_stored)]
    try:
        content = encode_body({"input": items})
    except ConfigurationError:
        # It was sent, by rules other than ours; it cannot be sent again.
        return None
    assert content is not None
    piece = Piece(content)
    base = body.get(_CONTINUES) if parent is None else parent.base
    pieces = (piece,) if parent is None else (*parent.pieces, piece)
    return KeptResponse(response_id, lane, is_stored, _tokens_of(response), base, pieces)


def _items_of(given: Any) -> list[Any]:
    """An input as items."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return list(given) if _has_items(given) else []


def _has_items(given: Any) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, Mapping | bytes)


def _output_of(response: Mapping[str, Any], *, is_stored: bool) -> list[Any]:
    """The items of an output, as the service takes them as input."""
    output = response.get("output")
    items = output if isinstance(output, list) else []
    return [_as_input(item) for item in items if is_stored or not is_lost(item)]


def _as_input(item: Any) -> Any:
    if not isinstance(item, dict) or item.get("type") not in ITEMS_WITHOUT_STATUS:
        return item
    return {name: value for name, value in item.items() if name != "status"}


def _tokens_of(response: Mapping[str, Any]) -> int:
    usage = response.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    return total if isinstance(total, int) else 0
