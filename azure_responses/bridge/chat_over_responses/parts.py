"""Content parts of chat messages → content parts of the Responses API."""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import as_mapping, refuse

__all__ = ["read_input_parts", "read_output", "read_text", "text_part"]

_Part = Mapping[str, Any]
_KNOWN = "text, image_url, file and input_audio"


def read_input_parts(content: Any, path: str) -> list[dict[str, Any]]:
    """The parts of a user's, system's or tool's content; `path` is for errors.

    Raises:
        ConfigurationError: a part of a kind, or in a form, that the Responses API does not have.
    """
    if isinstance(content, str):
        return [text_part(content)]
    if not isinstance(content, list | tuple):
        raise refuse(
            f"{path} is {type(content).__name__}.", "It is a string or a list of content parts."
        )
    return [_read_part(part, f"{path}[{index}]") for index, part in enumerate(content)]


def read_output(content: Any, path: str) -> str | list[dict[str, Any]]:
    """What a tool returned: text as text, parts as parts, nothing as empty text."""
    if content is None or isinstance(content, str):
        return content or ""
    return read_input_parts(content, path)


def text_part(text: str) -> dict[str, Any]:
    """A text part of an input message."""
    return {"type": "input_text", "text": text}


def read_text(content: Any, path: str) -> str:
    """Content that has to be text alone, joined; None is empty."""
    if content is None:
        return ""
    parts = read_input_parts(content, path)
    for index, part in enumerate(parts):
        if part["type"] != "input_text":
            raise refuse(
                f"{path}[{index}] is of type {part['type']!r}.", "Only text can stand here."
            )
    return "".join(part["text"] for part in parts)


def _read_part(part: Any, path: str) -> dict[str, Any]:
    if isinstance(part, str):
        return text_part(part)
    fields = as_mapping(part, path)
    kind = fields.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise refuse(
            f"{path} is a part of type {kind!r}, which the Responses API does not have.",
            f"It takes parts of the types {_KNOWN}.",
        )
    converted = read(fields, path)
    breakpoint_ = fields.get("prompt_cache_breakpoint")
    if breakpoint_ is not None:
        converted["prompt_cache_breakpoint"] = breakpoint_
    return converted


def _read_text_part(part: _Part, path: str) -> dict[str, Any]:
    text = part.get("text")
    if not isinstance(text, str):
        raise refuse(f"{path}.text is {text!r}.", "It is a string.")
    return text_part(text)


def _read_image(part: _Part, path: str) -> dict[str, Any]:
    given = part.get("image_url")
    image = {"url": given} if isinstance(given, str) else as_mapping(given, f"{path}.image_url")
    # The Responses API wants a detail; "auto" is chat completions' default.
    converted: dict[str, Any] = {"type": "input_image", "detail": image.get("detail") or "auto"}
    if image.get("url"):
        converted["image_url"] = image["url"]
    elif image.get("file_id"):
        converted["file_id"] = image["file_id"]
    else:
        raise refuse(f"{path}.image_url has no url.", "Give an https: or data: URL.")
    return converted


_FILE_FIELDS = ("file_id", "file_data", "file_url", "filename", "detail")


def _read_file(part: _Part, path: str) -> dict[str, Any]:
    file = as_mapping(part.get("file"), f"{path}.file")
    converted = {name: file[name] for name in _FILE_FIELDS if file.get(name) is not None}
    file_id = converted.get("file_id")
    if isinstance(file_id, str) and file_id.startswith(("https://", "http://")):
        # LiteLLM's callers put URLs there; the service would look for a file of that id.
        converted["file_url"] = converted.pop("file_id")
    if not converted.keys() & {"file_id", "file_data", "file_url"}:
        raise refuse(
            f"{path}.file has no content.",
            "Give one of file_id, file_data (a data: URL) and file_url.",
        )
    return {"type": "input_file", **converted}


def _read_audio(part: _Part, path: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": as_mapping(part.get("input_audio"), path)}


def _keep(part: _Part, path: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}


_READERS: dict[str, Callable[[_Part, str], dict[str, Any]]] = {
    "text": _read_text_part,
    "image_url": _read_image,
    "file": _read_file,
    "input_audio": _read_audio,
    # Parts already in the Responses API's form.
    "input_text": _keep,
    "input_image": _keep,
    "input_file": _keep,
}
