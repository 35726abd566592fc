"""Tools of remote MCP servers, which the service calls."""

from typing import Annotated, Any, Literal

from ..mending import Loose
from ..model import OPEN, ItemEvent, ItemStatus, Model
from .facts import ChatForm, ToolFacts, always
from .functions import AllowedCallers

__all__ = [
    "McpApprovalFilter",
    "McpApprovalRequest",
    "McpApprovalResponse",
    "McpCall",
    "McpCallArgumentsDeltaEvent",
    "McpCallArgumentsDoneEvent",
    "McpCallCompletedEvent",
    "McpCallFailedEvent",
    "McpCallInProgressEvent",
    "McpListTools",
    "McpListToolsCompletedEvent",
    "McpListToolsFailedEvent",
    "McpListToolsInProgressEvent",
    "McpListedTool",
    "McpTool",
    "McpToolChoice",
    "McpToolFilter",
]


class McpToolFilter(Model):
    """Picks tools of an MCP server by name or by whether they only read."""

    tool_names: list[str] | None = None
    read_only: bool | None = None


class McpApprovalFilter(Model):
    """Which tools of an MCP server ask for approval."""

    always: McpToolFilter | None = None
    never: McpToolFilter | None = None


class McpTool(Model):
    """The tools of a remote MCP server or of a connector."""

    type: Literal["mcp"]
    server_label: str
    server_url: str | None = None
    server_description: str | None = None
    connector_id: str | None = None
    tunnel_id: str | None = None
    authorization: str | None = None
    headers: dict[str, str] | None = None
    allowed_tools: list[str] | McpToolFilter | None = None
    allowed_callers: AllowedCallers | None = None
    require_approval: (
        McpApprovalFilter | Annotated[Literal["always", "never"] | str, OPEN] | None
    ) = None
    defer_loading: bool | None = None


class McpListedTool(Model):
    """A tool an MCP server offers."""

    name: str
    description: str | None = None
    input_schema: Any = None
    annotations: Any = None


class McpListTools(Model):
    """The tools an MCP server offers."""

    type: Literal["mcp_list_tools"]
    id: str | None = None
    server_label: str
    tools: list[McpListedTool]
    # Text by the descriptions; any other shape is kept as it came.
    error: Loose[str | None] = None


class McpCall(Model):
    """A call of an MCP server's tool; `arguments` is JSON text."""

    type: Literal["mcp_call"]
    id: str | None = None
    server_label: str
    name: str
    arguments: str
    output: str | None = None
    error: dict[str, Any] | str | None = None
    status: ItemStatus | None = None
    approval_request_id: str | None = None


class McpApprovalRequest(Model):
    """Asks whether an MCP call may be made."""

    type: Literal["mcp_approval_request"]
    id: str | None = None
    server_label: str
    name: str
    arguments: str


class McpApprovalResponse(Model):
    """Answers whether an MCP call may be made."""

    type: Literal["mcp_approval_response"]
    id: str | None = None
    approval_request_id: str
    approve: bool
    reason: str | None = None


class McpCallInProgressEvent(ItemEvent):
    """An MCP call began."""

    type: Literal["response.mcp_call.in_progress"]


class McpCallArgumentsDeltaEvent(ItemEvent):
    """More of an MCP call's arguments, as JSON text."""

    type: Literal["response.mcp_call_arguments.delta"]
    delta: str
    obfuscation: str | None = None


class McpCallArgumentsDoneEvent(ItemEvent):
    """The whole arguments of an MCP call, as JSON text."""

    type: Literal["response.mcp_call_arguments.done"]
    arguments: str


class McpCallCompletedEvent(ItemEvent):
    """An MCP call is complete."""

    type: Literal["response.mcp_call.completed"]


class McpCallFailedEvent(ItemEvent):
    """An MCP call failed."""

    type: Literal["response.mcp_call.failed"]


class McpListToolsInProgressEvent(ItemEvent):
    """An MCP server is being asked for its tools."""

    type: Literal["response.mcp_list_tools.in_progress"]


class McpListToolsCompletedEvent(ItemEvent):
    """An MCP server named its tools."""

    type: Literal["response.mcp_list_tools.completed"]


class McpListToolsFailedEvent(ItemEvent):
    """An MCP server did not name its tools."""

    type: Literal["response.mcp_list_tools.failed"]


class McpToolChoice(Model):
    """Forces a tool of an MCP server."""

    type: Literal["mcp"]
    server_label: str
    name: str | None = None


Tool = McpTool
Item = McpCall | McpListTools | McpApprovalRequest | McpApprovalResponse
Event = (
    McpCallInProgressEvent
    | McpCallArgumentsDeltaEvent
    | McpCallArgumentsDoneEvent
    | McpCallCompletedEvent
    | McpCallFailedEvent
    | McpListToolsInProgressEvent
    | McpListToolsCompletedEvent
    | McpListToolsFailedEvent
)
FACTS = ToolFacts(
    is_hosted=True,
    waiting={McpApprovalRequest: always},
    chat_forms=(
        ChatForm(
            McpApprovalRequest,
            "mcp_approval_request",
            ("server_label", "name", "arguments"),
            ids=("id",),
            tools=(McpTool,),
        ),
    ),
    deltas={"response.mcp_call_arguments": "arguments"},
    named_in_item=("approval_request_id",),
)
