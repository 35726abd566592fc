"""The items of a response's output, gathered into one message, and the citations in its text.

The Responses API counts the characters of a citation's place within one part of one message. A
completion has one text, so the offsets move by the length of what stands before the part.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.tool_calls import to_tool_call
from azure_responses.types.chat import (
    ChatCompletionAnnotation,
    ChatCompletionLogprobs,
    ChatCompletionMessage,
    ChatCompletionToolCallUnion,
    ChatContainerFileCitation,
    ChatFileCitation,
    ChatFilePath,
    ChatObject,
    ChatURLCitation,
)
from azure_responses.types.content import OutputText, Refusal, TokenLogprob
from azure_responses.types.items import OutputMessage, ReasoningItem, is_callers
from azure_responses.types.model import Model

__all__ = [
    "SEPARATOR",
    "MessageDraft",
    "is_commentary",
    "move_annotations",
    "place_annotations",
    "reasoning_texts",
    "to_annotation",
    "to_logprobs",
]

# The usual order of an output's items: an `output_order` is written only where it differs, since
# clients store messages and each field costs them space.
_RANKS = {"reasoning": 0, "hosted": 1, "message": 2, "tool_call": 3}
SEPARATOR = "\n\n"
"""Stands between the texts of two messages: chat completions has room for one."""

_COMMENTARY = "commentary"


class MessageDraft:
    """Takes the items of an output in order.

    Args:
        resource_tag: stamped on encrypted reasoning, or None.
        has_function_call: the first call is the deprecated `function_call`.
    """

    def __init__(self, resource_tag: str | None = None, has_function_call: bool = False) -> None:
        self.tool_calls: list[ChatCompletionToolCallUnion] = []
        self.logprobs: list[dict[str, Any]] = []
        self._resource_tag = resource_tag
        self._has_function_call = has_function_call
        self._texts: list[str] = []
        self._commentary: list[str] = []
        self._length = 0
        self._refusals: list[str] = []
        self._annotations: list[ChatCompletionAnnotation] = []
        self._reasoning: list[dict[str, Any]] = []
        self._readable: list[str] = []
        self._hosted: list[dict[str, Any]] = []
        self._order: list[dict[str, Any]] = []
        self._has_phase = False

    def add(self, item: Any) -> None:
        """Take the next item."""
        # By class, not by isinstance: pydantic answers "no" to that only after a long look.
        kind = type(item)
        if kind is OutputMessage:
            self._add_message(item)
        elif kind is ReasoningItem:
            self._add_reasoning(item)
        elif is_callers(item):
            self.tool_calls.append(to_tool_call(item))
            self._order.append({"type": "tool_call"})
        else:
            self._hosted.append(item.to_dict())
            self._order.append({"type": "hosted"})

    def _add_message(self, message: OutputMessage) -> None:
        is_aside, text = is_commentary(message), message.text
        entry: dict[str, Any] = {"type": "message", "text": len(text)}
        if text and is_aside:
            self._commentary.append(text)
        elif text and self._length:
            self._texts.append(SEPARATOR)
            self._length += len(SEPARATOR)
        entry["refusal"] = self._add_parts(message, is_aside)
        if message.phase is not None:
            entry["phase"] = message.phase
            self._has_phase = True
        if is_aside:
            entry |= _annotations_of(message)
        self._order.append(entry)

    def _add_parts(self, message: OutputMessage, is_aside: bool) -> int:
        """Take the parts of a message; the result is the length of its refusals."""
        refused = 0
        for part in message.content:
            if type(part) is Refusal:
                self._refusals.append(part.refusal)
                refused += len(part.refusal)
            elif type(part) is not OutputText:
                self._hosted.append({"type": "output_part", "part": part.to_dict()})
                self._order.append({"type": "hosted"})
            elif not is_aside:
                self._add_text(part)
        return refused

    def _add_text(self, part: OutputText) -> None:
        for annotation in part.annotations or ():
            self._annotations.append(to_annotation(annotation, self._length))
        if part.logprobs:
            self.logprobs += to_logprobs(part.logprobs)
        self._texts.append(part.text)
        self._length += len(part.text)

    def _add_reasoning(self, item: ReasoningItem) -> None:
        # Encrypted reasoning without summaries has nothing inside that needs a dump.
        is_flat = not (item.summary or item.content or item.model_extra)
        given = vars(item) if is_flat else item.to_dict()
        fields = {name: value for name, value in given.items() if value is not None}
        if self._resource_tag is not None and item.encrypted_content:
            fields["resource"] = self._resource_tag
        self._reasoning.append(fields)
        self._readable += reasoning_texts(item)
        self._order.append({"type": "reasoning"})

    def build(self) -> ChatCompletionMessage:
        """The message; an extension that has nothing to say is left out."""
        text = "".join(self._texts)
        refusal = "".join(self._refusals) or None
        values: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal}
        # As chat completions does it: null beside calls or a refusal, empty text for no output.
        if not text and (refusal or self.tool_calls):
            values["content"] = None
        values |= self._calls()
        extensions = {
            "annotations": self._annotations,
            "commentary": SEPARATOR.join(self._commentary),
            "reasoning_content": SEPARATOR.join(self._readable),
            "reasoning_items": self._reasoning,
            "hosted_items": self._hosted,
            "output_order": self._unusual_order(),
        }
        values |= {name: value for name, value in extensions.items() if value}
        return ChatCompletionMessage.assemble(values)

    def _calls(self) -> dict[str, Any]:
        calls = self.tool_calls
        if not calls:
            return {}
        if not self._has_function_call or calls[0].function is None:
            return {"tool_calls": calls}
        # What a deprecated call cannot hold stays where every other client would look for it.
        rest = {"tool_calls": calls[1:]} if len(calls) > 1 else {}
        return {"function_call": calls[0].function, **rest}

    def _unusual_order(self) -> list[dict[str, Any]] | None:
        ranks = [_RANKS[entry["type"]] for entry in self._order]
        is_usual = ranks == sorted(ranks) and ranks.count(_RANKS["message"]) <= 1
        return None if is_usual and not self._has_phase else self._order

    @property
    def logprobs_object(self) -> ChatCompletionLogprobs | None:
        """The log probabilities of the choice, or None."""
        if not self.logprobs:
            return None
        return ChatCompletionLogprobs.assemble({"content": self.logprobs, "refusal": None})


def is_commentary(item: Any) -> bool:
    """True for a message on the way to the answer, which is no part of it (litellm#41109)."""
    return type(item) is OutputMessage and item.phase == _COMMENTARY


def _annotations_of(message: OutputMessage) -> dict[str, Any]:
    """The citations of a commentary, which have no place among those of the content."""
    parts = [part for part in message.content if isinstance(part, OutputText)]
    found = [annotation.to_dict() for part in parts for annotation in part.annotations or ()]
    return {"annotations": found} if found else {}


def reasoning_texts(item: ReasoningItem) -> list[str]:
    """What of a reasoning item may be read: the reasoning itself, then its summaries."""
    parts = [*(item.content or ()), *item.summary]
    texts = (getattr(part, "text", None) for part in parts)
    return [text for text in texts if isinstance(text, str) and text]


def to_logprobs(tokens: list[TokenLogprob]) -> list[dict[str, Any]]:
    """Log probabilities in chat completions' shape, in which no field is optional."""
    return [
        {
            "token": token.token or "",
            "logprob": token.logprob,
            "bytes": token.bytes,
            "top_logprobs": [
                {"token": top.token or "", "logprob": top.logprob, "bytes": top.bytes}
                for top in token.top_logprobs or ()
            ],
        }
        for token in tokens
    ]


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
    # A field that the class lacks would be lost by `assemble`; such details are validated instead.
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
        # Citations of pages have a stretch, those of files one place, and some have neither.
        position = flat.get("start_index", flat.get("index"))
        where = position if isinstance(position, int) else length
        if start <= where < end or (end == length and where >= length):
            placed.append(_shift(flat, -start))
    return placed


def _flat(annotation: Any) -> dict[str, Any] | None:
    """An annotation with its details beside its type; None for anything else."""
    fields = annotation.to_dict() if isinstance(annotation, Model) else annotation
    if not isinstance(fields, Mapping):
        return None
    kind = fields.get("type")
    details = fields.get(str(kind))
    return {"type": kind, **(details if isinstance(details, Mapping) else _rest(fields))}


def _rest(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The details of an annotation that lie flat, as LiteLLM leaves them."""
    return {name: value for name, value in fields.items() if name != "type"}
