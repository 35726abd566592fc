"""Search in vector stores."""

from typing import Any, Literal

from ..model import ItemEvent, ItemStatus, Model, Number
from .facts import Charge, ToolFacts

__all__ = [
    "FileSearchCall",
    "FileSearchCallCompletedEvent",
    "FileSearchCallInProgressEvent",
    "FileSearchCallSearchingEvent",
    "FileSearchResult",
    "FileSearchTool",
    "HybridSearch",
    "RankingOptions",
]


class HybridSearch(Model):
    """How much meaning and wording each count in a search."""

    embedding_weight: Number | None = None
    text_weight: Number | None = None


class RankingOptions(Model):
    """How search results are ranked, and the score (0 to 1) below which they are dropped."""

    ranker: str | None = None
    score_threshold: Number | None = None
    hybrid_search: HybridSearch | None = None


class FileSearchTool(Model):
    """Search in vector stores."""

    type: Literal["file_search"]
    vector_store_ids: list[str]
    filters: dict[str, Any] | None = None
    max_num_results: int | None = None
    ranking_options: RankingOptions | None = None


class FileSearchResult(Model):
    """A passage a file search found; `score` is between 0 and 1."""

    attributes: dict[str, Any] | None = None
    file_id: str | None = None
    filename: str | None = None
    score: Number | None = None
    text: str | None = None


class FileSearchCall(Model):
    """A search in vector stores."""

    type: Literal["file_search_call"]
    id: str | None = None
    status: ItemStatus | None = None
    queries: list[str] | None = None
    results: list[FileSearchResult] | None = None


class FileSearchCallInProgressEvent(ItemEvent):
    """A file search began."""

    type: Literal["response.file_search_call.in_progress"]


class FileSearchCallSearchingEvent(ItemEvent):
    """A file search is under way."""

    type: Literal["response.file_search_call.searching"]


class FileSearchCallCompletedEvent(ItemEvent):
    """A file search is complete."""

    type: Literal["response.file_search_call.completed"]


Tool = FileSearchTool
Item = FileSearchCall
Event = FileSearchCallInProgressEvent | FileSearchCallSearchingEvent | FileSearchCallCompletedEvent
Includable = Literal["file_search_call.results"]
Choice = Literal["file_search"]
FACTS = ToolFacts(
    is_hosted=True,
    charge=Charge("file_search", FileSearchCall, "use"),
    stored_in_tool=("vector_store_ids[]",),
    cited_in_item=("results.file_id",),
)
