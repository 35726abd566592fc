"""Ids of calls that are longer than the Responses API takes.

A conversation that began with another model brings ids of hundreds of characters, and Azure refuses
any of more than 64 (codex#14355). Both ends of a pair are sent under the same short id, which is
made of the whole long one, so that ids with a common beginning stay apart and a later request, or a
stored response, means the same call.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from azure_responses.errors import AzureResponsesError

__all__ = ["LONGEST", "CallIds", "shorten"]

LONGEST = 64


def shorten(text: str, prefix: str = "call_") -> str:
    """`text` itself, or where it is too long one of the right length that stands for it."""
    if len(text) <= LONGEST:
        return text
    return prefix + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:48]


class CallIds:
    """The ids of one request's calls: as they are sent, and as the caller knows them."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def send(self, call_id: str) -> str:
        """The id under which a call is sent."""
        short = shorten(call_id)
        if short != call_id:
            self._given[short] = call_id
        return short

    def send_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """An input item with the id of its call as it is sent."""
        call_id = item.get("call_id")
        return {**item, "call_id": self.send(call_id)} if isinstance(call_id, str) else {**item}

    def restore(self, call_id: str | None) -> str | None:
        """The id as the caller knows it."""
        return self._given.get(call_id, call_id) if call_id is not None else None

    def restore_error(self, error: AzureResponsesError) -> None:
        """Let an error name the calls as the caller knows them."""
        for short, given in self._given.items():
            error.message = error.message.replace(short, given)
