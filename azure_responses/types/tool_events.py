"""Events about tool calls."""

from typing import Literal

from .caller_items import ShellCommandOutput
from .event import CommandEvent, ItemEvent, StreamEvent
from .model import Model

__all__ = [
    "ApplyPatchCallOperationDiffDeltaEvent",
    "ApplyPatchCallOperationDiffDoneEvent",
    "AudioDeltaEvent",
    "AudioDoneEvent",
    "AudioTranscriptDeltaEvent",
    "AudioTranscriptDoneEvent",
    "CodeInterpreterCallCodeDeltaEvent",
    "CodeInterpreterCallCodeDoneEvent",
    "CodeInterpreterCallCompletedEvent",
    "CodeInterpreterCallInProgressEvent",
    "CodeInterpreterCallInterpretingEvent",
    "CompactionCompactingEvent",
    "CustomToolCallInputDeltaEvent",
    "CustomToolCallInputDoneEvent",
    "FileSearchCallCompletedEvent",
    "FileSearchCallInProgressEvent",
    "FileSearchCallSearchingEvent",
    "FunctionCallArgumentsDeltaEvent",
    "FunctionCallArgumentsDoneEvent",
    "ImageGenerationCallCompletedEvent",
    "ImageGenerationCallGeneratingEvent",
    "ImageGenerationCallInProgressEvent",
    "ImageGenerationCallPartialImageEvent",
    "McpCallArgumentsDeltaEvent",
    "McpCallArgumentsDoneEvent",
    "McpCallCompletedEvent",
    "McpCallFailedEvent",
    "McpCallInProgressEvent",
    "McpListToolsCompletedEvent",
    "McpListToolsFailedEvent",
    "McpListToolsInProgressEvent",
    "ShellCallCommandAddedEvent",
    "ShellCallCommandDeltaEvent",
    "ShellCallCommandDoneEvent",
    "ShellCallOutputContentDeltaEvent",
    "ShellCallOutputContentDoneEvent",
    "ShellOutputDelta",
    "WebSearchCallCompletedEvent",
    "WebSearchCallInProgressEvent",
    "WebSearchCallSearchingEvent",
]


class ShellOutputDelta(Model):
    """What a command printed since the last event."""

    stdout: str | None = None
    stderr: str | None = None


class FunctionCallArgumentsDeltaEvent(ItemEvent):
    """More of the arguments, as JSON text."""

    type: Literal["response.function_call_arguments.delta"]
    delta: str
    obfuscation: str | None = None


class FunctionCallArgumentsDoneEvent(ItemEvent):
    """The whole arguments, as JSON text."""

    type: Literal["response.function_call_arguments.done"]
    arguments: str
    name: str | None = None


class CustomToolCallInputDeltaEvent(ItemEvent):
    """More of a custom tool's input."""

    type: Literal["response.custom_tool_call_input.delta"]
    delta: str
    obfuscation: str | None = None


class CustomToolCallInputDoneEvent(ItemEvent):
    """The whole input of a custom tool."""

    type: Literal["response.custom_tool_call_input.done"]
    input: str


class AudioDeltaEvent(StreamEvent):
    """More audio, in base64."""

    type: Literal["response.audio.delta"]
    delta: str
    obfuscation: str | None = None


class AudioDoneEvent(StreamEvent):
    """The audio is complete."""

    type: Literal["response.audio.done"]


class AudioTranscriptDeltaEvent(StreamEvent):
    """More of the audio's transcript."""

    type: Literal["response.audio.transcript.delta"]
    delta: str
    obfuscation: str | None = None


class AudioTranscriptDoneEvent(StreamEvent):
    """The transcript is complete."""

    type: Literal["response.audio.transcript.done"]


class FileSearchCallInProgressEvent(ItemEvent):
    """A file search began."""

    type: Literal["response.file_search_call.in_progress"]


class FileSearchCallSearchingEvent(ItemEvent):
    """A file search is under way."""

    type: Literal["response.file_search_call.searching"]


class FileSearchCallCompletedEvent(ItemEvent):
    """A file search is complete."""

    type: Literal["response.file_search_call.completed"]


class WebSearchCallInProgressEvent(ItemEvent):
    """A web search began."""

    type: Literal["response.web_search_call.in_progress"]


class WebSearchCallSearchingEvent(ItemEvent):
    """A web search is under way."""

    type: Literal["response.web_search_call.searching"]


class WebSearchCallCompletedEvent(ItemEvent):
    """A web search is complete; Azure leaves this event out (recorded by vercel/ai)."""

    type: Literal["response.web_search_call.completed"]


class ImageGenerationCallInProgressEvent(ItemEvent):
    """An image was asked for."""

    type: Literal["response.image_generation_call.in_progress"]


class ImageGenerationCallGeneratingEvent(ItemEvent):
    """An image is being made."""

    type: Literal["response.image_generation_call.generating"]


class ImageGenerationCallCompletedEvent(ItemEvent):
    """An image is complete; Azure leaves this event out (recorded by vercel/ai)."""

    type: Literal["response.image_generation_call.completed"]


class CodeInterpreterCallInProgressEvent(ItemEvent):
    """A code interpreter call began."""

    type: Literal["response.code_interpreter_call.in_progress"]


class CodeInterpreterCallInterpretingEvent(ItemEvent):
    """Code is running."""

    type: Literal["response.code_interpreter_call.interpreting"]


class CodeInterpreterCallCompletedEvent(ItemEvent):
    """A code interpreter call is complete."""

    type: Literal["response.code_interpreter_call.completed"]


class McpCallInProgressEvent(ItemEvent):
    """An MCP call began."""

    type: Literal["response.mcp_call.in_progress"]


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


class ImageGenerationCallPartialImageEvent(ItemEvent):
    """An early look at an image, in base64."""

    type: Literal["response.image_generation_call.partial_image"]
    partial_image_index: int
    partial_image_b64: str
    background: str | None = None
    output_format: str | None = None
    quality: str | None = None
    size: str | None = None


class CodeInterpreterCallCodeDeltaEvent(ItemEvent):
    """More code."""

    type: Literal["response.code_interpreter_call_code.delta"]
    delta: str
    obfuscation: str | None = None


class CodeInterpreterCallCodeDoneEvent(ItemEvent):
    """The whole code."""

    type: Literal["response.code_interpreter_call_code.done"]
    code: str


class McpCallArgumentsDeltaEvent(ItemEvent):
    """More of an MCP call's arguments, as JSON text."""

    type: Literal["response.mcp_call_arguments.delta"]
    delta: str
    obfuscation: str | None = None


class McpCallArgumentsDoneEvent(ItemEvent):
    """The whole arguments of an MCP call, as JSON text."""

    type: Literal["response.mcp_call_arguments.done"]
    arguments: str


class ShellCallCommandAddedEvent(CommandEvent):
    """A shell command began."""

    type: Literal["response.shell_call_command.added"]
    command: str


class ShellCallCommandDeltaEvent(CommandEvent):
    """More of a shell command."""

    type: Literal["response.shell_call_command.delta"]
    delta: str
    obfuscation: str | None = None


class ShellCallCommandDoneEvent(CommandEvent):
    """A whole shell command."""

    type: Literal["response.shell_call_command.done"]
    command: str


class ShellCallOutputContentDeltaEvent(CommandEvent):
    """More of what a command printed."""

    type: Literal["response.shell_call_output_content.delta"]
    item_id: str
    delta: ShellOutputDelta


class ShellCallOutputContentDoneEvent(CommandEvent):
    """All that a command printed."""

    type: Literal["response.shell_call_output_content.done"]
    item_id: str
    output: list[ShellCommandOutput]


class ApplyPatchCallOperationDiffDeltaEvent(ItemEvent):
    """More of a diff; undocumented, recorded by vercel/ai."""

    type: Literal["response.apply_patch_call_operation_diff.delta"]
    delta: str
    obfuscation: str | None = None


class ApplyPatchCallOperationDiffDoneEvent(ItemEvent):
    """A whole diff; undocumented, recorded by vercel/ai."""

    type: Literal["response.apply_patch_call_operation_diff.done"]
    diff: str


class CompactionCompactingEvent(ItemEvent):
    """The conversation is being compacted."""

    type: Literal["response.compaction.compacting"]
