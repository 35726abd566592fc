"""Citations, in the Responses API's shape and in chat completions'.

The Responses API counts characters within one part of one message; a completion has one text, so
offsets move by what stands before the part.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.types.chat import (
    ChatCompletionAnnotation,
    ChatContainerFileCitation,
    ChatFileCitation,
    ChatFilePath,
    ChatObject,
    ChatURLCitation,
)
from azure_responses.types.model import Model

__all__ = ["move_annotations", "place_annotations", "to_annotation"]

_POSITIONS = ("start_index", "end_index", "index")
_DETAILS: dict[str, type[ChatObject]] = {
    "url_citation": ChatURLCitation,
    "file_citation": ChatFileCitation,
    "container_file_citation": ChatContainerFileCitation,
    "file_path": ChatFilePath,
}


def to_annotation(annotation: Any, offset: int) -> ChatCompletionAnnotation:
    """An annotation of a part that begins `offset` characters into the message."""
    fields = annotation.to_dict() if isinstance(annotation, Model) else dict(annotation)
    kind = fields.pop("type", None)
    kind = kind if isinstance(kind, str) else "unknown"
    details = _shift(fields, offset)
    if kind in _DETAILS and details.keys() <= _DETAILS[kind].model_fields.keys():
        known = _DETAILS[kind].assemble(details)
        return ChatCompletionAnnotation.assemble({"type": kind, kind: known})
    return ChatCompletionAnnotation.model_validate({"type": kind, kind: details})


def _shift(fields: Mapping[str, Any], offset: int) -> dict[str, Any]:
    if not offset:
        return dict(fields)
    return {
        name: value + offset if name in _POSITIONS and isinstance(value, int) else value
        for name, value in fields.items()
    }


def move_annotations(given: Any, offset: int) -> list[dict[str, Any]]:
    """The annotations of a part that begins `offset` characters into the message, flat."""
    return [_shift(fields, offset) for fields in map(_flat, given or ()) if fields is not None]


def place_annotations(given: Any, start: int, end: int, length: int) -> list[dict[str, Any]]:
    """The annotations that lie between `start` and `end` of a message, for a part of their own.

    `length` is that of the whole text: what lies beyond it, or nowhere, belongs to its last part.
    """
    placed = []
    for flat in filter(None, map(_flat, given or ())):
        position = flat.get("start_index", flat.get("index"))
        where = position if isinstance(position, int) else length
        if start <= where < end or (end == length and where >= length):
            placed.append(_shift(flat, -start))
    return placed


def _flat(annotation: Any) -> dict[str, Any] | None:
    """An annotation with its details beside its type; None of what is none."""
    fields = annotation.to_dict() if isinstance(annotation, Model) else annotation
    if not isinstance(fields, Mapping):
        return None
    kind = fields.get("type")
    details = fields.get(str(kind))
    return {"type": kind, **(details if isinstance(details, Mapping) else _rest(fields))}


def _rest(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The details of an annotation that lie flat, as LiteLLM leaves them."""
    return {name: value for name, value in fields.items() if name != "type"}
