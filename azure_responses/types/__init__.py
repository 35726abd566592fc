"""What goes over the wire: requests, responses and stream events of the Responses API.

Names are imported on first use, so that importing this package does not import pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

if TYPE_CHECKING:
    from .actions import *  # noqa: F403
    from .caller_items import *  # noqa: F403
    from .chat import *  # noqa: F403
    from .chat_chunk import *  # noqa: F403
    from .content import *  # noqa: F403
    from .event import *  # noqa: F403
    from .events import *  # noqa: F403
    from .filters import *  # noqa: F403
    from .hosted_items import *  # noqa: F403
    from .input_items import *  # noqa: F403
    from .items import *  # noqa: F403
    from .model import *  # noqa: F403
    from .models import *  # noqa: F403
    from .parameters import *  # noqa: F403
    from .rate_limit import *  # noqa: F403
    from .response import *  # noqa: F403
    from .result import *  # noqa: F403
    from .route import *  # noqa: F403
    from .status import *  # noqa: F403
    from .text_events import *  # noqa: F403
    from .tool_choice import *  # noqa: F403
    from .tool_events import *  # noqa: F403
    from .tools import *  # noqa: F403
    from .usage import *  # noqa: F403

else:  # Any other name is an error to type checkers, which do not read this.

    def __getattr__(name: str) -> Any:
        if name in _RENAMED:
            return _renamed(name)
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        globals()[name] = value
        return value

    def _renamed(name: str) -> Any:
        new, reason = _RENAMED[name]
        warn(f"azure_responses.types.{name} is now {new}: {reason}.", DeprecationWarning, 3)
        return globals().get(new) or __getattr__(new)


_NAMES = {
    "actions": (
        "ApplyPatchOperation Click ComputerAction CreateFile DeleteFile DoubleClick Drag "
        "FindInPage Keypress Move OpenPage Point Screenshot Scroll SearchAction SearchSource "
        "TypeText UnknownAction UpdateFile Wait WebSearch"
    ),
    "caller_items": (
        "ApplyPatchCall ApplyPatchCallOutput Caller ComputerCall ComputerCallOutput "
        "ComputerScreenshot CustomToolCall CustomToolCallOutput FunctionCall "
        "FunctionCallOutput LocalShellCall LocalShellCallAction LocalShellCallOutput "
        "SafetyCheck ShellAction ShellCall ShellCallOutput ShellCommandOutput ShellOutcome"
    ),
    "chat": (
        "ChatCompletion ChatCompletionAnnotation ChatCompletionChoice ChatCompletionCustom "
        "ChatCompletionCustomToolCall ChatCompletionFunction ChatCompletionFunctionToolCall "
        "ChatCompletionLogprobs ChatCompletionMessage ChatCompletionToolCall "
        "ChatCompletionToolCallUnion ChatCompletionUnknownToolCall ChatContainerFileCitation "
        "ChatFileCitation ChatFilePath ChatObject ChatURLCitation CompletionTokensDetails "
        "CompletionUsage FinishReason PromptFilterResult PromptTokensDetails"
    ),
    "chat_chunk": (
        "ChatCompletionChunk ChatCompletionChunkChoice ChatCompletionDelta "
        "ChatCompletionDeltaCustom ChatCompletionDeltaFunction ChatCompletionDeltaToolCall"
    ),
    "content": (
        "Annotation ContainerFileCitation FileCitation FilePath InputAudio InputAudioData "
        "InputFile InputImage InputPart InputText MessagePart OutputPart OutputText "
        "PromptCacheBreakpoint ReasoningText Refusal SummaryText TokenLogprob TopLogprob "
        "URLCitation UnknownAnnotation UnknownPart part_type"
    ),
    "event": (
        "CommandEvent ContentEvent ItemEvent OutputEvent ResponseEvent StreamEvent "
        "SummaryEvent UnknownEvent"
    ),
    "events": "EVENT_TYPES ResponseStreamEvent parse_event",
    "filters": (
        "BlocklistDetail BlocklistResult CodeCitation ContentFilter ContentFilterFailure "
        "ContentFilterOffsets ContentFilterResults CustomTopicDetail CustomTopicResult "
        "DetectionResult PersonalInformationResult PersonalInformationSubCategory "
        "ProtectedCodeResult SeverityResult TextSpan UngroundedMaterialResult"
    ),
    "hosted_items": (
        "CodeInterpreterCall CodeInterpreterOutput FileSearchCall FileSearchResult "
        "ImageGenerationCall McpApprovalRequest McpApprovalResponse McpCall McpListTools "
        "McpListedTool Program ProgramOutput ToolSearchCall ToolSearchOutput WebSearchCall"
    ),
    "input_items": (
        "CompactionTrigger ConfigurationUpdate EasyInputMessage InputItem InputMessage "
        "ItemReference MessageRole"
    ),
    "items": (
        "AdditionalTools AgentMessage AgentTag CompactionItem ITEM_TYPES MultiAgentCall "
        "MultiAgentCallOutput OutputItem OutputMessage ReasoningItem TypedItem UnknownItem "
        "is_callers"
    ),
    "model": "Model",
    "models": "ModelCapabilities ModelDeprecation ModelInfo ModelList",
    "parameters": (
        "BackgroundOptions CREATE_PARAMETERS ChatCompletionMessageParam ChatParameters "
        "CompactParameters ContextManagement Conversation ImageOptions Includable "
        "JsonObjectFormat JsonSchemaFormat ModerationOptions MultiAgentOptions PlainTextFormat "
        "Prompt PromptCacheOptions PromptCacheRetention Reasoning ReasoningEffort "
        "ResponseCreateParams ResponseInputItemParam ResponseInputParam ResponseParameters "
        "ServiceTier StreamOptions TextConfig TextFormat Truncation UnknownFormat Verbosity"
    ),
    "rate_limit": "RateLimit",
    "response": (
        "CompactedResponse DeletedResponse IncompleteDetails InputItemList InputTokenCount "
        "Misalignment ParsedResponse Response ResponseError ResponseErrorCode"
    ),
    "result": "Pricer Result request_id_of",
    "route": "Route",
    "status": "IncompleteReason ItemStatus ResponseStatus",
    "text_events": (
        "ContentPartAddedEvent ContentPartDoneEvent ErrorEvent OutputItemAddedEvent "
        "OutputItemDoneEvent OutputTextAnnotationAddedEvent OutputTextDeltaEvent "
        "OutputTextDoneEvent ReasoningSummaryPartAddedEvent ReasoningSummaryPartDoneEvent "
        "ReasoningSummaryTextDeltaEvent ReasoningSummaryTextDoneEvent ReasoningTextDeltaEvent "
        "ReasoningTextDoneEvent RefusalDeltaEvent RefusalDoneEvent ResponseCompletedEvent "
        "ResponseCreatedEvent ResponseFailedEvent ResponseInProgressEvent "
        "ResponseIncompleteEvent ResponseQueuedEvent"
    ),
    "tool_choice": (
        "AllowedToolsChoice HostedToolChoice McpToolChoice NamedToolChoice ToolChoice "
        "UnknownToolChoice"
    ),
    "tool_events": (
        "ApplyPatchCallOperationDiffDeltaEvent ApplyPatchCallOperationDiffDoneEvent "
        "AudioDeltaEvent AudioDoneEvent AudioTranscriptDeltaEvent AudioTranscriptDoneEvent "
        "CodeInterpreterCallCodeDeltaEvent CodeInterpreterCallCodeDoneEvent "
        "CodeInterpreterCallCompletedEvent CodeInterpreterCallInProgressEvent "
        "CodeInterpreterCallInterpretingEvent CompactionCompactingEvent "
        "CustomToolCallInputDeltaEvent CustomToolCallInputDoneEvent "
        "FileSearchCallCompletedEvent FileSearchCallInProgressEvent "
        "FileSearchCallSearchingEvent FunctionCallArgumentsDeltaEvent "
        "FunctionCallArgumentsDoneEvent ImageGenerationCallCompletedEvent "
        "ImageGenerationCallGeneratingEvent ImageGenerationCallInProgressEvent "
        "ImageGenerationCallPartialImageEvent McpCallArgumentsDeltaEvent "
        "McpCallArgumentsDoneEvent McpCallCompletedEvent McpCallFailedEvent "
        "McpCallInProgressEvent McpListToolsCompletedEvent McpListToolsFailedEvent "
        "McpListToolsInProgressEvent ShellCallCommandAddedEvent ShellCallCommandDeltaEvent "
        "ShellCallCommandDoneEvent ShellCallOutputContentDeltaEvent "
        "ShellCallOutputContentDoneEvent ShellOutputDelta WebSearchCallCompletedEvent "
        "WebSearchCallInProgressEvent WebSearchCallSearchingEvent"
    ),
    "tools": (
        "ApplyPatchTool CodeInterpreterContainer CodeInterpreterTool ComputerTool "
        "ComputerUsePreviewTool CustomTool CustomToolFormat FileSearchTool FunctionTool "
        "HybridSearch ImageGenerationTool ImageMask LocalShellTool McpApprovalFilter McpTool "
        "McpToolFilter NamespaceTool NetworkPolicy ProgrammaticToolCallingTool RankingOptions "
        "ShellEnvironment ShellTool Tool ToolSearchTool UnknownTool UserLocation "
        "WebSearchFilters WebSearchPreviewTool WebSearchTool"
    ),
    "usage": (
        "CacheWriteTokensDetails CachedTokensDetails ImageGenerationUsage InputTokensDetails "
        "OutputTokensDetails TokenKinds ToolUsage Usage WebSearchUsage"
    ),
}
# Old name → new name and why; one release long the old one warns.
_RENAMED = {
    "ContentFilterError": (
        "ContentFilterFailure",
        "the exception to catch is azure_responses.ContentFilterError",
    ),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_MODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
