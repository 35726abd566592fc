"""How the model's choice among its tools is steered."""

from typing import Annotated, Any, Literal

from pydantic import Field

from .model import Model
from .tolerance import OPEN, UnknownType

__all__ = [
    "AllowedToolsChoice",
    "HostedToolChoice",
    "McpToolChoice",
    "NamedToolChoice",
    "ToolChoice",
    "UnknownToolChoice",
]


class AllowedToolsChoice(Model):
    """Restricts the choice to some of the tools."""

    type: Literal["allowed_tools"]
    mode: Annotated[Literal["auto", "required"] | str, OPEN] | None = None
    tools: list[dict[str, Any]]


class NamedToolChoice(Model):
    """Forces one function or custom tool."""

    type: Literal["function", "custom"]
    name: str


class McpToolChoice(Model):
    """Forces a tool of an MCP server."""

    type: Literal["mcp"]
    server_label: str
    name: str | None = None


class HostedToolChoice(Model):
    """Forces a tool that has no name of its own."""

    type: Literal[
        "file_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
        "computer",
        "computer_use",
        "computer_use_preview",
        "image_generation",
        "code_interpreter",
        "programmatic_tool_calling",
        "apply_patch",
        "shell",
    ]


class UnknownToolChoice(Model):
    """A tool choice of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"] | str, OPEN]
    | Annotated[
        AllowedToolsChoice | NamedToolChoice | McpToolChoice | HostedToolChoice,
        Field(discriminator="type"),
    ]
    | UnknownToolChoice,
    Field(union_mode="left_to_right"),
]
