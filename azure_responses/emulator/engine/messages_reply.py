"""Messages: the same answers in Anthropic's shapes, whole and as events.

The shapes are those of Anthropic's reference and of the `anthropic` package. A thinking block is
signed; the signature knows the text, the block's place and the model.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.engine.citations import cite, list_sources
from azure_responses.emulator.engine.create_response import create_response
from azure_responses.emulator.engine.generation import GeneratedResponse, Generation
from azure_responses.emulator.engine.item_events import split_deltas
from azure_responses.emulator.engine.messages_request import count_input, to_generation
from azure_responses.emulator.engine.transcript import read_transcript
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.messages_errors import messages_error
from azure_responses.emulator.service_errors import ServiceError

__all__ = ["MessagesReply", "count_message_tokens", "create_message", "write_message_events"]

_Block = dict[str, Any]
# Published by Anthropic for tests of these two cases.
_MAGIC_REDACTED = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING"
_MAGIC_REFUSAL = "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL"
_CACHE_STEP = 128


@dataclass
class MessagesReply:
    """A finished message.

    Attributes:
        message: the reply as a whole.
        thoughts: how many thinking blocks stand before its calls.
    """

    message: dict[str, Any]
    thoughts: int = 0


@dataclass
class _Draft:
    """What is written so far."""

    generation: Generation
    answer: GeneratedResponse | None = None
    blocks: list[_Block] = field(default_factory=list)
    reason: str = "end_turn"
    sequence: str | None = None


def create_message(generation: Generation) -> MessagesReply:
    """The message that answers a body of Messages.

    Raises:
        ServiceError: in Anthropic's shape, for what only shows when answering.
    """
    asked = to_generation(generation)
    transcript = read_transcript(asked.request, asked.request["input"])
    draft = _Draft(generation)
    said = f"{transcript.prompt}\n{transcript.instructions}"
    if find_trigger(transcript, "block-prompt") is not None or _MAGIC_REFUSAL in said:
        draft.reason = "refusal"
        return MessagesReply(_finish(draft, count_input(asked)))
    draft.answer = _answer(asked)
    _write_thoughts(
        draft, _MAGIC_REDACTED in said or find_trigger(transcript, "redact") is not None
    )
    if find_trigger(transcript, "pause") is not None and not _is_resumed(generation.request):
        _pause(draft, transcript.prompt)
    else:
        _write_output(draft)
        _find_reason(draft, asked)
    thoughts = sum(block["type"] in ("thinking", "redacted_thinking") for block in draft.blocks)
    return MessagesReply(_finish(draft, 0), thoughts)


def count_message_tokens(generation: Generation) -> int:
    """What `count_tokens` answers."""
    return count_input(to_generation(generation))


def _answer(asked: Generation) -> GeneratedResponse:
    try:
        answer = create_response(asked)
    except ServiceError as error:
        fields = error.body.get("error") or {}
        if fields.get("code") == "context_length_exceeded":
            counted, limit = count_input(asked), asked.model.max_input
            message = f"prompt is too long: {counted} tokens > {limit} maximum"
            raise messages_error(400, message) from None
        raise messages_error(error.status, str(fields.get("message"))) from None
    if answer.response["status"] == "failed":
        raise messages_error(500, "Internal server error")
    return answer


def _is_resumed(body: Mapping[str, Any]) -> bool:
    """True where the caller sends a paused turn back."""
    last = body["messages"][-1]
    return last["role"] == "assistant" and isinstance(last["content"], list)


# --- content --------------------------------------------------------------------------------------


def _write_thoughts(draft: _Draft, is_redacted: bool) -> None:
    generation, answer = draft.generation, draft.answer
    thoughts = answer.thoughts if answer else ()
    config = generation.request.get("thinking") or {}
    shown = config.get("display")
    if shown is None:
        shown = "summarized" if generation.model.claude.shows_thinking else "omitted"
    for number, thought in enumerate(thoughts):
        text = thought if shown == "summarized" else ""
        sealed = {
            "thought": thought,
            "shown": text,
            "number": number,
            "count": len(thoughts),
            "model": generation.model.snapshot,
        }
        nonce = f"{generation.identifiers.letters(12)}:{number}"
        seal = generation.cipher.seal(sealed, nonce, generation.created_at)
        # Of several thoughts the last one is hidden, so that both kinds stand side by side.
        if is_redacted and number == len(thoughts) - 1:
            draft.blocks.append({"type": "redacted_thinking", "data": seal})
        else:
            draft.blocks.append({"type": "thinking", "thinking": text, "signature": seal})


def _pause(draft: _Draft, prompt: str) -> None:
    call_id = "srvtoolu_" + draft.generation.identifiers.letters(24)
    query = {"query": " ".join(prompt.split()[:6])}
    draft.blocks.append(
        {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": query}
    )
    draft.reason = "pause_turn"


def _write_output(draft: _Draft) -> None:
    if draft.answer is None:
        return
    for item in draft.answer.response["output"]:
        if item["type"] == "message":
            _write_text(draft, item["content"][0])
        elif item["type"] == "function_call":
            draft.blocks.append(
                {
                    "type": "tool_use",
                    "id": "toolu_01" + draft.generation.identifiers.letters(22),
                    "name": item["name"],
                    "input": _parse(item["arguments"]),
                }
            )
            draft.reason = "tool_use"
        elif item["type"] == "web_search_call":
            draft.blocks += _write_search(draft, item)
    resumed = draft.generation.request["messages"][-1]
    if resumed["role"] == "assistant":
        draft.blocks = _resume(draft, resumed["content"])


def _parse(arguments: str) -> dict[str, Any]:
    try:
        parsed = json.loads(arguments)
    except ValueError:
        # A call that was cut off by `max_tokens`.
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _write_text(draft: _Draft, part: Mapping[str, Any]) -> None:
    if "refusal" in part:
        draft.blocks.append({"type": "text", "text": part["refusal"]})
        draft.reason = "refusal"
        return
    text = str(part["text"])
    for sequence in draft.generation.request.get("stop_sequences") or ():
        before, found, _ = text.partition(sequence)
        if found:
            text, draft.reason, draft.sequence = before, "stop_sequence", sequence
    if not text:
        return
    sources = list_sources(draft.generation.request)
    draft.blocks += cite(text, part.get("annotations") or [], sources, draft.generation.cipher)


def _write_search(draft: _Draft, item: Mapping[str, Any]) -> list[_Block]:
    call_id = "srvtoolu_" + draft.generation.identifiers.letters(24)
    query = str((item.get("action") or {}).get("query") or "")
    use = {"type": "server_tool_use", "id": call_id, "name": "web_search"}
    return [{**use, "input": {"query": query}}, _write_results(draft, call_id)]


def _write_results(draft: _Draft, call_id: str) -> _Block:
    """What the search found: the pages that the text cites, or one where it cites none."""
    output = draft.answer.response["output"] if draft.answer else []
    texts = [item["content"][0] for item in output if item["type"] == "message"]
    notes = [note for text in texts for note in text.get("annotations") or ()]
    found = [note for note in notes if note.get("type") == "url_citation"]
    pages = [(note["url"], note.get("title")) for note in found]
    results = [
        {
            "type": "web_search_result",
            "title": title,
            "url": url,
            "encrypted_content": draft.generation.cipher.seal({"url": url}, call_id + url),
            "page_age": None,
        }
        for url, title in pages or [("https://example.com/", "Example")]
    ]
    return {"type": "web_search_tool_result", "tool_use_id": call_id, "content": results}


def _resume(draft: _Draft, content: Any) -> list[_Block]:
    """A paused turn goes on with the results of its search; a prefill with the rest of the text."""
    blocks = content if isinstance(content, list) else []
    open_calls = [block["id"] for block in blocks if block["type"] == "server_tool_use"]
    results = [_write_results(draft, one) for one in open_calls[-1:]]
    return [*results, *(one for one in draft.blocks if "thinking" not in one["type"])]


# --- how it ends ----------------------------------------------------------------------------------


def _find_reason(draft: _Draft, asked: Generation) -> None:
    response = draft.answer.response if draft.answer else {}
    reason = (response.get("incomplete_details") or {}).get("reason")
    if reason == "content_filter":
        draft.reason = "refusal"
    elif reason == "max_output_tokens":
        draft.reason = "max_tokens"
        # The window was full before the limit that the caller asked for.
        if asked.request["max_output_tokens"] < draft.generation.request["max_tokens"]:
            draft.reason = "model_context_window_exceeded"


def _finish(draft: _Draft, input_tokens: int) -> dict[str, Any]:
    generation = draft.generation
    details = None
    if draft.reason == "refusal":
        details = {"type": "refusal", "category": None, "explanation": None}
    return {
        "id": "msg_01" + generation.identifiers.letters(22),
        "type": "message",
        "role": "assistant",
        "model": generation.model.snapshot,
        "content": draft.blocks,
        "stop_reason": draft.reason,
        "stop_sequence": draft.sequence,
        "stop_details": details,
        "usage": _describe_usage(draft, input_tokens),
    }


def _describe_usage(draft: _Draft, input_tokens: int) -> dict[str, Any]:
    usage = (draft.answer.response["usage"] if draft.answer else None) or {}
    total = usage.get("input_tokens", input_tokens)
    read = usage.get("input_tokens_details", {}).get("cached_tokens", 0)
    ttl = _find_ttl(draft.generation.request)
    written = 0
    # Anthropic's page on prompt caching: most models cache from 1024 tokens on.
    if ttl is not None and total >= 1024:
        written = max(0, total // _CACHE_STEP * _CACHE_STEP - read)
    searches = sum(block["type"] == "web_search_tool_result" for block in draft.blocks)
    described = {
        "input_tokens": total - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": 0 if ttl == "1h" else written,
            "ephemeral_1h_input_tokens": written if ttl == "1h" else 0,
        },
        "output_tokens": usage.get("output_tokens", 0),
        "service_tier": "standard",
        "inference_geo": "not_available",
    }
    thinking = usage.get("output_tokens_details", {}).get("reasoning_tokens", 0)
    if thinking:
        described["output_tokens_details"] = {"thinking_tokens": thinking}
    if searches:
        described["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": 0}
    return described


def _find_ttl(value: Any) -> str | None:
    """How long a `cache_control` anywhere in the body keeps; None without any."""
    if isinstance(value, list):
        return next((found for part in value if (found := _find_ttl(part))), None)
    if not isinstance(value, dict):
        return None
    mark = value.get("cache_control")
    if isinstance(mark, dict):
        return str(mark.get("ttl") or "5m")
    parts = (value.get(name) for name in ("system", "tools", "messages", "content"))
    return next((found for part in parts if (found := _find_ttl(part))), None)


# --- events ---------------------------------------------------------------------------------------


def write_message_events(message: dict[str, Any], chunking: str) -> Iterator[dict[str, Any]]:
    """Every event of a stream that adds up to the message."""
    usage = message["usage"]
    begun = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        # Anthropic's streams begin with a count of one or so. A reader that adds the counts of
        # `message_start` and `message_delta` must get too much here as it does there.
        "usage": {**usage, "output_tokens": min(1, usage["output_tokens"])},
    }
    begun["usage"].pop("output_tokens_details", None)
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        opening, deltas = _split(block, chunking)
        yield {"type": "content_block_start", "index": index, "content_block": opening}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    counted = {
        name: usage[name]
        for name in (
            "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
            "output_tokens", "output_tokens_details", "server_tool_use",
        )
        if name in usage
    }  # fmt: skip
    ending = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    yield {"type": "message_delta", "delta": ending, "usage": counted}
    yield {"type": "message_stop"}


def _split(block: _Block, chunking: str) -> tuple[_Block, list[_Block]]:
    """The block as it is opened, and the deltas that fill it."""
    kind = block["type"]
    if kind == "thinking":
        deltas = _text_deltas("thinking", block["thinking"], chunking)
        # The signature comes after the whole text.
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if kind == "text":
        opening: _Block = {"type": "text", "text": ""}
        deltas = _text_deltas("text", block["text"], chunking)
        if "citations" in block:
            opening["citations"] = []
            deltas += [{"type": "citations_delta", "citation": one} for one in block["citations"]]
        return opening, deltas
    if kind in ("tool_use", "server_tool_use"):
        written = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
        # The first piece is empty in Anthropic's streams, and a call without arguments has only
        # that one.
        pieces = ["", *split_deltas(written, chunking)]
        named = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        return {**block, "input": {}}, named
    return block, []


def _text_deltas(kind: str, text: str, chunking: str) -> list[_Block]:
    return [{"type": f"{kind}_delta", kind: piece} for piece in split_deltas(text, chunking)]
