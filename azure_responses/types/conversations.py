"""Conversations: what the service keeps of them, and their items."""

from typing import Any

from pydantic import Field, model_validator

from .items import InputItem
from .response import InputItemList
from .result import Result

__all__ = ["ConversationDeleted", "ConversationItem", "ConversationItemList"]

ConversationItem = InputItem
"""An item of a conversation: what was said to the model, or what it answered."""


class ConversationDeleted(Result):
    """Confirms that a conversation is deleted; its items stay until they expire."""

    id: str
    deleted: bool
    object: str = "conversation.deleted"


class ConversationItemList(InputItemList):
    """The items that were added to a conversation."""


class ConversationItemReply(Result):
    """The reply that is one item."""

    item: ConversationItem = Field(discriminator=None)

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, value: Any) -> Any:
        return {"item": value}
