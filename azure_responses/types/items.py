"""The items of a response and of a request: messages, reasoning, tool calls and their results."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from .content import MessagePart, OutputPart, OutputText
from .mending import Mended, type_of
from .model import ANYTHING, OPEN, ItemStatus, Model, UnknownType
from .parameters import Reasoning, TextConfig
from .tools import WAITING_ITEMS, Tool, ToolItem

__all__ = [
    "AdditionalTools",
    "AgentMessage",
    "AgentTag",
    "CompactionItem",
    "CompactionTrigger",
    "ConfigurationUpdate",
    "EasyInputMessage",
    "ITEM_TYPES",
    "InputItem",
    "InputMessage",
    "ItemReference",
    "MessageRole",
    "MultiAgentCall",
    "MultiAgentCallOutput",
    "OutputItem",
    "OutputMessage",
    "ReasoningItem",
    "ToolSearchOutput",
    "TypedItem",
    "UnknownItem",
    "is_callers",
]


# Chat completions' shapes of content, which some gateways leave in a response's messages.
def _as_parts(content: Any) -> Any:
    """Content that is text, one part, or a list of texts, as the list of parts it should be."""
    # Gateways and older servers write a message's content as chat completions do: as plain text.
    parts = [content] if isinstance(content, str | dict) else content
    if not isinstance(parts, list):
        return parts
    return [{"type": "output_text", "text": p} if isinstance(p, str) else p for p in parts]


class OutputMessage(Model):
    """A message the model wrote."""

    # Gateways leave both out; the text must not be lost for that.
    _stand_ins: ClassVar[Mapping[str, Any]] = {"id": "", "role": "assistant"}
    _readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"content": _as_parts}

    type: Literal["message"]
    id: str
    role: Literal["assistant"]
    content: list[OutputPart]
    status: ItemStatus | None = None
    # Text on the way to the answer is a message of its own (openai-python#3859).
    phase: Annotated[Literal["commentary", "final_answer"] | str, OPEN] | None = None

    @property
    def text(self) -> str:
        """The text of the message, without refusals."""
        return "".join(part.text for part in self.content if isinstance(part, OutputText))


class ReasoningItem(Model):
    """The model's reasoning: summaries for people, `encrypted_content` to send back.

    Azure encrypts the content anew in every event, so two ciphertexts of the same item differ;
    the last one is the one to keep (recorded by posit-dev/chatlas).
    """

    # The ciphertext is what must survive; a reasoning item is sent back without a summary as well.
    _stand_ins: ClassVar[Mapping[str, Any]] = {"summary": []}

    type: Literal["reasoning"]
    id: str | None = None
    summary: list[OutputPart]
    content: list[OutputPart] | None = None
    encrypted_content: str | None = None
    status: ItemStatus | None = None


class CompactionItem(Model):
    """A conversation so far, compacted and encrypted; sent back in place of its items."""

    type: Literal["compaction"]
    id: str | None = None
    encrypted_content: str
    created_by: str | None = None


class ToolSearchOutput(Model):
    """The tools such a search found."""

    type: Literal["tool_search_output"]
    id: str | None = None
    call_id: str | None = None
    tools: list[Tool]
    execution: Annotated[Literal["server", "client"] | str, OPEN] | None = None
    status: ItemStatus | None = None
    created_by: str | None = None


class AdditionalTools(Model):
    """Tools offered from here on."""

    type: Literal["additional_tools"]
    id: str | None = None
    role: str | None = None
    tools: list[Tool]


class AgentTag(Model):
    """The agent an item belongs to (beta)."""

    agent_name: str | None = None


class AgentMessage(Model):
    """A message from one agent to another (beta)."""

    type: Literal["agent_message"]
    id: str | None = None
    agent: AgentTag | None = None
    author: str
    recipient: str
    content: list[dict[str, Any]]


class MultiAgentCall(Model):
    """One agent steering others; `arguments` is JSON text (beta)."""

    type: Literal["multi_agent_call"]
    id: str | None = None
    agent: AgentTag | None = None
    call_id: str
    action: str
    arguments: str


class MultiAgentCallOutput(Model):
    """What came of steering other agents (beta)."""

    type: Literal["multi_agent_call_output"]
    id: str | None = None
    agent: AgentTag | None = None
    call_id: str
    action: str
    output: list[OutputPart]


class OAuthConsentRequest(Model):
    """A user has to consent at `consent_link` before an agent may use a tool.

    Foundry's own; microsoft/agent-framework #6553 quotes it. The conversation goes on with the next
    response, by `previous_response_id` or `conversation`.
    """

    type: Literal["oauth_consent_request"]
    id: str | None = None
    consent_link: str
    server_label: str | None = None
    created_by: dict[str, Any] | str | None = None


class UnknownItem(Model):
    """An item of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"
    id: Annotated[str | None, ANYTHING] = None


# Every kind but messages, which input items tell apart by more than their type.
TypedItem = (
    ToolItem
    | ReasoningItem
    | ToolSearchOutput
    | AdditionalTools
    | CompactionItem
    | AgentMessage
    | MultiAgentCall
    | MultiAgentCallOutput
    | OAuthConsentRequest
)

ITEM_TYPES: dict[Any, type[Model]] = {
    type_of(kind): kind for kind in (OutputMessage, *get_args(TypedItem))
}
"""The classes of output items by their `type`."""


def _find_item(fields: Mapping[str, Any]) -> type[Model] | None:
    kind = fields.get("type")
    if isinstance(kind, str):
        return ITEM_TYPES.get(kind)
    # No other item has a role and content.
    return OutputMessage if "role" in fields and fields.get("content") else None


OutputItem = Annotated[
    Annotated[OutputMessage | TypedItem, Field(discriminator="type")]
    | Annotated[UnknownItem, Mended(_find_item)],
    Field(union_mode="left_to_right"),
]


def is_callers(item: Any) -> bool:
    """True for an output item that the caller has to carry out and answer."""
    is_waiting = WAITING_ITEMS.get(type(item))
    return is_waiting is not None and is_waiting(item)


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
