"""Claude's citations → annotations of the Responses API.

Claude cites whole blocks of text, and neighbouring blocks are one text in a response. So the
annotation of a citation spans its block, counted in characters of the joined text.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["annotation_of"]


def annotation_of(citation: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
    """The annotation for a citation of a block that spans these places of the text."""
    place = {"start_index": start, "end_index": end}
    # A result of the web search has `url`. A search result that the caller gave has `source`, which
    # need not be a URL but is what the caller knows it by.
    url = citation.get("url") or citation.get("source")
    title = citation.get("title") or citation.get("document_title")
    if citation.get("type") in ("web_search_result_location", "search_result_location") and url:
        return {"type": "url_citation", "url": url, "title": title or "", **place}
    return {
        "type": "file_citation",
        "file_id": citation.get("file_id") or "",
        "filename": title or "",
        "index": citation.get("document_index") or 0,
        **place,
    }
