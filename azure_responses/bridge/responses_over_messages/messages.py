"""The items of a Responses conversation → the messages and the system prompt of Messages.

Neighbouring items of one side are one message. All results of the calls of a message stand in the
next one, before any text, wherever their items are: Claude refuses anything else. Thinking stays
where it was among the other blocks of its turn.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from azure_responses.bridge.function_calls import (
    CALLS,
    OUTPUTS,
    check_calls,
    is_services,
    output_failed,
    output_of,
)
from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.hosted_items import HostedItems, tell_hosted
from azure_responses.bridge.input_items import text_of
from azure_responses.bridge.responses_over_messages.blocks import BlockWriter
from azure_responses.bridge.responses_over_messages.thinking import open_block
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.conversion import ConversionContext

__all__ = ["OPENING", "ItemsToMessagesWriter", "mark_instruction", "read_arguments", "tool_id"]

_Item = Mapping[str, Any]
_Block = dict[str, Any]
OPENING = "[The conversation begins.]"
"""What the user says where the assistant speaks first, which Claude refuses."""
_VALID_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class ItemsToMessagesWriter:
    """Writes the input items of one request as messages of Messages.

    Args:
        context: what is known of the deployment.
        tools: how calls are named.
        unsupported: collects what is left out.

    Attributes:
        system: the blocks of the system prompt.
    """

    def __init__(
        self, context: ConversionContext, tools: FunctionTools, unsupported: Unsupported
    ) -> None:
        self.system: list[_Block] = []
        self._context = context
        self._tools = tools
        self._unsupported = unsupported
        self._blocks = BlockWriter(unsupported)
        self._messages: list[dict[str, Any]] = []
        self._outputs: dict[str, tuple[_Item, str]] = {}
        # The calls of the last message, whose results come next.
        self._pending: list[str] = []
        self._hosted = HostedItems()
        self._foreign = 0

    def write(
        self, items: Sequence[_Item], instructions: str | None, skip: int
    ) -> list[dict[str, Any]]:
        """The messages.

        Args:
            items: the whole conversation, the oldest first, in the form of stored items.
            instructions: come first in the system prompt.
            skip: how many items are not of this request's `input`; paths in errors count from
                there.

        Raises:
            BadRequestError: calls and outputs do not fit each other.
            ConfigurationError: the conversation holds what Claude does not take.
        """
        if instructions and instructions.strip():
            self.system.append({"type": "text", "text": instructions})
        placed = [(item, _path(index, skip)) for index, item in enumerate(items)]
        names = check_calls(items)
        for item, path in placed:
            if item.get("type") in OUTPUTS and not is_services(item):
                self._outputs[names[_named(item)]] = item, path
        leading = _count_leading(items)
        for index, (item, path) in enumerate(placed):
            if index < leading:
                self._write_system(item, path)
            else:
                self._write(item, path)
        self._answer()
        self._check_ends()
        return self._messages

    def _check_ends(self) -> None:
        if self._foreign:
            self._unsupported.warn(
                f"{self._foreign} reasoning items were left out. Another model made them, or they "
                "were damaged."
            )
        if not self._messages:
            error = ConfigurationError(
                "input is empty. Claude answers a message of the user.", hint="Send a message."
            )
            error.param = "input"
            raise error
        if self._messages[0]["role"] != "user":
            # Claude wants the user to speak first. Agents often begin by a greeting.
            opening = {"type": "text", "text": OPENING}
            self._messages.insert(0, {"role": "user", "content": [opening]})

    def _write(self, item: _Item, path: str) -> None:
        kind = str(item["type"])
        writer = _WRITERS.get(kind)
        if writer is not None:
            writer(self, item, path)
        elif self._hosted.has(item):
            self._write_hosted(item, path)
        elif kind in CALLS:
            self._write_call(item, path)
        elif kind in OUTPUTS:
            self._answer()
        else:
            self._unsupported.leave_out(
                path,
                f"Claude takes no item {kind!r}.",
                "Leave the item out, or use a deployment that speaks the Responses API.",
            )

    def _add(self, role: str, blocks: list[_Block]) -> None:
        if not blocks:
            return
        if not self._messages or self._messages[-1]["role"] != role:
            self._messages.append({"role": role, "content": []})
        self._messages[-1]["content"] += blocks

    def _answer(self) -> None:
        """The results of the calls so far."""
        pending, self._pending = self._pending, []
        self._add("user", [self._write_result(call_id) for call_id in pending])

    def _write_result(self, call_id: str) -> _Block:
        item, path = self._outputs[call_id]
        output = output_of(item)
        content: Any = output
        if not isinstance(output, str):
            content = self._blocks.write(output, f"{path}.output")
        result: _Block = {"type": "tool_result", "tool_use_id": tool_id(call_id)}
        if content:
            result["content"] = content
        if output_failed(item):
            result["is_error"] = True
        return {**result, **self._blocks.mark(item, path)}

    def _write_message(self, item: _Item, path: str) -> None:
        role, path = item["role"], f"{path}.content"
        if role == "assistant":
            self._add("assistant", self._blocks.write(item["content"], path))
            return
        self._answer()
        blocks = self._blocks.write(item["content"], path)
        if role != "user":
            self._instruct(blocks)
        else:
            self._add("user", blocks)

    def _instruct(self, blocks: list[_Block]) -> None:
        """What the system says in the middle of the conversation."""
        if self._context.facts.takes_system_messages and self._messages:
            self._add("system", blocks)
        else:
            self._add("user", [mark_instruction(block) for block in blocks])

    def _write_system(self, item: _Item, path: str) -> None:
        for index, part in enumerate(item["content"]):
            if text_of(part) is None:
                self._unsupported.leave_out(
                    f"{path}.content[{index}]",
                    "Claude's system prompt is text.",
                    "Send it in a message of the user.",
                )
            else:
                self.system += self._blocks.write([part], f"{path}.content")

    def _write_reasoning(self, item: _Item, path: str) -> None:
        block = open_block(item, self._context)
        if block is not None:
            self._add("assistant", [block])
        elif item.get("encrypted_content"):
            self._foreign += 1

    def _write_call(self, item: _Item, path: str) -> None:
        call = self._tools.to_call(item)
        self._add(
            "assistant",
            [
                {
                    "type": "tool_use",
                    "id": tool_id(call.id),
                    "name": call.name,
                    "input": read_arguments(call.arguments),
                }
            ],
        )
        self._pending.append(call.id)

    def _write_search(self, item: _Item, path: str) -> None:
        # What the service itself searched is known by the tools that it found.
        if not is_services(item):
            if item["type"] in OUTPUTS:
                self._answer()
            else:
                self._write_call(item, path)

    def _write_hosted(self, item: _Item, path: str) -> None:
        kind = item["type"]
        if self._context.hosted_history == "text":
            self._add("assistant", [{"type": "text", "text": tell_hosted(item)}])
        else:
            self._unsupported.warn(
                f"{path} was left out. The service ran this {kind!r}, and Claude knows no such "
                "history."
            )

    def _skip(self, item: _Item, path: str) -> None:
        """Tools that an item offers stand among the tools."""


_WRITERS: Mapping[str, Callable[[ItemsToMessagesWriter, _Item, str], None]] = {
    "message": ItemsToMessagesWriter._write_message,
    "reasoning": ItemsToMessagesWriter._write_reasoning,
    "additional_tools": ItemsToMessagesWriter._skip,
    "tool_search_call": ItemsToMessagesWriter._write_search,
    "tool_search_output": ItemsToMessagesWriter._write_search,
}


def _path(index: int, skip: int) -> str:
    return f"input[{index - skip}]" if index >= skip else f"history[{index}]"


def mark_instruction(block: _Block) -> _Block:
    """A block of the system's as the user says it."""
    if block["type"] != "text":
        return block
    return {**block, "text": f"<instructions>\n{block['text']}\n</instructions>"}


def _named(item: _Item) -> str:
    """The id by which an item names its call."""
    return str(item.get("call_id") or item.get("id"))


def _count_leading(items: Sequence[_Item]) -> int:
    """How many items at the beginning are the system prompt.

    Instructions alone are no conversation: the last of them is then what the user says.
    """
    count = 0
    for item in items:
        if item.get("type") != "message" or item.get("role") not in ("system", "developer"):
            return count
        count += 1
    return max(count - 1, 0)


def read_arguments(arguments: str) -> dict[str, Any]:
    """The arguments of a call as the object that Claude wants."""
    try:
        given = json.loads(arguments)
    except (ValueError, RecursionError):
        given = None
    # Broken arguments are the model's own, and it should see them again.
    return given if isinstance(given, dict) else {"arguments": arguments}


def tool_id(call_id: str) -> str:
    """The id as it is sent; one of another service may have characters that Claude refuses."""
    if _VALID_ID.fullmatch(call_id):
        return call_id
    return "toolu_" + sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
