"""The messages of a Messages request, read once for every API that may serve it.

They become entries in words that belong to neither API: what was said, thought, called and
returned, in order. Calls without results, and results without calls, are refused as Anthropic does
it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from azure_responses.bridge.message_blocks import Part, read_block, read_parts
from azure_responses.bridge.unsupported import Unsupported, invalid

__all__ = [
    "Entry",
    "ContentEntry",
    "WebSearchEntry",
    "ThinkingEntry",
    "ToolResultEntry",
    "ToolUseEntry",
    "read_messages",
]

_Fields = Mapping[str, Any]


class ContentEntry(NamedTuple):
    """Text, pictures and documents of one role."""

    role: str
    parts: list[Part]


class ThinkingEntry(NamedTuple):
    """Reasoning of an earlier answer: what was shown of it, and the text that restores it."""

    text: str
    sealed: str


class ToolUseEntry(NamedTuple):
    """A call of an earlier answer."""

    id: str
    name: str
    input: Any


class ToolResultEntry(NamedTuple):
    """What a call returned; an error says so in its text."""

    id: str
    parts: list[Part]


class WebSearchEntry(NamedTuple):
    """A search on the web that the service carried out in an earlier answer."""

    id: str
    query: str
    results: list[tuple[str, str]]

    def describe(self) -> str:
        """The search as text, for a model that cannot read the block."""
        found = "".join(f"\n- {title} {url}" for title, url in self.results)
        return f"Searched the web for: {self.query}{found}"


Entry = ContentEntry | ThinkingEntry | ToolUseEntry | ToolResultEntry | WebSearchEntry


def read_messages(messages: Any, unsupported: Unsupported) -> Iterator[Entry]:
    """The entries of all messages.

    Raises:
        BadRequestError: the Messages API would refuse them, too.
        ConfigurationError: they hold what only Claude can read.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise invalid("messages: at least one message is required", "messages")
    calls = _OpenCalls()
    for index, message in enumerate(messages):
        path = f"messages.{index}"
        role = message.get("role") if isinstance(message, Mapping) else None
        if role not in ("user", "assistant", "system"):
            expected = "'user', 'assistant' or 'system'"
            raise invalid(f"{path}.role: Input should be {expected}", f"{path}.role")
        if message.get("content") is None:
            raise invalid(f"{path}.content: Field required", f"{path}.content")
        calls.begin(role)
        yield from _read_message(role, message["content"], path, calls, unsupported)
    calls.end()
    # Other models take the beginning of an answer for a whole one, and write a second one.
    if role == "assistant":
        unsupported.leave_out(
            f"messages.{index}",
            "Only some Claude models continue an answer that the caller has begun.",
            "End with a message of the user, and ask there for the beginning that you want.",
        )


class _OpenCalls:
    """The calls that wait for their results.

    The Messages API refuses calls without results and results without calls, and so do Azure's.
    """

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        self._role = ""

    def begin(self, role: str) -> None:
        """A message of this role follows."""
        # Results may come in several messages of the user. They are overdue when the assistant
        # speaks again.
        if role == "assistant" and self._role != "assistant":
            self.end()
        self._role = role

    def call(self, call_id: str, path: str) -> None:
        """A call was made."""
        self._open[call_id] = path

    def answer(self, call_id: str, path: str) -> None:
        """A call was answered."""
        if self._open.pop(call_id, None) is None:
            raise invalid(
                f"{path}: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous "
                "message.",
                path,
            )

    def end(self) -> None:
        """No result can follow any more."""
        if self._open:
            path = next(iter(self._open.values()))
            raise invalid(
                f"{path}: `tool_use` ids were found without `tool_result` blocks immediately "
                f"after: {', '.join(self._open)}. Each `tool_use` block must have a corresponding "
                "`tool_result` block in the next message.",
                path,
            )


def _read_message(
    role: str, content: Any, path: str, calls: _OpenCalls, unsupported: Unsupported
) -> Iterator[Entry]:
    parts: list[Part] = []
    blocks = [content] if isinstance(content, str) else content
    if not isinstance(blocks, list | tuple):
        raise invalid(f"{path}.content: Input should be a valid list", f"{path}.content")
    searches: dict[str, WebSearchEntry] = {}
    for index, block in enumerate(blocks):
        place = f"{path}.content.{index}"
        kind = block.get("type") if isinstance(block, Mapping) else None
        if kind not in _ENTRIES and not str(kind).endswith(_OF_SERVER_TOOLS):
            read = read_block(block, place, unsupported)
            parts += read if role == "user" else _keep_texts(read, place, unsupported)
            continue
        _check_role(role, str(kind), place)
        # Text before a call and text after it stay where they are.
        if parts:
            yield ContentEntry(role, parts)
            parts = []
        if kind in _ENTRIES:
            yield from _ENTRIES[kind](block, place, calls, unsupported)
        else:
            yield from _read_server_block(block, place, searches, unsupported)
    if parts:
        yield ContentEntry(role, parts)


def _keep_texts(parts: list[Part], path: str, unsupported: Unsupported) -> list[Part]:
    """What another than the user says."""
    texts = [part for part in parts if part.kind == "text"]
    if len(texts) < len(parts):
        unsupported.leave_out(
            path,
            "Only messages of the user hold pictures and documents.",
            "Send it in a message of the user.",
        )
    return texts


def _check_role(role: str, kind: str, path: str) -> None:
    wanted = "user" if kind == "tool_result" else "assistant"
    if role != wanted:
        raise invalid(f"{path}: `{kind}` blocks can only be in `{wanted}` messages", path)


def _read_thinking(
    block: _Fields, path: str, calls: _OpenCalls, unsupported: Unsupported
) -> Iterator[Entry]:
    text, signature = block.get("thinking"), block.get("signature")
    yield ThinkingEntry(text if isinstance(text, str) else "", str(signature or ""))


def _read_redacted(
    block: _Fields, path: str, calls: _OpenCalls, unsupported: Unsupported
) -> Iterator[Entry]:
    yield ThinkingEntry("", str(block.get("data") or ""))


def _read_tool_use(
    block: _Fields, path: str, calls: _OpenCalls, unsupported: Unsupported
) -> Iterator[Entry]:
    for name in ("id", "name"):
        if not isinstance(block.get(name), str) or not block[name]:
            raise invalid(f"{path}.{name}: Field required", f"{path}.{name}")
    if not isinstance(block.get("input"), Mapping):
        raise invalid(f"{path}.input: Input should be a valid dictionary", f"{path}.input")
    calls.call(block["id"], path)
    yield ToolUseEntry(block["id"], block["name"], block["input"])


def _read_tool_result(
    block: _Fields, path: str, calls: _OpenCalls, unsupported: Unsupported
) -> Iterator[Entry]:
    call_id = str(block.get("tool_use_id") or "")
    calls.answer(call_id, path)
    content = block.get("content")
    parts = [] if content is None else read_parts(content, f"{path}.content", unsupported)
    yield ToolResultEntry(call_id, _mark_error(parts) if block.get("is_error") else parts)


def _mark_error(parts: list[Part]) -> list[Part]:
    """The result of a call that failed: no other API has a field for that."""
    first = parts[0] if parts else Part("text", "")
    if first.kind != "text":
        return [Part("text", "Error:"), *parts]
    # Claude Code marks its errors itself.
    if first.value.lower().startswith(("error", "<tool_use_error>")):
        return parts
    return [Part("text", f"Error: {first.value}".rstrip()), *parts[1:]]


_ENTRIES: dict[Any, Callable[[_Fields, str, _OpenCalls, Unsupported], Iterator[Entry]]] = {
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted,
    "tool_use": _read_tool_use,
    "tool_result": _read_tool_result,
}
# Anthropic names a result after its tool, such as `code_execution_tool_result`: by the ending those
# of new tools are recognised, too.
_OF_SERVER_TOOLS = ("server_tool_use", "mcp_tool_use", "_tool_result")


def _read_server_block(
    block: _Fields, path: str, searches: dict[str, WebSearchEntry], unsupported: Unsupported
) -> Iterator[Entry]:
    """A call of a tool that ran on a server, and its result, which stands in a block of its own."""
    kind = str(block["type"])
    call_id = str(block.get("id") or block.get("tool_use_id") or "")
    if kind == "server_tool_use" and block.get("name") == "web_search":
        query = block.get("input")
        text = query.get("query") if isinstance(query, Mapping) else None
        searches[call_id] = WebSearchEntry(call_id, str(text or ""), [])
        yield searches[call_id]
    elif kind == "web_search_tool_result" and call_id in searches:
        content = block.get("content")
        found = content if isinstance(content, list | tuple) else ()
        pages = [page for page in found if isinstance(page, Mapping)]
        # The entry was given out with the call, so its list is completed in place.
        searches[call_id].results.extend(
            (str(page.get("title") or ""), str(page.get("url") or "")) for page in pages
        )
    else:
        unsupported.warn(
            "Calls of tools on Anthropic's servers, and their results, were left out of the "
            "conversation: only Claude can read them."
        )
