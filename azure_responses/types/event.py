"""What the events of a Responses stream share."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from .model import Model
from .response import Response
from .tolerance import ANYTHING, UnknownType

__all__ = [
    "CommandEvent",
    "ContentEvent",
    "ItemEvent",
    "OutputEvent",
    "ResponseEvent",
    "StreamEvent",
    "SummaryEvent",
    "UnknownEvent",
]


class StreamEvent(Model):
    """An event of a stream.

    `sequence_number` is None in streams of early 2025; a resumed stream starts above 0.
    """

    type: str
    sequence_number: int | None = None


class UnknownEvent(StreamEvent):
    """An event of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"
    sequence_number: Annotated[int | None, ANYTHING] = None


class ResponseEvent(StreamEvent):
    """An event that carries the response as it stands."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {"response": {"id": ""}}

    response: Response


class OutputEvent(StreamEvent):
    """An event about one item of the output."""

    output_index: int


class ItemEvent(OutputEvent):
    """An event about one item of the output, named by its id."""

    item_id: str


class ContentEvent(ItemEvent):
    """An event about one part of an item's content."""

    content_index: int


class SummaryEvent(ItemEvent):
    """An event about one part of a reasoning summary."""

    summary_index: int


class CommandEvent(OutputEvent):
    """An event about one command of a shell call."""

    command_index: int
