"""What a text of Messages cites: documents and search results that ask for it, and web pages."""

from collections.abc import Mapping
from typing import Any

from azure_responses.emulator.opaque_values import ReasoningCipher

__all__ = ["cite", "list_sources"]

_Block = dict[str, Any]
# Characters of a source that are quoted at most.
_QUOTED = 80


def list_sources(body: Mapping[str, Any]) -> list[_Block]:
    """The citation of each document and search result that has citations enabled, in order."""
    sources: list[_Block] = []
    documents = results = 0
    for message in body["messages"]:
        blocks = message["content"] if isinstance(message["content"], list) else ()
        for block in _walk(blocks):
            is_enabled = bool((block.get("citations") or {}).get("enabled"))
            if block["type"] == "document":
                sources += [_cite_document(block, documents)] if is_enabled else []
                documents += 1
            elif block["type"] == "search_result":
                sources += [_cite_result(block, results)] if is_enabled else []
                results += 1
    return sources


def _walk(blocks: Any) -> Any:
    for block in blocks:
        yield block
        if block["type"] == "tool_result" and isinstance(block.get("content"), list):
            yield from block["content"]


def _cite_document(block: Mapping[str, Any], index: int) -> _Block:
    source = block["source"]
    about = {"document_index": index, "document_title": block.get("title"), "file_id": None}
    if source["type"] == "text":
        text = source["data"][:_QUOTED]
        place = {"start_char_index": 0, "end_char_index": len(text)}
        return {"type": "char_location", "cited_text": text, **about, **place}
    if source["type"] == "content":
        text = _first_text(source.get("content"))
        place = {"start_block_index": 0, "end_block_index": 1}
        return {"type": "content_block_location", "cited_text": text, **about, **place}
    place = {"start_page_number": 1, "end_page_number": 2}
    return {"type": "page_location", "cited_text": "A page.", **about, **place}


def _first_text(content: Any) -> str:
    if isinstance(content, list):
        return next((part["text"] for part in content if part.get("type") == "text"), "")
    return str(content or "")


def _cite_result(block: Mapping[str, Any], index: int) -> _Block:
    return {
        "type": "search_result_location",
        "cited_text": _first_text(block["content"]),
        "search_result_index": index,
        "source": block["source"],
        "title": block["title"],
        "start_block_index": 0,
        "end_block_index": 1,
    }


def cite(
    text: str,
    annotations: list[Mapping[str, Any]],
    sources: list[_Block],
    cipher: ReasoningCipher,
) -> list[_Block]:
    """The text as blocks: one of its own for each part that cites something."""
    if sources:
        return [{"type": "text", "text": text, "citations": sources}]
    blocks: list[_Block] = []
    at = 0
    for note in annotations:
        if note.get("type") != "url_citation" or note["start_index"] < at:
            continue
        begin, end = note["start_index"], note["end_index"]
        if begin > at:
            blocks.append({"type": "text", "text": text[at:begin]})
        citation = {
            "type": "web_search_result_location",
            "cited_text": text[begin:end],
            "url": note["url"],
            "title": note.get("title"),
            "encrypted_index": cipher.seal({"url": note["url"]}, f"{begin}:{end}"),
        }
        blocks.append({"type": "text", "text": text[begin:end], "citations": [citation]})
        at = end
    return [*blocks, {"type": "text", "text": text[at:]}] if text[at:] else blocks
