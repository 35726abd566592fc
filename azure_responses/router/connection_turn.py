"""One `response.create` of a WebSocket connection: what it continues, and what is kept of it.

A turn is served like every other call. It differs in what it may continue: the connection keeps the
items of responses that no service stores (`protocol.connection_memory`). The router reads the body
without the id of such a response. Each attempt then sends that id, where its socket knows the
response, or all items so far.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard
from weakref import WeakKeyDictionary

from azure_responses.protocol.call import Continuation
from azure_responses.protocol.connection_memory import ConnectionMemory, KeptResponse, Piece
from azure_responses.protocol.reasoning_filter import ENCRYPTED_REASONING
from azure_responses.routing.affinity import Affinity
from azure_responses.routing.route_request import Pin
from azure_responses.routing.signed_id import SignedId

__all__ = ["ChainPins", "ConnectionTurn", "chain_pin"]

_PREVIOUS = "previous_response_id"
_CONTINUED = ("completed", "incomplete")


def _no_socket(target: Any, lane: str | None) -> None:
    """In a connection without sockets of its own."""


def _as_it_is(event: dict[str, Any]) -> dict[str, Any]:
    return event


class ChainPins:
    """Where the kept items of chains lead; each item is read once.

    Args:
        affinity: reads the signed ids and ciphertexts in items.
        owner: whose they are.
    """

    def __init__(self, affinity: Affinity, owner: str | None) -> None:
        self._affinity = affinity
        self._owner = owner
        self._known: WeakKeyDictionary[Piece, Pin | None] = WeakKeyDictionary()

    def of(self, kept: KeptResponse) -> list[Pin]:
        """The pins of a chain, the oldest first.

        Raises:
            BadRequestError, ResponseNotFoundError: an id that cannot be followed.
        """
        found = [] if kept.base is None else [self._read({_PREVIOUS: kept.base})]
        for piece in kept.pieces:
            if piece not in self._known:
                self._known[piece] = self._read(piece.body())
            found.append(self._known[piece])
        return [pin for pin in found if pin is not None]

    def maker_of(self, kept: KeptResponse) -> SignedId | None:
        """What made a response; None of one that was made here, such as a warm-up's."""
        return self._affinity.read_id(kept.response_id, self._owner, _PREVIOUS)

    def inner_id(self, response_id: str) -> str:
        """A response's id as its service knows it."""
        label = self._affinity.read_id(response_id, self._owner, _PREVIOUS)
        return response_id if label is None else label.inner

    def _read(self, body: Mapping[str, Any]) -> Pin | None:
        return self._affinity.read(body, self._owner).pins.pin


class ConnectionTurn:
    """One turn.

    Args:
        body: as its caller sent it.
        lane: of the connection; None is the one without a name.
        kept: the response that it continues, where the connection keeps that.
        memory: of the connection.
        pins: of the connection.
        find_socket: the socket of this turn to a target; None where it is called over HTTP.
        is_successor: the service begins the response by itself, since the one before was steered.

    Attributes:
        socket: what the latest attempt was sent over; None for HTTP.
        label: puts signed ids into events of the socket that are no part of the response.
        steers: the inputs of the steers that were sent while its response was made.
        has_ended: `ended` was called.
        hides_reasoning: encrypted reasoning is asked for, and not by the caller.
        response: the latest whole response that an event carried, as the caller may continue it;
            None before the first.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        lane: str | None,
        *,
        kept: KeptResponse | None,
        memory: ConnectionMemory,
        pins: ChainPins,
        find_socket: Callable[[Any, str | None], Any] = _no_socket,
        is_successor: bool = False,
    ) -> None:
        self.body = body
        self.lane = lane
        self.kept = kept
        self.is_successor = is_successor
        self.steers: list[Any] = []
        self.has_ended = False
        self.socket: Any = None
        self.label: Callable[[dict[str, Any]], dict[str, Any]] = _as_it_is
        self.response: dict[str, Any] | None = None
        self._memory = memory
        self._pins = pins
        self._find_socket = find_socket
        include = body.get("include")
        asks = isinstance(include, list | tuple) and ENCRYPTED_REASONING in include
        self._wants_reasoning = body.get("store") is False and not asks
        self.hides_reasoning = False

    @property
    def carried(self) -> KeptResponse | None:
        """The response whose items an attempt may have to send; None where a service stores it."""
        kept = self.kept
        # A warm-up that was answered here is stored nowhere, whatever it says.
        is_stored = kept is not None and kept.is_stored and self._pins.maker_of(kept) is not None
        return None if is_stored else kept

    def pin(self, own: Pin | None) -> Pin | None:
        """Where the call has to go; `own` is what its body says without what it continues."""
        maker = None if self.kept is None else self._pins.maker_of(self.kept)
        if self.is_successor and maker is not None:
            # It exists on the socket of the response before, and nowhere else.
            return Pin(maker.resource, maker.deployment, _PREVIOUS)
        carried = self.carried
        return own if carried is None else chain_pin(own, self._pins.of(carried), maker)

    def base_id(self) -> str | None:
        """The response before the kept items, as its service knows it."""
        base = None if self.carried is None else self.carried.base
        return None if base is None else self._pins.inner_id(base)

    def choose_socket(self, target: Any, *, sends_items: bool) -> bool:
        """Choose what the next attempt is sent over; without a target HTTP.

        True where its socket knows the response that the turn continues, whose items are then not
        sent. With `sends_items` they are in any case.
        """
        self.socket = None if target is None else self._find_socket(target, self.lane)
        if self.socket is None or self.carried is None or sends_items:
            return False
        maker = self._pins.maker_of(self.carried)
        return maker is not None and bool(self.socket.knows(maker.inner))

    def continuation(self) -> Continuation | None:
        """What the socket needs to know besides the body."""
        if not self.is_successor or self.kept is None:
            return None
        maker = self._pins.maker_of(self.kept)
        return None if maker is None else Continuation(maker.inner, is_adopted=True)

    def included(self, parameters: Mapping[str, Any], *, reasons: bool) -> Mapping[str, Any]:
        """The parameters with what the next turn needs of this one.

        Without it, reasoning that no service stores is lost; `reasons`: the deployment encrypts it.
        """
        self.hides_reasoning = self._wants_reasoning and reasons
        if not self.hides_reasoning:
            return parameters
        include = parameters.get("include") or ()
        return {**parameters, "include": [*include, ENCRYPTED_REASONING]}

    def show(self, event: dict[str, Any]) -> dict[str, Any]:
        """An event as the caller gets it; notes the response in it, and may change the event."""
        response = event.get("response")
        if isinstance(response, dict):
            self._show_response(response)
        item = event.get("item")
        if self.hides_reasoning and _is_reasoning(item):
            item.pop("encrypted_content", None)
        return event

    def ended(self, response: Mapping[str, Any] | None = None, *, failed: bool = False) -> None:
        """The turn is over.

        Args:
            response: what it came to, for a turn whose events did not pass through `show`.
            failed: it was refused or has failed. What it continues is then forgotten, and not where
                it was given up or its connection was lost.
        """
        if self.has_ended:
            return
        self.has_ended = True
        shown = self.response
        if shown is not None and (response is None or response.get("id") == shown.get("id")):
            # With what the caller does not see.
            response = shown
        found = response or {}
        status = found.get("status")
        if not failed and status in _CONTINUED:
            self._memory.keep(self.lane, self.body, found, continues=self.kept)
        elif failed or status == "failed":
            self._memory.fail(self.lane, self.body)

    def give_up(self) -> None:
        """The caller has left before the end: what the turn continues can still be continued."""
        self.has_ended = True

    def _show_response(self, response: dict[str, Any]) -> None:
        if self.carried is not None and response.get(_PREVIOUS) != self.carried.response_id:
            # What the caller continued, where all of its items were sent.
            response[_PREVIOUS] = self.carried.response_id
        self.response = dict(response)
        output = response.get("output")
        if self.hides_reasoning and isinstance(output, list):
            response["output"] = [_without_ciphertext(item) for item in output]


def chain_pin(own: Pin | None, chain: Iterable[Pin], maker: SignedId | None) -> Pin | None:
    """Where a call with the items of a chain has to go, and best to its maker.

    Args:
        own: of the call's body.
        chain: of the kept items, the oldest first.
        maker: what made the latest response.
    """
    hard: Pin | None = None
    soft: Pin | None = None
    for pin in (*chain, *(() if own is None else (own,))):
        if pin.is_hard:
            hard = pin if hard is None else hard.join(pin) or hard
        elif not pin.is_wish or soft is None:
            soft = pin
    found = hard or soft
    if maker is None:
        return found
    if found is None or found.is_wish:
        return Pin(maker.resource, maker.deployment, _PREVIOUS, False, True)
    is_there = maker.resource in found.resources
    return found._replace(deployment=maker.deployment) if is_there else found


def _is_reasoning(item: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(item, dict) and item.get("type") == "reasoning"


def _without_ciphertext(item: Any) -> Any:
    if not _is_reasoning(item):
        return item
    return {name: value for name, value in item.items() if name != "encrypted_content"}
