"""What a Messages request asks for, as the body of a Responses request."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import shorten
from azure_responses.bridge.message_blocks import Part
from azure_responses.bridge.message_entries import (
    ContentEntry,
    Entry,
    ThinkingEntry,
    ToolResultEntry,
    ToolUseEntry,
    WebSearchEntry,
)
from azure_responses.bridge.message_request import (
    MessagesRequest,
    choose_effort,
    choose_limit,
    write_sampling,
)
from azure_responses.bridge.message_tools import (
    ClientTool,
    ServerWebSearch,
    ToolNames,
    fits_strict,
    write_function,
)
from azure_responses.bridge.messages_over_responses.thinking import restore_reasoning
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.request_body import FEWEST_OUTPUT_TOKENS

__all__ = ["SEARCH_PREFIX", "write_body"]

SEARCH_PREFIX = "srvtoolu_"
"""What Anthropic's ids of server tool calls begin with; the item's id follows."""

_Object = dict[str, Any]


def write_body(
    request: MessagesRequest,
    context: ConversionContext,
    names: ToolNames,
    unsupported: Unsupported,
) -> _Object:
    """The body that is sent.

    Raises:
        ConfigurationError: the request asks for what the deployment cannot do.
    """
    items = _Items(context, names, unsupported)
    body: _Object = {"model": context.deployment, "input": items.write(request.entries)}
    # Callers of Messages send the whole conversation each time. Stored items would be looked up by
    # id, which is not reliable on Azure (pi #5524).
    body["store"] = False
    if request.stream:
        body["stream"] = True
    if request.system is not None:
        body["instructions"] = request.system
    _limit(body, request, context, unsupported)
    _add_tools(body, request, names, unsupported)
    _add_reasoning(body, request, context, unsupported)
    write_sampling(body, request, context, unsupported)
    if request.schema is not None:
        body["text"] = {"format": _write_format(request.schema)}
    if request.service_tier is not None:
        body["service_tier"] = request.service_tier
    _add_user(body, request)
    _check_refused(body, context, unsupported)
    return body


def _limit(
    body: _Object, request: MessagesRequest, context: ConversionContext, unsupported: Unsupported
) -> None:
    limit = choose_limit(request, context, unsupported)
    body["max_output_tokens"] = max(limit, FEWEST_OUTPUT_TOKENS)
    if request.max_tokens < FEWEST_OUTPUT_TOKENS:
        unsupported.warn(
            f"max_tokens was raised from {request.max_tokens} to {FEWEST_OUTPUT_TOKENS}, the "
            "fewest that the Responses API takes."
        )
    if request.stop_sequences:
        unsupported.warn(
            "stop_sequences end the text that you get, but not the work of the model: the "
            "Responses API has none, so what follows is still written and billed."
        )


def _add_user(body: _Object, request: MessagesRequest) -> None:
    if request.user_id is None:
        return
    # Both fields take 64 characters. The ids of Claude Code are longer, and end in the session,
    # whose requests have a beginning in common.
    body["safety_identifier"] = shorten(request.user_id, "")
    if request.caches:
        body["prompt_cache_key"] = body["safety_identifier"]


def _add_reasoning(
    body: _Object, request: MessagesRequest, context: ConversionContext, unsupported: Unsupported
) -> None:
    facts = context.facts
    reasoning: _Object = {}
    effort = choose_effort(request, facts, unsupported)
    if effort is not None:
        reasoning["effort"] = effort
    # Without efforts it is a model that does not reason, and refuses all that concerns reasoning.
    if request.shows_thinking and facts.efforts != ():
        if request.summarizes:
            reasoning["summary"] = "auto"
        if facts.takes_encrypted_reasoning:
            body["include"] = [*body.get("include", ()), "reasoning.encrypted_content"]
    if reasoning:
        body["reasoning"] = reasoning


def _write_format(schema: Any) -> _Object:
    # Claude holds to every schema; OpenAI's strict mode takes only closed ones.
    return {
        "type": "json_schema",
        "name": "output",
        "schema": schema,
        "strict": fits_strict(schema),
    }


def _check_refused(body: _Object, context: ConversionContext, unsupported: Unsupported) -> None:
    """Leave out what this family of models refuses."""
    for path in context.facts.refused_by_responses:
        name, _, rest = path.partition(".")
        holder = body.get(name) if rest else body
        key = rest or name
        if isinstance(holder, dict) and key in holder:
            unsupported.leave_out(
                _NAMES.get(path, path), "The model refuses it.", "Leave it out for this model."
            )
            del holder[key]
            if not holder:
                del body[name]


_NAMES = {"reasoning.effort": "thinking"}


def _add_tools(
    body: _Object, request: MessagesRequest, names: ToolNames, unsupported: Unsupported
) -> None:
    if not request.tools:
        return
    body["tools"] = [_write_tool(tool, names, unsupported) for tool in request.tools]
    searches = [tool for tool in request.tools if isinstance(tool, ServerWebSearch)]
    if searches:
        # Without it a search has no pages, and a caller of Messages expects a result for each
        # search.
        body["include"] = ["web_search_call.action.sources"]
        if searches[0].max_uses is not None:
            # It counts calls of hosted tools, and the search is the only one that is sent.
            body["max_tool_calls"] = searches[0].max_uses
    if not request.allows_parallel:
        body["parallel_tool_calls"] = False
    choice = request.tool_choice
    if isinstance(choice, ClientTool):
        body["tool_choice"] = {"type": "function", "name": names.send(choice.name)}
    elif isinstance(choice, ServerWebSearch):
        body["tool_choice"] = {"type": "web_search"}
    elif choice is not None:
        body["tool_choice"] = choice


def _write_tool(
    tool: ClientTool | ServerWebSearch, names: ToolNames, unsupported: Unsupported
) -> _Object:
    if isinstance(tool, ServerWebSearch):
        search: _Object = {"type": "web_search"}
        if tool.allowed_domains:
            search["filters"] = {"allowed_domains": tool.allowed_domains}
        if tool.user_location:
            search["user_location"] = dict(tool.user_location)
        return search
    return write_function(tool, names.send(tool.name), unsupported)


class _Items:
    """The input items of one request."""

    def __init__(
        self, context: ConversionContext, names: ToolNames, unsupported: Unsupported
    ) -> None:
        self._context = context
        self._names = names
        self._unsupported = unsupported
        self._thoughts: list[_Object] = []

    def write(self, entries: Sequence[Entry]) -> list[_Object]:
        items: list[_Object] = []
        for entry in entries:
            items += self._write_entry(entry)
        self._forget_thoughts()
        return items

    def _write_entry(self, entry: Entry) -> Iterator[_Object]:
        if isinstance(entry, ThinkingEntry):
            self._take_thought(entry)
            return
        if isinstance(entry, ToolResultEntry) or (
            isinstance(entry, ContentEntry) and entry.role != "assistant"
        ):
            self._forget_thoughts()
        yield from self._thoughts
        self._thoughts = []
        if isinstance(entry, ContentEntry):
            yield self._write_content(entry)
        elif isinstance(entry, ToolUseEntry):
            yield {
                "type": "function_call",
                "call_id": shorten(entry.id),
                "name": self._names.send(entry.name),
                "arguments": json.dumps(entry.input, ensure_ascii=False, separators=(",", ":")),
            }
        elif isinstance(entry, ToolResultEntry):
            yield self._write_result(entry)
        else:
            yield from self._write_search(entry)

    def _take_thought(self, thought: ThinkingEntry) -> None:
        item = restore_reasoning(thought, self._context)
        if item is not None:
            self._thoughts.append(item)
        elif thought.text or thought.sealed:
            self._unsupported.warn(
                "Thinking blocks that another deployment wrote were left out: only that one can "
                "read them."
            )

    def _forget_thoughts(self) -> None:
        # Azure refuses reasoning that nothing follows, as in an answer that was cut off.
        self._thoughts = []

    def _write_content(self, entry: ContentEntry) -> _Object:
        if entry.role == "assistant":
            texts = [part.value for part in entry.parts if part.kind == "text"]
            content = [{"type": "output_text", "text": text} for text in texts]
            return {"type": "message", "role": "assistant", "content": content}
        takes_developer = self._context.facts.takes_developer_role
        role = "developer" if entry.role == "system" and takes_developer else entry.role
        return {"type": "message", "role": role, "content": list(map(_write_part, entry.parts))}

    def _write_result(self, result: ToolResultEntry) -> _Object:
        parts = result.parts
        output: Any = [_write_part(part) for part in parts]
        if not parts or (len(parts) == 1 and parts[0].kind == "text"):
            output = parts[0].value if parts else ""
        return {"type": "function_call_output", "call_id": shorten(result.id), "output": output}

    def _write_search(self, search: WebSearchEntry) -> Iterator[_Object]:
        item_id = search.id.removeprefix(SEARCH_PREFIX)
        if item_id.startswith("ws_"):
            action = {"type": "search", "query": search.query}
            item = {"type": "web_search_call", "id": item_id, "status": "completed"}
            yield {**item, "action": action}
        elif self._context.hosted_history == "text":
            content = [{"type": "output_text", "text": search.describe()}]
            yield {"type": "message", "role": "assistant", "content": content}
        else:
            self._unsupported.warn(
                "Earlier searches on the web were left out: another service carried them out."
            )


def _write_part(part: Part) -> _Object:
    if part.kind == "text":
        return {"type": "input_text", "text": part.value}
    if part.kind == "image":
        return {"type": "input_image", "detail": "auto", "image_url": part.value}
    if part.value.startswith("data:"):
        # The service takes the kind of a document from its name.
        name = part.name or "document.pdf"
        return {"type": "input_file", "filename": name, "file_data": part.value}
    return {"type": "input_file", "file_url": part.value}
