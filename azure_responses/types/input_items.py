"""The items a request's input is made of."""

from typing import Annotated, Literal

from pydantic import Field

from .content import MessagePart
from .items import OutputMessage, TypedItem, UnknownItem
from .model import Model
from .parameters import Reasoning, TextConfig
from .status import ItemStatus
from .tolerance import OPEN

__all__ = [
    "CompactionTrigger",
    "ConfigurationUpdate",
    "EasyInputMessage",
    "InputItem",
    "InputMessage",
    "ItemReference",
    "MessageRole",
]

MessageRole = Annotated[Literal["user", "assistant", "system", "developer"] | str, OPEN]


class InputMessage(Model):
    """A message of given parts, in the form the service lists it."""

    type: Literal["message"]
    id: str | None = None
    role: MessageRole
    content: list[MessagePart]
    status: ItemStatus | None = None


class EasyInputMessage(Model):
    """A message in the short form: a role, and a text or parts; `type` may be left out."""

    type: Literal["message"] | None = None
    role: MessageRole
    content: str | list[MessagePart]
    phase: Annotated[Literal["commentary", "final_answer"] | str, OPEN] | None = None


class ItemReference(Model):
    """Stands for a stored item; `type` may be left out."""

    type: Literal["item_reference"] | None = None
    id: str


class ConfigurationUpdate(Model):
    """Changes settings from this point of the conversation on."""

    type: Literal["configuration_update"]
    id: str | None = None
    reasoning: Reasoning | None = None
    text: TextConfig | None = None


class CompactionTrigger(Model):
    """Asks for the conversation so far to be compacted."""

    type: Literal["compaction_trigger"]
    id: str | None = None


# Three kinds of message share one type, and short forms have none, so a discriminator serves
# only the rest; the order decides between messages, the fullest form first.
InputItem = Annotated[
    Annotated[TypedItem | ConfigurationUpdate | CompactionTrigger, Field(discriminator="type")]
    | OutputMessage
    | InputMessage
    | EasyInputMessage
    | ItemReference
    | UnknownItem,
    Field(union_mode="left_to_right"),
]
