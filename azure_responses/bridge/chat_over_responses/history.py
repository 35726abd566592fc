"""What reading the messages of a chat has to remember from one to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.bridge.chat_over_responses.call_ids import CallIds
from azure_responses.bridge.chat_over_responses.calls import Call
from azure_responses.bridge.chat_over_responses.reasoning_cache import ReasoningCache

__all__ = ["History"]


@dataclass
class History:
    """The state of reading one request's messages.

    Attributes:
        resource_tag: the resource the request goes to; reasoning with another tag cannot be read
            there. None when nobody says.
        is_stored: the service may look items up by id.
        stand_ins: names of functions that stand for a declared hosted tool's calls.
        cache: reasoning by tool call id, for messages that lost theirs; `now` is its time.
        calls: calls met so far, by the id that answers them.
        call_ids: those ids as they are sent.
        open_functions: ids of the unanswered calls of deprecated `function_call`s, by name.
        warnings: what could not be sent.
    """

    resource_tag: str | None = None
    is_stored: bool = False
    stand_ins: frozenset[str] = frozenset()
    cache: ReasoningCache | None = None
    now: float = 0.0
    calls: dict[str, Call] = field(default_factory=dict)
    call_ids: CallIds = field(default_factory=CallIds)
    open_functions: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    foreign_items: int = 0
    unreadable_items: int = 0
    has_encrypted_reasoning: bool = False

    def warn_of_unknown(self, message: Mapping[str, Any], known: frozenset[str], path: str) -> None:
        """Note the fields of a message that have no place in a Responses request."""
        for name, value in message.items():
            if name not in known and value is not None and value != [] and value != {}:
                self.warnings.append(
                    f"{path}.{name[:100]} was left out: the Responses API has no place for it."
                )

    def settle(self) -> None:
        """Turn the counts of reasoning items left out into one warning each."""
        if self.foreign_items:
            self.warnings.append(
                f"{self.foreign_items} reasoning items were left out: another Azure resource "
                "encrypted them, and only that one can read them."
            )
        if self.unreadable_items:
            self.warnings.append(
                f"{self.unreadable_items} reasoning items were left out: they have no "
                "encrypted_content, and nothing is stored that their ids could name."
            )
