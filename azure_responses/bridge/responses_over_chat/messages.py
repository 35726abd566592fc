"""The items of a Responses conversation → the messages of a chat.

All that the model did between two inputs is one assistant message: its text, and every call. The
outputs stand right behind it, whatever came between in the items: a tool message anywhere else is
refused by the service. Chat completions cannot say in which order text and calls were made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from azure_responses.bridge.function_calls import (
    CALLS,
    OUTPUTS,
    check_calls,
    is_services,
    output_of,
)
from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.hosted_items import HostedItems, tell_hosted
from azure_responses.bridge.input_items import text_of
from azure_responses.bridge.native_chat import with_reasoning
from azure_responses.bridge.responses_over_chat.parts import PartWriter
from azure_responses.bridge.sealed_reasoning import family_of
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.families import FamilyFacts

__all__ = ["AssistantTurn", "ItemsToChatWriter"]

_Item = Mapping[str, Any]
_Message = dict[str, Any]
_SEPARATOR = "\n\n"
# OpenAI's chat completions refuse longer ids ("string too long … maximum length 40").
_LONGEST_CALL_ID = 40


@dataclass
class AssistantTurn:
    """One assistant message with the outputs of its calls."""

    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[_Message] = field(default_factory=list)
    outputs: list[_Message] = field(default_factory=list)
    pictures: list[_Message] = field(default_factory=list)

    def messages(self, facts: FamilyFacts) -> list[_Message]:
        """The message, the outputs of its calls, and what they show."""
        said: _Message = {"role": "assistant", "content": _SEPARATOR.join(self.texts) or None}
        if self.refusals:
            said["refusal"] = _SEPARATOR.join(self.refusals)
        if self.reasoning:
            said["reasoning_content"] = _SEPARATOR.join(self.reasoning)
        if self.calls:
            said["tool_calls"] = self.calls
        elif said["content"] is None and not self.refusals:
            # The content may be null only beside calls.
            said["content"] = ""
        seen = [{"role": "user", "content": self.pictures}] if self.pictures else []
        return [dict(with_reasoning(said, facts)), *self.outputs, *seen]


class ItemsToChatWriter:
    """Writes the input items of one request as messages of chat completions.

    Args:
        context: what is known of the deployment.
        tools: how calls are named.
        unsupported: collects what is left out.
    """

    def __init__(
        self, context: ConversionContext, tools: FunctionTools, unsupported: Unsupported
    ) -> None:
        self._context = context
        self._facts: FamilyFacts = context.facts
        self._tools = tools
        self._unsupported = unsupported
        self._parts = PartWriter(self._facts, unsupported)
        self._entries: list[AssistantTurn | _Message] = []
        self._turn: AssistantTurn | None = None
        self._turns: dict[str, AssistantTurn] = {}
        self._hosted = HostedItems()
        self._reasoning: list[str] = []
        self._foreign = 0

    def write(self, items: Sequence[_Item], instructions: str | None, skip: int) -> list[_Message]:
        """The messages.

        Args:
            items: the whole conversation, the oldest first, in the form of stored items.
            instructions: come first.
            skip: how many items are not of this request's `input`; paths in errors count from
                there.

        Raises:
            BadRequestError: calls and outputs do not fit each other.
            ConfigurationError: the conversation holds what the deployment cannot take.
        """
        if instructions:
            role = self._facts.instructions_role
            self._entries.append({"role": role, "content": instructions})
        # The Responses API refuses calls without outputs, and the reverse. To repair them would
        # hide a mistake of the caller's program.
        self._answered = check_calls(items)
        for index, item in enumerate(items):
            path = f"input[{index - skip}]" if index >= skip else f"history[{index}]"
            self._write(item, path)
        # One warning for all: a conversation that changed models would warn at each turn of it.
        if self._foreign:
            self._unsupported.warn(
                f"{self._foreign} reasoning items were left out. Another model made them, or they "
                "were damaged."
            )
        messages: list[_Message] = []
        for entry in self._entries:
            messages += entry.messages(self._facts) if isinstance(entry, AssistantTurn) else [entry]
        return messages

    def _write(self, item: _Item, path: str) -> None:
        kind = str(item["type"])
        writer = _WRITERS.get(kind)
        if writer is not None:
            writer(self, item, path)
        elif self._hosted.has(item):
            self._write_hosted(item, path)
        elif kind in CALLS:
            self._write_call(item)
        elif kind in OUTPUTS:
            self._write_output(item, path)
        else:
            self._unsupported.leave_out(
                path,
                f"A deployment that speaks chat completions cannot take an item {kind!r}.",
                "Leave the item out, or use a deployment that speaks the Responses API.",
            )

    def _write_message(self, item: _Item, path: str) -> None:
        role = item["role"]
        if role == "assistant":
            self._write_assistant(item["content"], path)
            return
        # Reasoning that neither text nor call follows belongs to no message that could carry it.
        self._turn = None
        self._reasoning = []
        if role == "developer" and not self._facts.takes_developer_role:
            role = "system"
        content = self._parts.content(item["content"], f"{path}.content")
        if content != []:
            self._entries.append({"role": role, "content": content})

    def _write_assistant(self, parts: Sequence[_Item], path: str) -> None:
        turn = self._open_turn()
        texts, refusals = [], []
        for index, part in enumerate(parts):
            text = text_of(part)
            if text is None:
                self._unsupported.leave_out(
                    f"{path}.content[{index}]",
                    "A message of the assistant holds only text in chat completions.",
                    "Send it in a message of the user.",
                )
            elif part["type"] == "refusal" and self._facts.takes_refusal:
                refusals.append(text)
            else:
                texts.append(text)
        turn.texts += filter(None, ["".join(texts)])
        turn.refusals += filter(None, ["".join(refusals)])

    def _open_turn(self) -> AssistantTurn:
        """The assistant message that the next item belongs to."""
        if self._turn is None:
            self._turn = AssistantTurn()
            self._entries.append(self._turn)
        self._turn.reasoning += self._reasoning
        self._reasoning = []
        return self._turn

    def _write_reasoning(self, item: _Item, path: str) -> None:
        if self._facts.takes_reasoning_content:
            text = self._read_reasoning(item)
            self._reasoning += [text] if text else []

    def _read_reasoning(self, item: _Item) -> str:
        sealed = item.get("encrypted_content")
        if isinstance(sealed, str) and sealed:
            opened = self._context.sealer.open(family_of(self._context), sealed)
            if opened is None:
                self._foreign += 1
                return ""
            return str(opened.get("text") or "")
        # The text is complete; a summary is only an extract of it.
        parts = item.get("content") or item.get("summary") or ()
        return "".join(text_of(part) or "" for part in parts)

    def _write_call(self, item: _Item) -> None:
        turn = self._open_turn()
        call = self._tools.to_call(item)
        told: _Message = {"id": _short(call.id), "type": call.kind}
        if call.kind == "custom":
            told["custom"] = {"name": call.name, "input": call.arguments}
        else:
            told["function"] = {"name": call.name, "arguments": call.arguments}
        turn.calls.append(told)
        self._turns[call.id] = turn

    def _write_output(self, item: _Item, path: str) -> None:
        call_id = self._answered[str(item.get("call_id") or item.get("id"))]
        turn = self._turns[call_id]
        # What follows is of the next turn; an output of an earlier one still goes to its place.
        if turn is self._turn:
            self._turn = None
        output = output_of(item)
        if not isinstance(output, str):
            output = self._write_parts(output, turn, call_id, f"{path}.output")
        message = {"role": "tool", "tool_call_id": _short(call_id), "content": output}
        turn.outputs.append(message)

    def _write_parts(
        self, parts: Sequence[_Item], turn: AssistantTurn, call_id: str, path: str
    ) -> str:
        """The text of an output; its pictures go into a message of their own."""
        texts = [text for text in map(text_of, parts) if text is not None]
        others = [part for part in parts if text_of(part) is None]
        written = self._parts.write(others, path)
        if written:
            texts.append("[The next message of the user shows what else this returned.]")
            turn.pictures.append({"type": "text", "text": f"Returned by the call {call_id}:"})
            turn.pictures += written
        return "\n".join(texts)

    def _write_hosted(self, item: _Item, path: str) -> None:
        kind = item["type"]
        if self._context.hosted_history == "text":
            self._open_turn().texts.append(tell_hosted(item))
        else:
            self._unsupported.warn(
                f"{path} was left out. The service ran this {kind!r}, and chat completions has no "
                "such history."
            )

    def _skip(self, item: _Item, path: str) -> None:
        """Tools that an item offers stand among the tools."""

    def _write_search(self, item: _Item, path: str) -> None:
        # What the service itself searched is known by the tools that it found.
        if is_services(item):
            return
        if item["type"] in OUTPUTS:
            self._write_output(item, path)
        else:
            self._write_call(item)


_WRITERS: Mapping[str, Callable[[ItemsToChatWriter, _Item, str], None]] = {
    "message": ItemsToChatWriter._write_message,
    "reasoning": ItemsToChatWriter._write_reasoning,
    "additional_tools": ItemsToChatWriter._skip,
    "tool_search_call": ItemsToChatWriter._write_search,
    "tool_search_output": ItemsToChatWriter._write_search,
}


def _short(call_id: str) -> str:
    """The id as it is sent; a long one of another service becomes a hash, the same each time."""
    if len(call_id) <= _LONGEST_CALL_ID:
        return call_id
    return "call_" + sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
