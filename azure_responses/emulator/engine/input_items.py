"""The items of a turn: sealed content opened, cut to the context window."""

import base64
import binascii
import copy
import struct
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any

from azure_responses.emulator.engine.generation import Generation
from azure_responses.emulator.engine.response_object import PROMPT_BLOCKED
from azure_responses.emulator.engine.transcript import Transcript
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.reasoning_cipher import ReasoningCipherError
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.tokens import count_items

__all__ = [
    "check_attachments",
    "check_input",
    "describe_attachments",
    "fit_context",
    "gather_items",
    "refuse_input",
]

_Items = list[dict[str, Any]]


def refuse_input(
    message: str, code: str | None = None, param: str | None = "input"
) -> ServiceError:
    """HTTP 400 about the input."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return ServiceError(400, {"error": error})


def gather_items(generation: Generation) -> _Items:
    """History and input, whose references have been resolved, oldest first.

    Raises:
        Refusal: encrypted content is not of this resource.
    """
    given = generation.request.get("input")
    items: _Items = []
    for item in generation.history:
        items.extend(_open_item(generation, item))
    if given is None:
        items.extend(_read_template(generation.request.get("prompt") or {}))
    if isinstance(given, str):
        items.append({"role": "user", "content": given})
    for item in given if isinstance(given, list) else ():
        items.extend(_open_item(generation, item))
    return items


def _read_template(prompt: dict[str, Any]) -> _Items:
    """A stored prompt's text is not known here; what fills its gaps stands for it."""
    filled = [value for value in (prompt.get("variables") or {}).values() if isinstance(value, str)]
    return [{"role": "user", "content": "\n".join(filled)}] if filled else []


def _open_item(generation: Generation, item: dict[str, Any]) -> _Items:
    sealed = item.get("encrypted_content")
    if not sealed or item.get("type") not in ("reasoning", "compaction"):
        return [item]
    try:
        opened = generation.cipher.open(sealed)
    except ReasoningCipherError:
        message = (
            f"The encrypted content {sealed[:4]}...{sealed[-4:]} could not be verified. Reason: "
            "Encrypted content could not be decrypted or parsed."
        )
        raise refuse_input(message, "invalid_encrypted_content", None) from None
    if item["type"] == "reasoning":
        return [item]
    messages: _Items = opened.get("messages", [])
    return messages


def fit_context(generation: Generation, items: _Items, input_tokens: int) -> tuple[_Items, int]:
    """The items that fit the context window, and their tokens; the oldest go first.

    Raises:
        Refusal: they do not fit, and `truncation` is not `auto`.
    """
    limit = generation.model.max_input
    if input_tokens <= limit:
        return items, input_tokens
    if generation.request.get("truncation") != "auto":
        message = (
            "Your input exceeds the context window of this model. Please adjust your input and "
            "try again."
        )
        raise refuse_input(message, "context_length_exceeded")
    kept = list(items)
    while len(kept) > 1 and input_tokens > limit:
        input_tokens -= count_items([kept.pop(0)])
    return kept, min(input_tokens, limit)


_IMAGE_HEADER = "x-ms-oai-image-generation-deployment"
# Kinds of outputs by the kind of their call, and what the service calls each in its messages.
_PAIRS = {
    "function_call": ("function_call_output", "function call"),
    "custom_tool_call": ("custom_tool_call_output", "custom tool call"),
    "computer_call": ("computer_call_output", "computer call"),
    "shell_call": ("shell_call_output", "shell call"),
    "local_shell_call": ("local_shell_call_output", "local shell call"),
    "apply_patch_call": ("apply_patch_call_output", "apply patch call"),
}
_CALLS = {output: (call, words) for call, (output, words) in _PAIRS.items()}
_AFTER_REASONING = (*_PAIRS, "message", "reasoning", "web_search_call", "file_search_call",
                    "code_interpreter_call", "image_generation_call", "mcp_call",
                    "mcp_list_tools", "mcp_approval_request", "item_reference",
                    "tool_search_call", "compaction", "program")  # fmt: skip


def check_input(generation: Generation, transcript: Transcript) -> None:
    """Raises Refusal where the service answers 400 instead of a response."""
    if find_trigger(transcript.prompt, "block-prompt") is not None:
        raise ServiceError(400, copy.deepcopy(PROMPT_BLOCKED))
    tools = generation.request.get("tools") or ()
    if any(tool["type"] == "image_generation" for tool in tools):
        _check_image_header(generation)
    if transcript.attachments:
        check_attachments(transcript.attachments, generation.find_file)
    if len(transcript.items) > 1 or (transcript.items and "type" in transcript.items[0]):
        _check_pairs(transcript.items)
    given = generation.request.get("input")
    if isinstance(given, list):
        _check_reasoning(given)


def _check_image_header(generation: Generation) -> None:
    if generation.headers.get(_IMAGE_HEADER):
        return
    error = {
        "message": f"imagegen deployment must be provided through header: {_IMAGE_HEADER}",
        "type": "image_generation_user_error",
        "param": "tools",
        "code": "invalid_request_error",
    }
    raise ServiceError(400, {"error": error})


def _check_pairs(items: list[Mapping[str, Any]]) -> None:
    open_calls: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for item in items:
        kind = item.get("type", "message")
        call_id = str(item.get("call_id"))
        if kind in _PAIRS:
            open_calls[call_id] = _PAIRS[kind][1]
            seen.add((kind, call_id))
        elif kind in _CALLS and item.get("call_id"):
            call, words = _CALLS[kind]
            if (call, call_id) not in seen:
                message = f"No tool call found for {words} output with call_id {call_id}."
                raise refuse_input(message)
            open_calls.pop(call_id, None)
    for call_id, words in open_calls.items():
        raise refuse_input(f"No tool output found for {words} {call_id}.")


def _check_reasoning(items: list[Mapping[str, Any]]) -> None:
    for item, following in zip_longest(items, items[1:]):
        if item.get("type") != "reasoning" or item.get("encrypted_content"):
            continue
        kind = (following or {}).get("type", "message")
        is_users = kind == "message" and (following or {}).get("role") != "assistant"
        if following is None or is_users or kind not in _AFTER_REASONING:
            message = (
                f"Item '{item.get('id')}' of type 'reasoning' was provided without its required "
                "following item."
            )
            raise refuse_input(message)


_FindFile = Callable[[str], dict[str, Any] | None]
_IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")


def describe_attachments(parts: list[Mapping[str, Any]], find_file: _FindFile) -> str:
    """A sentence per attachment: its type, size and detail."""
    return " ".join(_describe(part, find_file) for part in parts)


def _describe(part: Mapping[str, Any], find_file: _FindFile) -> str:
    kind = part["type"]
    if kind == "input_audio":
        size = len(_decode(str(part["input_audio"]["data"])) or b"")
        return f"The audio is {part['input_audio']['format']} of {size} bytes."
    if part.get("file_id"):
        return _describe_stored(part, find_file)
    if kind == "input_image":
        return _describe_image(str(part.get("image_url") or ""), str(part.get("detail") or "auto"))
    if part.get("file_url"):
        return f"The file is at {part['file_url']}."
    data = _decode(str(part.get("file_data") or "")) or b""
    return f"The file {part.get('filename', 'without a name')} has {len(data)} bytes."


def _describe_stored(part: Mapping[str, Any], find_file: _FindFile) -> str:
    file = find_file(part["file_id"]) or {}
    name = file.get("filename", part["file_id"])
    noun = "image" if part["type"] == "input_image" else "file"
    return f"The {noun} {name} has {file.get('bytes', 0)} bytes."


def _describe_image(url: str, detail: str) -> str:
    if not url.startswith("data:"):
        return f"The image is at {url}, seen at {detail} detail."
    media, data = url[5:].split(";")[0], _decode(url) or b""
    size = _measure(data)
    shape = f" of {size[0]} by {size[1]} pixels" if size else ""
    return f"The image is {media}{shape}, {len(data)} bytes, seen at {detail} detail."


def _measure(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if data.startswith(b"GIF8") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return int(width), int(height)
    return None


def _decode(text: str) -> bytes | None:
    encoded = text.rpartition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def check_attachments(parts: list[Mapping[str, Any]], find_file: _FindFile) -> None:
    """Refuses an image that is no base64, of no known type or empty, and a file nobody has."""
    for part in parts:
        identifier = part.get("file_id")
        if identifier and find_file(identifier) is None:
            raise _refuse(f"No such File object: {identifier}", None, param="input")
        url = str(part.get("image_url") or "")
        if part["type"] == "input_image" and url.startswith("data:"):
            _check_image(url)
        elif part["type"] == "input_image" and url and not url.startswith(("http://", "https://")):
            message = (
                "Invalid 'input': expected a valid URL or a base64-encoded data URL with an image "
                "MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value "
                "without one."
            )
            raise _refuse(message, "invalid_image_url")
        elif part.get("file_data") and _decode(str(part["file_data"])) is None:
            raise _refuse("The file data is not valid base64.", "invalid_value")


def _check_image(url: str) -> None:
    media = url[5:].split(";")[0]
    if media not in _IMAGE_TYPES:
        message = (
            f"You uploaded an unsupported image of type '{media}'. Please make sure your image has "
            "one of the following formats: ['png', 'jpeg', 'gif', 'webp']."
        )
        raise _refuse(message, "unsupported_image_media_type")
    data = _decode(url)
    if data is None:
        raise _refuse("Invalid base64 image_url.", "invalid_base64_image")
    if not data:
        raise _refuse("The image file is empty.", "empty_image_file")


def _refuse(message: str, code: str | None, param: str = "input") -> ServiceError:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return ServiceError(400, {"error": error})
