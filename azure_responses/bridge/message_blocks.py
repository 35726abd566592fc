"""Content blocks of the Messages API, and what they hold in the words of the other APIs.

Text, pictures and documents exist in all three APIs, each in another shape. `read_parts` reads
blocks into parts that name only what is said.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from azure_responses.bridge.unsupported import Unsupported, invalid

__all__ = ["Part", "read_block", "read_parts"]

_Block = Mapping[str, Any]


class Part(NamedTuple):
    """One piece of a message's content.

    Attributes:
        kind: what `value` is: text, the URL of a picture, or the URL of a document. URLs are
            `https:` or `data:`.
        name: of a document.
    """

    kind: Literal["text", "image", "file"]
    value: str
    name: str | None = None


def read_parts(content: Any, path: str, unsupported: Unsupported) -> list[Part]:
    """The parts of a content: of a message, of a tool's result or of a document.

    Raises:
        BadRequestError: a block that the Messages API does not have.
        ConfigurationError: a block that only Anthropic can read.
    """
    if isinstance(content, str):
        return [Part("text", content)]
    if not isinstance(content, Sequence):
        raise invalid(f"{path}: Input should be a valid list", path)
    parts = []
    for index, block in enumerate(content):
        parts += read_block(block, f"{path}.{index}", unsupported)
    return parts


def read_block(block: Any, path: str, unsupported: Unsupported) -> list[Part]:
    """The parts of one block, often one."""
    if isinstance(block, str):
        return [Part("text", block)]
    kind = block.get("type") if isinstance(block, Mapping) else None
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise invalid(f"{path}.type: Input tag {kind!r} does not match any of the expected", path)
    return read(block, path, unsupported)


def _read_text(block: _Block, path: str, unsupported: Unsupported) -> list[Part]:
    # Citations of an earlier answer say where its text came from; they are not part of it.
    return [Part("text", _text_of(block, "text", path))]


def _text_of(fields: Any, name: str, path: str) -> str:
    value = fields.get(name) if isinstance(fields, Mapping) else None
    if not isinstance(value, str):
        raise invalid(f"{path}.{name}: Input should be a valid string", f"{path}.{name}")
    return value


def _read_image(block: _Block, path: str, unsupported: Unsupported) -> list[Part]:
    wanted = block.get("transformations") or {}
    # OpenAI's models scale large pictures down by themselves, which is what `downsize` asks for.
    if isinstance(wanted, Mapping) and wanted.get("oversized_image") not in (None, "downsize"):
        unsupported.leave_out(
            f"{path}.transformations",
            "Only Claude reports pictures that are too large.",
            "Leave it out, and scale the picture before it is sent.",
        )
    url = _read_source(block.get("source"), f"{path}.source", unsupported)
    return [Part("image", url)] if url else []


def _read_source(source: Any, path: str, unsupported: Unsupported) -> str | None:
    """The URL of what a source of the kinds base64 and url holds."""
    kind = source.get("type") if isinstance(source, Mapping) else None
    if kind == "base64":
        data = _text_of(source, "data", path)
        return f"data:{_text_of(source, 'media_type', path)};base64,{data}"
    if kind == "url":
        return _text_of(source, "url", path)
    # An id of Anthropic's file API means nothing to the resource, whose own file ids begin with
    # `assistant-` (vercel/ai).
    if kind == "file":
        unsupported.leave_out(
            path,
            "Files of Anthropic's file API cannot be read by other deployments.",
            "Send the content itself: a source of the type base64 or url.",
        )
        return None
    raise invalid(f"{path}.type: Input tag {kind!r} does not match any of the expected", path)


def _read_document(block: _Block, path: str, unsupported: Unsupported) -> list[Part]:
    _check_citations(block, path, unsupported)
    title, context = block.get("title"), block.get("context")
    # The context tells the model about the document, and no other API has a field for it.
    notes = [Part("text", text) for text in (context,) if isinstance(text, str) and text]
    source = block.get("source")
    kind = source.get("type") if isinstance(source, Mapping) else None
    if kind in ("text", "content"):
        parts = _read_inline(source, f"{path}.source", unsupported)
        # Text has no file name that could carry the title, and the model may be asked for it.
        titles = [Part("text", f"Document: {title}")] if title else []
        return [*titles, *notes, *parts]
    url = _read_source(source, f"{path}.source", unsupported)
    return [*notes, Part("file", url, str(title) if title else None)] if url else notes


def _read_inline(source: Any, path: str, unsupported: Unsupported) -> list[Part]:
    if source["type"] == "text":
        return [Part("text", _text_of(source, "data", path))]
    return read_parts(source.get("content"), f"{path}.content", unsupported)


def _read_search_result(block: _Block, path: str, unsupported: Unsupported) -> list[Part]:
    _check_citations(block, path, unsupported)
    title, source = _text_of(block, "title", path), _text_of(block, "source", path)
    found = read_parts(block.get("content"), f"{path}.content", unsupported)
    return [Part("text", f"Search result: {title} ({source})"), *found]


def _check_citations(block: _Block, path: str, unsupported: Unsupported) -> None:
    wanted = block.get("citations")
    if isinstance(wanted, Mapping) and wanted.get("enabled"):
        unsupported.leave_out(
            f"{path}.citations",
            "Only Claude cites the documents of a request.",
            "Leave citations out, and ask for quotations in the text.",
        )


def _read_tool_reference(block: _Block, path: str, unsupported: Unsupported) -> list[Part]:
    # What Claude Code's own search of tools returns. All tools were declared anyway.
    return [Part("text", f"The tool {_text_of(block, 'tool_name', path)} is available.")]


def _refuse_upload(block: _Block, path: str, unsupported: Unsupported) -> list[Part]:
    unsupported.leave_out(
        path,
        "Only Claude has containers for uploaded files.",
        "Send the content as a document block with a base64 source.",
    )
    return []


_READERS: dict[str, Callable[[_Block, str, Unsupported], list[Part]]] = {
    "text": _read_text,
    "image": _read_image,
    "document": _read_document,
    "search_result": _read_search_result,
    "tool_reference": _read_tool_reference,
    "container_upload": _refuse_upload,
}
