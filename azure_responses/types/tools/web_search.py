"""Search on the web."""

from typing import Annotated, Literal

from pydantic import Field

from ..model import OPEN, ItemEvent, ItemStatus, Model, UnknownAction
from .facts import Charge, ToolFacts

__all__ = [
    "FindInPage",
    "OpenPage",
    "SearchAction",
    "SearchSource",
    "UserLocation",
    "WebSearch",
    "WebSearchCall",
    "WebSearchCallCompletedEvent",
    "WebSearchCallInProgressEvent",
    "WebSearchCallSearchingEvent",
    "WebSearchFilters",
    "WebSearchPreviewTool",
    "WebSearchTool",
]

_ContextSize = Annotated[Literal["low", "medium", "high"] | str, OPEN]


class UserLocation(Model):
    """Roughly where the user is; `country` is a two-letter ISO code."""

    type: Annotated[Literal["approximate"] | str, OPEN] | None = None
    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class WebSearchFilters(Model):
    """Which sites may be searched; Azure takes up to 100 domains."""

    allowed_domains: list[str] | None = None


class WebSearchTool(Model):
    """Search on the web."""

    type: Literal["web_search", "web_search_2025_08_26"]
    filters: WebSearchFilters | None = None
    search_context_size: _ContextSize | None = None
    user_location: UserLocation | None = None
    external_web_access: bool | None = None


class WebSearchPreviewTool(Model):
    """Search on the web, older form."""

    type: Literal["web_search_preview", "web_search_preview_2025_03_11"]
    search_context_size: _ContextSize | None = None
    user_location: UserLocation | None = None
    search_content_types: list[str] | None = None


class SearchSource(Model):
    """A page a search drew on."""

    type: str | None = None
    url: str | None = None


class WebSearch(Model):
    """Search on the web."""

    type: Literal["search"]
    query: str | None = None
    queries: list[str] | None = None
    sources: list[SearchSource] | None = None


class OpenPage(Model):
    """Open a page."""

    type: Literal["open_page"]
    url: str | None = None


class FindInPage(Model):
    """Look for text on a page."""

    type: Literal["find_in_page", "find"]
    pattern: str | None = None
    url: str | None = None


SearchAction = Annotated[
    Annotated[WebSearch | OpenPage | FindInPage, Field(discriminator="type")] | UnknownAction,
    Field(union_mode="left_to_right"),
]


class WebSearchCall(Model):
    """A search on the web, or a page the model opened.

    Azure reports no completion of its own for these: in a completed response `status` may still
    be "searching" (recorded by vercel/ai).
    """

    type: Literal["web_search_call"]
    id: str | None = None
    status: ItemStatus | None = None
    action: SearchAction | None = None


class WebSearchCallInProgressEvent(ItemEvent):
    """A web search began."""

    type: Literal["response.web_search_call.in_progress"]


class WebSearchCallSearchingEvent(ItemEvent):
    """A web search is under way."""

    type: Literal["response.web_search_call.searching"]


class WebSearchCallCompletedEvent(ItemEvent):
    """A web search is complete; Azure leaves this event out (recorded by vercel/ai)."""

    type: Literal["response.web_search_call.completed"]


Tool = WebSearchTool | WebSearchPreviewTool
Item = WebSearchCall
Event = WebSearchCallInProgressEvent | WebSearchCallSearchingEvent | WebSearchCallCompletedEvent
Includable = Literal["web_search_call.results", "web_search_call.action.sources"]
Choice = Literal[
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
]
FACTS = ToolFacts(
    is_hosted=True,
    # Opening a page that was found, or looking through it, is part of a search already billed.
    charge=Charge("web_search", WebSearchCall, "use", actions=("search",), reported="web_search"),
)
