"""Calls the service carries out itself, and what they returned."""

from typing import Annotated, Any, Literal

from .actions import SearchAction
from .model import Model
from .status import ItemStatus
from .tolerance import OPEN, Loose, Number
from .tools import Tool

__all__ = [
    "CodeInterpreterCall",
    "CodeInterpreterOutput",
    "FileSearchCall",
    "FileSearchResult",
    "ImageGenerationCall",
    "McpApprovalRequest",
    "McpApprovalResponse",
    "McpCall",
    "McpListTools",
    "McpListedTool",
    "Program",
    "ProgramOutput",
    "ToolSearchCall",
    "ToolSearchOutput",
    "WebSearchCall",
]


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


class WebSearchCall(Model):
    """A search on the web, or a page the model opened.

    Azure reports no completion of its own for these: in a completed response `status` may still
    be "searching" (recorded by vercel/ai).
    """

    type: Literal["web_search_call"]
    id: str | None = None
    status: ItemStatus | None = None
    action: SearchAction | None = None


class Program(Model):
    """A program the model wrote to call its tools."""

    type: Literal["program"]
    id: str | None = None
    call_id: str
    code: str
    fingerprint: str | None = None


class ProgramOutput(Model):
    """What such a program returned."""

    type: Literal["program_output"]
    id: str | None = None
    call_id: str
    result: str
    status: ItemStatus | None = None


class ToolSearchCall(Model):
    """A search among deferred tools."""

    type: Literal["tool_search_call"]
    id: str | None = None
    call_id: str | None = None
    arguments: Any = None
    execution: Annotated[Literal["server", "client"] | str, OPEN] | None = None
    status: ItemStatus | None = None
    created_by: str | None = None


class ToolSearchOutput(Model):
    """The tools such a search found."""

    type: Literal["tool_search_output"]
    id: str | None = None
    call_id: str | None = None
    tools: list[Tool]
    execution: Annotated[Literal["server", "client"] | str, OPEN] | None = None
    status: ItemStatus | None = None
    created_by: str | None = None


class ImageGenerationCall(Model):
    """An image the model made; `result` is base64.

    Azure reports no completion of its own: `status` may stay "generating" (recorded by
    vercel/ai).
    """

    type: Literal["image_generation_call"]
    id: str | None = None
    status: ItemStatus | None = None
    result: str | None = None
    action: str | None = None
    background: str | None = None
    error: dict[str, Any] | None = None
    output_format: str | None = None
    quality: str | None = None
    revised_prompt: str | None = None
    size: str | None = None
    svg_usage: dict[str, Any] | None = None


class CodeInterpreterOutput(Model):
    """What code printed (`logs`) or drew (`url` of an image)."""

    type: Annotated[Literal["logs", "image"] | str, OPEN]
    logs: str | None = None
    url: str | None = None


class CodeInterpreterCall(Model):
    """Python the model ran in a container."""

    type: Literal["code_interpreter_call"]
    id: str | None = None
    status: ItemStatus | None = None
    code: str | None = None
    container_id: str | None = None
    outputs: list[CodeInterpreterOutput] | None = None


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
