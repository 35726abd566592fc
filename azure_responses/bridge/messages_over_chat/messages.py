"""The messages of a Messages request → those of a chat completion."""

import json
from collections.abc import Sequence
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import shorten
from azure_responses.bridge.function_calls import ToolCall
from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.message_blocks import Part
from azure_responses.bridge.message_entries import (
    ContentEntry,
    Entry,
    ThinkingEntry,
    ToolResultEntry,
    ToolUseEntry,
    WebSearchEntry,
)
from azure_responses.bridge.message_request import MessagesRequest
from azure_responses.bridge.responses_over_chat.messages import AssistantTurn
from azure_responses.bridge.sealed_reasoning import family_of
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import ConversionContext

__all__ = ["MessagesToChatWriter"]

_Object = dict[str, Any]


class MessagesToChatWriter:
    """Writes the entries of one Messages request as messages of chat completions.

    What one answer says and calls becomes one message, its results follow, and pictures among the
    results stand in a message of the user after them: a tool message holds only text.
    """

    def __init__(
        self, context: ConversionContext, tools: FunctionTools, unsupported: Unsupported
    ) -> None:
        self._context = context
        self._facts = context.facts
        self._tools = tools
        self._unsupported = unsupported
        # A turn is written only at the end: results and pictures that belong to it are still to
        # come.
        self._entries: list[AssistantTurn | _Object] = []
        # The answer that is being read, and the one whose calls wait for results.
        self._turn: AssistantTurn | None = None
        self._called: AssistantTurn | None = None
        self._reasoning: list[str] = []

    def write(self, request: MessagesRequest) -> list[_Object]:
        """The messages.

        Raises:
            ConfigurationError: a document, which the deployment does not take.
        """
        if request.system is not None:
            role = self._facts.instructions_role
            self._entries.append({"role": role, "content": request.system})
        for entry in request.entries:
            self._write(entry)
        messages: list[_Object] = []
        for written in self._entries:
            messages += (
                written.messages(self._facts) if isinstance(written, AssistantTurn) else [written]
            )
        return messages

    def _write(self, entry: Entry) -> None:
        if isinstance(entry, ContentEntry):
            self._write_content(entry)
        elif isinstance(entry, ThinkingEntry):
            self._write_thought(entry)
        elif isinstance(entry, ToolUseEntry):
            self._write_call(entry)
        elif isinstance(entry, ToolResultEntry):
            self._write_result(entry)
        else:
            self._write_search(entry)

    def _write_content(self, entry: ContentEntry) -> None:
        if entry.role == "assistant":
            text = "".join(part.value for part in entry.parts if part.kind == "text")
            self._open_turn().texts += filter(None, [text])
            return
        self._end_turn()
        role = entry.role
        if role == "system" and self._facts.takes_developer_role:
            # Instructions amid a conversation have the role that the family knows.
            role = "developer"
        parts = self._write_parts(entry.parts)
        if len(parts) == 1 and parts[0]["type"] == "text":
            self._entries.append({"role": role, "content": parts[0]["text"]})
        elif parts:
            self._entries.append({"role": role, "content": parts})

    def _open_turn(self) -> AssistantTurn:
        if self._turn is None:
            self._turn = AssistantTurn()
            self._entries.append(self._turn)
        self._turn.reasoning += self._reasoning
        self._reasoning = []
        return self._turn

    def _end_turn(self) -> None:
        self._turn = None
        self._reasoning = []

    def _write_thought(self, thought: ThinkingEntry) -> None:
        # DeepSeek misses its cache without `reasoning_content` (pi #9645), and Kimi refuses calls
        # that come without it (opencode #10996). Other families have no place for it.
        if not self._facts.takes_reasoning_content or not thought.sealed:
            return
        opened = self._context.sealer.open(family_of(self._context), thought.sealed)
        if opened is None:
            self._unsupported.warn(
                "Thinking blocks that another deployment wrote were left out: only that one can "
                "read them."
            )
        elif opened.get("text"):
            # Reasoning that was not shown stands behind the calls of its answer.
            reasoning = self._reasoning if self._turn is None else self._turn.reasoning
            reasoning.append(str(opened["text"]))

    def _write_call(self, use: ToolUseEntry) -> None:
        turn = self._called = self._open_turn()
        item = {"call_id": use.id, "name": use.name, "arguments": _write_json(use.input)}
        call: ToolCall = self._tools.to_call({"type": "function_call", **item})
        function = {"name": call.name, "arguments": call.arguments}
        turn.calls.append({"id": shorten(use.id), "type": "function", "function": function})

    def _write_result(self, result: ToolResultEntry) -> None:
        # The results of parallel calls stand in several blocks: all belong to the turn that called.
        self._end_turn()
        turn = self._called
        assert turn is not None, "a result follows its call"
        texts = [part.value for part in result.parts if part.kind == "text"]
        others = self._write_parts([part for part in result.parts if part.kind != "text"])
        if others:
            # Tool messages of chat completions hold text only. Without this line the result would
            # look empty to the model.
            texts.append("[The next message of the user shows what else this returned.]")
            turn.pictures.append({"type": "text", "text": f"Returned by the call {result.id}:"})
            turn.pictures += others
        message = {"role": "tool", "tool_call_id": shorten(result.id), "content": "\n".join(texts)}
        turn.outputs.append(message)

    def _write_search(self, search: WebSearchEntry) -> None:
        if self._context.hosted_history == "text":
            self._open_turn().texts.append(search.describe())
        else:
            self._unsupported.warn(
                "Earlier searches on the web were left out: another service carried them out."
            )

    def _write_parts(self, parts: Sequence[Part]) -> list[_Object]:
        written = map(self._write_part, parts)
        return [part for part in written if part is not None]

    def _write_part(self, part: Part) -> _Object | None:
        if part.kind == "text":
            return {"type": "text", "text": part.value}
        if part.kind == "image":
            return {"type": "image_url", "image_url": {"url": part.value}}
        if self._facts.takes_files and part.value.startswith("data:"):
            name = part.name or "document.pdf"
            return {"type": "file", "file": {"filename": name, "file_data": part.value}}
        self._unsupported.leave_out(
            "document",
            "Chat completions on Azure takes no documents.",
            "Send the document's text, or use a deployment that speaks another API.",
        )
        return None


def _write_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
