"""The messages of a chat completion → those of the Messages API, and the system prompt.

Neighbouring messages of one side are one message. The results of the calls of a message stand in
the next one, in order. Thinking stands first in its message, as Claude wrote it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.responses_over_messages.blocks import (
    BlockWriter,
    without_scope,
)
from azure_responses.bridge.responses_over_messages.messages import (
    OPENING,
    mark_instruction,
    read_arguments,
    tool_id,
)
from azure_responses.bridge.unsupported import Unsupported, invalid
from azure_responses.protocol.conversion import ConversionContext

__all__ = ["ChatToMessagesWriter"]

_Fields = Mapping[str, Any]
_Block = dict[str, Any]
# Blocks of Messages, which some callers put among the parts of a chat message.
_NATIVE = frozenset({"document", "image", "search_result"})
_THINKING = frozenset({"thinking", "redacted_thinking"})
_SAID = frozenset({"role", "content", "name", "cache_control"})
_ANSWERED = _SAID | {"tool_call_id"}
# The first four are made of what stands in others; the rest is our own, for other deployments.
_ASSISTANT = _SAID | {
    *("refusal", "tool_calls", "function_call", "thinking_blocks"),
    *("reasoning_content", "reasoning", "annotations", "provider_specific_fields"),
    *("commentary", "hosted_items", "output_order", "reasoning_items"),
}


class ChatToMessagesWriter:
    """Writes the messages of one chat request as messages of Messages.

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
        # The calls that wait for their results, by id, with the name of a function.
        self._pending: dict[str, str] = {}

    def write(self, messages: Any) -> list[dict[str, Any]]:
        """The messages.

        Raises:
            BadRequestError: a message is invalid by the rules of chat completions.
            ConfigurationError: the conversation holds what Claude does not take.
        """
        if not isinstance(messages, list | tuple) or not messages:
            raise invalid("messages: expected an array of at least one message.", "messages")
        for index, message in enumerate(messages):
            path = f"messages[{index}]"
            role = message.get("role") if isinstance(message, Mapping) else None
            write = _WRITERS.get(role) if isinstance(role, str) else None
            if write is None:
                known = ", ".join(_WRITERS)
                raise invalid(f"{path}.role is {role!r}. Roles are {known}.", f"{path}.role")
            # OpenAI's models and Claude refuse a call without a result. LiteLLM makes one up; that
            # would hide the caller's error from the caller and from the model.
            if role not in ("tool", "function"):
                self._check_answered(path)
            write(self, message, path)
        self._check_answered("messages")
        self._check_beginning()
        return self._messages

    def _check_answered(self, path: str) -> None:
        if self._pending:
            raise invalid(
                "An assistant message with 'tool_calls' must be followed by tool messages that "
                "respond to each 'tool_call_id'. These have no response: "
                f"{', '.join(self._pending)}.",
                path,
            )

    def _check_beginning(self) -> None:
        if not self._messages and self.system:
            # Instructions alone are no conversation: the last of them is what the user says.
            self._add("user", [self.system.pop()])
        if not self._messages:
            raise invalid("messages: there is no content in them.", "messages")
        if self._messages[0]["role"] != "user":
            # Claude wants the user to speak first. Agents often begin by a greeting.
            opening = {"type": "text", "text": OPENING}
            self._messages.insert(0, {"role": "user", "content": [opening]})

    def _add(self, role: str, blocks: list[_Block]) -> None:
        if not blocks:
            return
        # All results of the calls of one message must stand in one message of the user, and chat
        # completions have a message for each.
        if not self._messages or self._messages[-1]["role"] != role:
            self._messages.append({"role": role, "content": []})
        self._messages[-1]["content"] += blocks

    def _read(self, message: _Fields, path: str, known: frozenset[str]) -> list[_Block]:
        """The blocks of a message's content."""
        for name, value in message.items():
            if name not in known and value not in (None, [], {}):
                self._unsupported.warn(
                    f"{path}.{name[:100]} was left out: Messages has no place for it."
                )
        content = message.get("content")
        if content is None:
            return []
        parts = [content] if isinstance(content, str) else content
        if not isinstance(parts, list | tuple):
            raise invalid(f"{path}.content: expected text or an array.", f"{path}.content")
        blocks = []
        for index, part in enumerate(parts):
            blocks += self._read_part(part, f"{path}.content[{index}]")
        return self._mark(message, blocks, path)

    def _read_part(self, part: Any, path: str) -> list[_Block]:
        if isinstance(part, str):
            part = {"type": "text", "text": part}
        if not isinstance(part, Mapping):
            raise invalid(f"{path}: expected an object.", path)
        if part.get("type") in _NATIVE | _THINKING:
            block = dict(part)
            mark = block.get("cache_control")
            if isinstance(mark, Mapping):
                marked = without_scope(mark, f"{path}.cache_control", self._unsupported)
                block["cache_control"] = marked
            return [block]
        # BlockWriter numbers the parts that it is given.
        return self._blocks.write([_as_part(part, path)], path.rpartition("[")[0])

    def _mark(self, message: _Fields, blocks: list[_Block], path: str) -> list[_Block]:
        """`cache_control` of a whole message is that of its last block."""
        marked = self._blocks.mark(message, path)
        return [*blocks[:-1], {**blocks[-1], **marked}] if blocks and marked else blocks

    def _write_user(self, message: _Fields, path: str) -> None:
        self._add("user", self._read_said(message, path))

    def _read_said(self, message: _Fields, path: str) -> list[_Block]:
        if message.get("content") is None:
            raise invalid(f"{path}.content is missing.", f"{path}.content")
        blocks = self._read(message, path, _SAID)
        # Messages has no names of speakers: a conversation of several people would become one of a
        # single person, so the name goes into the text.
        name = message.get("name")
        return [{"type": "text", "text": f"{name}: "}, *blocks] if name and blocks else blocks

    def _write_system(self, message: _Fields, path: str) -> None:
        blocks = []
        for block in self._read_said(message, path):
            if block["type"] == "text":
                blocks.append(block)
            else:
                self._unsupported.leave_out(
                    f"{path}.content",
                    "Claude's system prompt is text.",
                    "Send it in a message of the user.",
                )
        if not self._messages:
            self.system += blocks
        elif self._context.facts.takes_system_messages:
            self._add("system", blocks)
        else:
            self._add("user", [mark_instruction(block) for block in blocks])

    def _write_assistant(self, message: _Fields, path: str) -> None:
        if message.get("audio") is not None:
            self._unsupported.leave_out(
                f"{path}.audio",
                "It refers to spoken output, which Claude does not have.",
                "Send its transcript as content.",
            )
        said = self._read(message, path, _ASSISTANT | {"audio"})
        thought = [block for block in said if block["type"] in _THINKING]
        spoken = [block for block in said if block["type"] not in _THINKING]
        refusal = message.get("refusal")
        if refusal:
            spoken.append({"type": "text", "text": str(refusal)})
        # Claude answers 400 "Expected `thinking` or `redacted_thinking`" where a message with calls
        # begins with anything else while it thinks.
        thought = [*_thinking_of(message), *thought]
        self._add("assistant", [*thought, *spoken, *self._read_calls(message, path)])

    def _read_calls(self, message: _Fields, path: str) -> list[_Block]:
        calls = [*(message.get("tool_calls") or ())]
        if message.get("function_call"):
            # The deprecated form has no id; its result names the function.
            # The number of the message makes an id that is the same in each request, which the
            # prompt cache needs.
            made = {"id": f"call_{path[9:-1]}", "function": message["function_call"]}
            calls.append(made)
        return [
            self._read_call(call, f"{path}.tool_calls[{index}]") for index, call in enumerate(calls)
        ]

    def _read_call(self, call: Any, path: str) -> _Block:
        fields = call if isinstance(call, Mapping) else {}
        custom = fields.get("custom")
        about = fields.get("function") or custom
        if not isinstance(about, Mapping) or not about.get("name"):
            raise invalid(f"{path} names no function.", path)
        call_id = fields.get("id")
        if not isinstance(call_id, str) or not call_id:
            raise invalid(f"{path}.id is missing.", f"{path}.id")
        kind, text = "function_call", {"arguments": str(about.get("arguments") or "")}
        if custom:
            kind, text = "custom_tool_call", {"input": str(about.get("input") or "")}
        item = {"type": kind, "call_id": call_id, "name": str(about["name"]), **text}
        written = self._tools.to_call(item)
        self._pending[call_id] = str(about["name"])
        arguments = read_arguments(written.arguments or "{}")
        use = {"type": "tool_use", "id": tool_id(call_id), "name": written.name}
        return {**use, "input": arguments, **self._blocks.mark(fields, path)}

    def _write_result(self, message: _Fields, path: str) -> None:
        call_id = message.get("tool_call_id")
        if call_id not in self._pending:
            raise invalid(
                "A message with role 'tool' must be a response to a preceding message with "
                f"'tool_calls'; {call_id!r} is no call of it that waits for a response.",
                f"{path}.tool_call_id",
            )
        self._answer(str(call_id), message, path)

    def _write_function(self, message: _Fields, path: str) -> None:
        name = message.get("name")
        call_id = next((key for key, made in self._pending.items() if made == name), None)
        if call_id is None:
            raise invalid(f"{path} answers no call of a function {name!r}.", f"{path}.name")
        self._answer(call_id, message, path)

    def _answer(self, call_id: str, message: _Fields, path: str) -> None:
        del self._pending[call_id]
        plain = {name: value for name, value in message.items() if name != "cache_control"}
        content = self._read(plain, path, _ANSWERED)
        result: _Block = {"type": "tool_result", "tool_use_id": tool_id(call_id)}
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            result["content"] = content[0]["text"]
        # An empty text block is refused; a result without content is not.
        elif content:
            result["content"] = content
        self._add("user", [{**result, **self._blocks.mark(message, path)}])


def _as_part(part: _Fields, path: str) -> _Fields:
    """A part of a chat message under the names that the Responses API has for it."""
    kind = part.get("type")
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, Mapping) else image
        file_id = image.get("file_id") if isinstance(image, Mapping) else None
        return {**part, "type": "input_image", "image_url": url, "file_id": file_id}
    if kind == "file":
        file = part.get("file")
        fields = dict(file) if isinstance(file, Mapping) else {}
        file_id = fields.get("file_id")
        if isinstance(file_id, str) and file_id.startswith(("https://", "http://")):
            # LiteLLM's callers put URLs there.
            fields["file_url"] = fields.pop("file_id")
        return {**part, **fields, "type": "input_file"}
    if kind == "text" and not isinstance(part.get("text"), str):
        raise invalid(f"{path}.text: expected text.", f"{path}.text")
    return part


def _thinking_of(message: _Fields) -> Iterator[_Block]:
    """The thinking blocks that came with an answer, without those that Claude did not sign."""
    blocks = message.get("thinking_blocks")
    for block in blocks if isinstance(blocks, list | tuple) else ():
        fields = block if isinstance(block, Mapping) else {}
        is_signed = bool(fields.get("signature") or fields.get("data"))
        if fields.get("type") in _THINKING and is_signed:
            # A mark of the cache is not allowed here.
            yield {name: value for name, value in fields.items() if name != "cache_control"}


_WRITERS: Mapping[str, Callable[[ChatToMessagesWriter, _Fields, str], None]] = {
    "system": ChatToMessagesWriter._write_system,
    "developer": ChatToMessagesWriter._write_system,
    "user": ChatToMessagesWriter._write_user,
    "assistant": ChatToMessagesWriter._write_assistant,
    "tool": ChatToMessagesWriter._write_result,
    "function": ChatToMessagesWriter._write_function,
}
