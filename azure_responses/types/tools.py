"""The tools a model may be offered, and how its choice among them is steered."""

from typing import Annotated, Any, Literal

from pydantic import Field

from .model import Model
from .tolerance import OPEN, Number, UnknownType

__all__ = [
    "ApplyPatchTool",
    "CodeInterpreterContainer",
    "CodeInterpreterTool",
    "ComputerTool",
    "ComputerUsePreviewTool",
    "CustomTool",
    "CustomToolFormat",
    "FileSearchTool",
    "FunctionTool",
    "HybridSearch",
    "ImageGenerationTool",
    "ImageMask",
    "LocalShellTool",
    "McpApprovalFilter",
    "McpTool",
    "McpToolFilter",
    "NamespaceTool",
    "NetworkPolicy",
    "ProgrammaticToolCallingTool",
    "RankingOptions",
    "ShellEnvironment",
    "ShellTool",
    "Tool",
    "ToolSearchTool",
    "UnknownTool",
    "UserLocation",
    "WebSearchFilters",
    "WebSearchPreviewTool",
    "WebSearchTool",
]

_AllowedCallers = list[Annotated[Literal["direct", "programmatic"] | str, OPEN]]
_ContextSize = Annotated[Literal["low", "medium", "high"] | str, OPEN]


class FunctionTool(Model):
    """A function of the caller's, described by a JSON schema."""

    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    output_schema: dict[str, Any] | None = None
    defer_loading: bool | None = None
    allowed_callers: _AllowedCallers | None = None
    async_: bool | None = Field(default=None, alias="async")


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


class ComputerTool(Model):
    """Control of a computer."""

    type: Literal["computer"]


class ComputerUsePreviewTool(Model):
    """Control of a computer, as the `computer-use-preview` model takes it."""

    # Azure echoes the tool under the model's dated name.
    type: Literal["computer_use_preview", "computer-use-preview-2025-03-11"]
    display_height: int | None = None
    display_width: int | None = None
    environment: (
        Annotated[Literal["windows", "mac", "linux", "ubuntu", "browser"] | str, OPEN] | None
    ) = None


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
    allowed_callers: _AllowedCallers | None = None
    require_approval: (
        McpApprovalFilter | Annotated[Literal["always", "never"] | str, OPEN] | None
    ) = None
    defer_loading: bool | None = None


class NetworkPolicy(Model):
    """What a container may reach."""

    type: Annotated[Literal["disabled", "allowlist"] | str, OPEN]
    allowed_domains: list[str] | None = None
    domain_secrets: list[dict[str, Any]] | None = None


class CodeInterpreterContainer(Model):
    """A container to be made for the code interpreter."""

    type: Annotated[Literal["auto"] | str, OPEN]
    file_ids: list[str] | None = None
    memory_limit: Annotated[Literal["1g", "4g", "16g", "64g"] | str, OPEN] | None = None
    network_policy: NetworkPolicy | None = None


class CodeInterpreterTool(Model):
    """Python in a container: an existing one by id, or one to be made."""

    type: Literal["code_interpreter"]
    container: str | CodeInterpreterContainer | None = None
    allowed_callers: _AllowedCallers | None = None


class ProgrammaticToolCallingTool(Model):
    """Lets the model call its other tools from a program it writes."""

    type: Literal["programmatic_tool_calling"]


class ImageMask(Model):
    """The part of an image to change."""

    file_id: str | None = None
    image_url: str | None = None


class ImageGenerationTool(Model):
    """Image generation.

    Azure also needs the header `x-ms-oai-image-generation-deployment` with this tool.
    """

    type: Literal["image_generation"]
    model: str | None = None
    action: Annotated[Literal["generate", "edit", "auto"] | str, OPEN] | None = None
    background: Annotated[Literal["transparent", "opaque", "auto"] | str, OPEN] | None = None
    complexity: Annotated[Literal["low", "medium", "high"] | str, OPEN] | None = None
    frame_count: int | None = None
    frame_duration_ms: int | None = None
    input_fidelity: Annotated[Literal["high", "low"] | str, OPEN] | None = None
    input_image_mask: ImageMask | None = None
    moderation: Annotated[Literal["auto", "low"] | str, OPEN] | None = None
    n: int | None = None
    output_compression: int | None = None
    output_format: Annotated[Literal["png", "webp", "jpeg", "gif", "svg"] | str, OPEN] | None = None
    partial_images: int | None = None
    quality: (
        Annotated[Literal["low", "medium", "high", "xhigh", "max", "auto"] | str, OPEN] | None
    ) = None
    size: str | None = None
    svg: dict[str, Any] | None = None


class LocalShellTool(Model):
    """A shell that the caller runs, as `codex-mini-latest` takes it."""

    type: Literal["local_shell"]


class ShellEnvironment(Model):
    """Where shell commands run: a new container, an existing one, or the caller's machine."""

    type: Annotated[Literal["container_auto", "container_reference", "local"] | str, OPEN]
    container_id: str | None = None
    file_ids: list[str] | None = None
    memory_limit: Annotated[Literal["1g", "4g", "16g", "64g"] | str, OPEN] | None = None
    network_policy: NetworkPolicy | None = None
    skills: list[dict[str, Any]] | None = None


class ShellTool(Model):
    """A shell."""

    type: Literal["shell"]
    environment: ShellEnvironment | None = None
    allowed_callers: _AllowedCallers | None = None


class CustomToolFormat(Model):
    """What a custom tool's input must look like: any text, or a grammar's language."""

    type: Annotated[Literal["text", "grammar"] | str, OPEN]
    syntax: Annotated[Literal["lark", "regex"] | str, OPEN] | None = None
    definition: str | None = None


class CustomTool(Model):
    """A tool of the caller's that takes free text."""

    type: Literal["custom"]
    name: str
    description: str | None = None
    format: CustomToolFormat | None = None
    defer_loading: bool | None = None
    allowed_callers: _AllowedCallers | None = None
    async_: bool | None = Field(default=None, alias="async")


class ToolSearchTool(Model):
    """Lets the model look for deferred tools."""

    type: Literal["tool_search"]
    description: str | None = None
    execution: Annotated[Literal["server", "client"] | str, OPEN] | None = None
    parameters: dict[str, Any] | None = None


class ApplyPatchTool(Model):
    """Lets the model propose changes to files."""

    type: Literal["apply_patch"]
    allowed_callers: _AllowedCallers | None = None


class UnknownTool(Model):
    """A tool of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


class NamespaceTool(Model):
    """Functions and custom tools under one name."""

    type: Literal["namespace"]
    name: str
    description: str | None = None
    tools: list[
        Annotated[
            Annotated[FunctionTool | CustomTool, Field(discriminator="type")] | UnknownTool,
            Field(union_mode="left_to_right"),
        ]
    ]


Tool = Annotated[
    Annotated[
        FunctionTool
        | FileSearchTool
        | ComputerTool
        | ComputerUsePreviewTool
        | WebSearchTool
        | WebSearchPreviewTool
        | McpTool
        | CodeInterpreterTool
        | ProgrammaticToolCallingTool
        | ImageGenerationTool
        | LocalShellTool
        | ShellTool
        | CustomTool
        | NamespaceTool
        | ToolSearchTool
        | ApplyPatchTool,
        Field(discriminator="type"),
    ]
    | UnknownTool,
    Field(union_mode="left_to_right"),
]
