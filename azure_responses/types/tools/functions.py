"""Functions and custom tools of the caller's."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..content import InputPart
from ..model import OPEN, ItemEvent, ItemStatus, Model, UnknownType
from .facts import ToolFacts, always

__all__ = [
    "Caller",
    "CustomTool",
    "CustomToolCall",
    "CustomToolCallInputDeltaEvent",
    "CustomToolCallInputDoneEvent",
    "CustomToolCallOutput",
    "CustomToolFormat",
    "FunctionCall",
    "FunctionCallArgumentsDeltaEvent",
    "FunctionCallArgumentsDoneEvent",
    "FunctionCallOutput",
    "FunctionTool",
    "NamedToolChoice",
    "NamespaceTool",
    "UnknownTool",
]

AllowedCallers = list[Annotated[Literal["direct", "programmatic"] | str, OPEN]]


class FunctionTool(Model):
    """A function of the caller's, described by a JSON schema."""

    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    output_schema: dict[str, Any] | None = None
    defer_loading: bool | None = None
    allowed_callers: AllowedCallers | None = None
    async_: bool | None = Field(default=None, alias="async")


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
    allowed_callers: AllowedCallers | None = None
    async_: bool | None = Field(default=None, alias="async")


# Here and not beside the union of all tools, because a namespace holds tools too.
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


class Caller(Model):
    """Who called a tool: the model itself (`direct`) or a program it wrote."""

    type: Annotated[Literal["direct", "program"] | str, OPEN] | None = None
    caller_id: str | None = None


# Gateways in front of other models pass the arguments on as an object.
def _as_text(arguments: Any) -> Any:
    """Arguments that are an object as the JSON text they should be."""
    return json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else arguments


class FunctionCall(Model):
    """A call of one of the caller's functions; `arguments` is JSON text.

    `parsed_arguments` is what `responses.parse` made of them; it is not part of a dump, so that the
    call can be sent back.
    """

    parsed_arguments: ClassVar[Any] = None
    _readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"arguments": _as_text}

    type: Literal["function_call"]
    id: str | None = None
    call_id: str
    name: str
    arguments: str
    status: ItemStatus | None = None
    namespace: str | None = None
    caller: Caller | None = None
    async_: bool | None = Field(default=None, alias="async")

    def attach_parsed(self, value: Any) -> None:
        """Remember what the arguments were parsed into."""
        self.__dict__["parsed_arguments"] = value


class FunctionCallOutput(Model):
    """What one of the caller's functions returned."""

    type: Literal["function_call_output"]
    id: str | None = None
    call_id: str | None = None
    output: str | list[InputPart]
    status: ItemStatus | None = None
    name: str | None = None
    namespace: str | None = None
    caller: Caller | None = None
    created_by: str | None = None


class CustomToolCall(Model):
    """A call of one of the caller's custom tools; `input` is free text."""

    type: Literal["custom_tool_call"]
    id: str | None = None
    call_id: str
    name: str
    input: str
    status: ItemStatus | None = None
    namespace: str | None = None
    caller: Caller | None = None
    async_: bool | None = Field(default=None, alias="async")


class CustomToolCallOutput(Model):
    """What one of the caller's custom tools returned."""

    type: Literal["custom_tool_call_output"]
    id: str | None = None
    call_id: str
    output: str | list[InputPart]
    status: ItemStatus | None = None
    caller: Caller | None = None
    created_by: str | None = None


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


class NamedToolChoice(Model):
    """Forces one function or custom tool."""

    type: Literal["function", "custom"]
    name: str


Tool = FunctionTool | CustomTool | NamespaceTool
Item = FunctionCall | FunctionCallOutput | CustomToolCall | CustomToolCallOutput
Event = (
    FunctionCallArgumentsDeltaEvent
    | FunctionCallArgumentsDoneEvent
    | CustomToolCallInputDeltaEvent
    | CustomToolCallInputDoneEvent
)
FACTS = ToolFacts(
    waiting={FunctionCall: always, CustomToolCall: always},
    without_id=(FunctionCall, CustomToolCall),
    deltas={
        "response.function_call_arguments": "arguments",
        "response.custom_tool_call_input": "input",
    },
)
