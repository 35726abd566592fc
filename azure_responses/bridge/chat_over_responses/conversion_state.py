"""What reading the messages of one chat remembers from one message to the next.

Calls are remembered until a later message answers them, and so is the id under which each is sent.
A conversation that began with another model has call ids of hundreds of characters, and Azure
refuses ids of more than 64 (codex#14355). A call and its answer are sent under the same short id.
It is made of the whole long one: ids with a common beginning stay apart, and a later request, or a
stored response, means the same call.

Also how the bridge says that a chat request cannot be served.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from azure_responses.bridge.chat_over_responses.reasoning import ReasoningCache, ReasoningKnowledge
from azure_responses.errors import AzureResponsesError, ConfigurationError

__all__ = [
    "CallIds",
    "ConversionState",
    "LONGEST_ID",
    "PendingCall",
    "as_list",
    "as_mapping",
    "as_texts",
    "refuse",
    "shorten",
]

# "messages[2].content[0].type is 'x'." → "messages[2].content[0].type".
_PLACE = re.compile(r"'?([A-Za-z_][\w-]*(?:\[\d+\]|\.\w+)*)")


def refuse(what: str, alternative: str) -> ConfigurationError:
    """The error for something the Responses API cannot do; nothing was sent.

    `what` begins with the parameter or the place in the messages, which is the error's `param`;
    `alternative` says what to do.
    """
    error = ConfigurationError(what, hint=alternative)
    place = _PLACE.match(what)
    error.param = place[1] if place is not None else None
    return error


def as_mapping(value: Any, path: str) -> Mapping[str, Any]:
    """A dict, or a model of pydantic's kind as one; raises ConfigurationError for anything else."""
    if isinstance(value, Mapping):
        return value
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    elif hasattr(value, "model_dump"):
        value = value.model_dump(exclude_unset=True, by_alias=True)
    if isinstance(value, Mapping):
        return value
    raise refuse(f"{path} is a {type(value).__name__}, not an object.", "Pass a dict or a model.")


def as_list(value: Any, path: str) -> list[Any]:
    """The items of anything that can be gone through but text and dicts; raises as above."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return list(value)
    raise refuse(f"{path} is a {type(value).__name__}, not a list.", "Pass a list.")


def as_texts(value: Any, path: str) -> list[str]:
    """The same where every item has to be text."""
    items = as_list(value, path)
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise refuse(f"{path}[{index}] is a {type(item).__name__}, not text.", "Pass a name.")
    return items


_Fields = Mapping[str, Any]

LONGEST_ID = 64


def shorten(text: str, prefix: str = "call_") -> str:
    """`text` itself; if it is longer than 64 characters, a hash of it that is short enough."""
    if len(text) <= LONGEST_ID:
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

    def send_item(self, item: _Fields) -> dict[str, Any]:
        """An input item with the id of its call as it is sent."""
        call_id = item.get("call_id")
        return {**item, "call_id": self.send(call_id)} if isinstance(call_id, str) else {**item}

    def restore(self, call_id: str | None) -> str | None:
        """The id as the caller knows it."""
        return self._given.get(call_id, call_id) if call_id is not None else None

    def restore_error(self, error: AzureResponsesError) -> None:
        """Put the ids that the caller knows into the message of an error."""
        for short, given in self._given.items():
            error.message = error.message.replace(short, given)


@dataclass(frozen=True)
class PendingCall:
    """A call of an earlier message, and what makes the item that answers it.

    `answer` takes the call's item, the message with the result, and its path for errors.
    """

    item: dict[str, Any]
    answer: Callable[[dict[str, Any], _Fields, str], dict[str, Any]]


@dataclass
class ConversionState:
    """The state of reading one request's messages.

    Attributes:
        resource_tag: the resource the request goes to, which cannot read reasoning with another
            tag; None when it is not known.
        cache: reasoning by tool call id, for messages that lost theirs; `now` is its time.
        knowledge: which deployments reason.
        is_stored: the service may look items up by id.
        stand_ins: names of functions that stand for a declared hosted tool's calls.
        calls: calls met so far, by the id that answers them.
        call_ids: those ids as they are sent.
        open_functions: ids of the unanswered calls of deprecated `function_call`s, by name.
        warnings: what could not be sent.
    """

    resource_tag: str | None = None
    cache: ReasoningCache | None = None
    knowledge: ReasoningKnowledge | None = None
    now: float = 0.0
    is_stored: bool = False
    stand_ins: frozenset[str] = frozenset()
    calls: dict[str, PendingCall] = field(default_factory=dict)
    call_ids: CallIds = field(default_factory=CallIds)
    open_functions: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    # Counted, since a long chat has many and one warning is enough.
    foreign_items: int = 0
    unreadable_items: int = 0
    has_encrypted_reasoning: bool = False

    def warn_of_unknown(self, message: _Fields, known: frozenset[str], path: str) -> None:
        """Note the fields of a message that have no place in a Responses request."""
        for name, value in message.items():
            if name not in known and value is not None and value != [] and value != {}:
                self.warnings.append(
                    f"{path}.{name[:100]} was left out: the Responses API has no place for it."
                )

    def summarize(self) -> None:
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
