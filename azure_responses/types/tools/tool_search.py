"""Search among deferred tools."""

from typing import Annotated, Any, Literal

from ..model import OPEN, ItemStatus, Model
from .facts import ChatForm, ToolFacts

__all__ = ["ToolSearchCall", "ToolSearchTool"]


class ToolSearchTool(Model):
    """Lets the model look for deferred tools."""

    type: Literal["tool_search"]
    description: str | None = None
    execution: Annotated[Literal["server", "client"] | str, OPEN] | None = None
    parameters: dict[str, Any] | None = None


class ToolSearchCall(Model):
    """A search among deferred tools."""

    type: Literal["tool_search_call"]
    id: str | None = None
    call_id: str | None = None
    arguments: Any = None
    execution: Annotated[Literal["server", "client"] | str, OPEN] | None = None
    status: ItemStatus | None = None
    created_by: str | None = None


def _is_for_caller(item: ToolSearchCall) -> bool:
    return item.execution == "client"


Tool = ToolSearchTool
# What a search found holds tools of every kind, so its item stands behind them all, in `items`.
Item = ToolSearchCall
FACTS = ToolFacts(
    waiting={ToolSearchCall: _is_for_caller},
    chat_forms=(
        ChatForm(
            ToolSearchCall,
            "tool_search",
            ("arguments",),
            tools=(ToolSearchTool,),
            defaults={"execution": "client", "status": "completed"},
        ),
    ),
    without_id=(ToolSearchCall,),
)
