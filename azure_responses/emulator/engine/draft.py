"""One answer while it is being written: the ids and the time its items get."""

from azure_responses.emulator.engine.transcript import Transcript
from azure_responses.emulator.engine.turn import Turn
from azure_responses.emulator.identifiers import Conversation

__all__ = ["Draft"]


class Draft:
    """What every part of the engine that writes items is given.

    Attributes:
        turn: the call.
        transcript: the call as a model reads it.
        effort: the reasoning effort in force; None for a model that does not reason.
    """

    def __init__(self, turn: Turn, transcript: Transcript) -> None:
        self.turn = turn
        self.transcript = transcript
        self._ids = _conversation(turn)
        self._at = float(turn.created_at)
        reasoning = turn.request.get("reasoning") or {}
        self.effort = reasoning.get("effort") or turn.model.default_effort

    def identify(self, prefix: str) -> str:
        """The id of the next item; each is created a moment after the one before."""
        identifier = self._ids.item(prefix, self._at)
        self._at += 0.4375
        return identifier

    @property
    def seconds(self) -> int:
        """Unix seconds of the item that comes next."""
        return int(self._at)


def _conversation(turn: Turn) -> Conversation:
    store = turn.request.get("store")
    return turn.identifiers.conversation(_last_identifier(turn), store is None or store)


def _last_identifier(turn: Turn) -> str | None:
    previous: str | None = turn.request.get("previous_response_id")
    if previous:
        return previous
    given = turn.request.get("input")
    items = given if isinstance(given, list) else ()
    return next((item["id"] for item in reversed([*turn.history, *items]) if item.get("id")), None)
