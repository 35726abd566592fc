"""Calls the caller carries out, and what they returned.

The same classes serve in input and output, so what only the service sets (`id`, `status`,
`created_by`) is optional.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from .actions import ApplyPatchOperation, ComputerAction
from .content import InputPart
from .model import Model
from .status import ItemStatus
from .tolerance import OPEN
from .tools import ShellEnvironment

__all__ = [
    "ApplyPatchCall",
    "ApplyPatchCallOutput",
    "Caller",
    "ComputerCall",
    "ComputerCallOutput",
    "ComputerScreenshot",
    "CustomToolCall",
    "CustomToolCallOutput",
    "FunctionCall",
    "FunctionCallOutput",
    "LocalShellCall",
    "LocalShellCallAction",
    "LocalShellCallOutput",
    "SafetyCheck",
    "ShellAction",
    "ShellCall",
    "ShellCallOutput",
    "ShellCommandOutput",
    "ShellOutcome",
]


class Caller(Model):
    """Who called a tool: the model itself (`direct`) or a program it wrote."""

    type: Annotated[Literal["direct", "program"] | str, OPEN] | None = None
    caller_id: str | None = None


def _as_text(arguments: Any) -> Any:
    """Arguments that are an object as the JSON text they should be."""
    return json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else arguments


class FunctionCall(Model):
    """A call of one of the caller's functions; `arguments` is JSON text."""

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


class SafetyCheck(Model):
    """A warning about a computer action that the caller has to acknowledge."""

    id: str | None = None
    code: str | None = None
    message: str | None = None


class ComputerCall(Model):
    """One or several actions on a computer."""

    type: Literal["computer_call"]
    id: str | None = None
    call_id: str
    status: ItemStatus | None = None
    action: ComputerAction | None = None
    actions: list[ComputerAction] | None = None
    pending_safety_checks: list[SafetyCheck] | None = None


class ComputerScreenshot(Model):
    """What a computer's screen shows."""

    type: Annotated[Literal["computer_screenshot"] | str, OPEN]
    file_id: str | None = None
    image_url: str | None = None


class ComputerCallOutput(Model):
    """The screen after a computer call."""

    type: Literal["computer_call_output"]
    id: str | None = None
    call_id: str
    output: ComputerScreenshot
    status: ItemStatus | None = None
    acknowledged_safety_checks: list[SafetyCheck] | None = None
    created_by: str | None = None


class LocalShellCallAction(Model):
    """A command for the caller to run."""

    type: Annotated[Literal["exec"] | str, OPEN]
    command: list[str]
    env: dict[str, str] | None = None
    timeout_ms: int | None = None
    user: str | None = None
    working_directory: str | None = None


class LocalShellCall(Model):
    """A command for the caller's shell."""

    type: Literal["local_shell_call"]
    id: str | None = None
    call_id: str
    action: LocalShellCallAction
    status: ItemStatus | None = None


class LocalShellCallOutput(Model):
    """What that command printed, as JSON text."""

    type: Literal["local_shell_call_output"]
    id: str | None = None
    output: str
    status: ItemStatus | None = None


class ShellAction(Model):
    """Shell commands and their limits; `max_output_length` is in characters."""

    commands: list[str]
    timeout_ms: int | None = None
    max_output_length: int | None = None


class ShellCall(Model):
    """Shell commands, run where `environment` says."""

    type: Literal["shell_call"]
    id: str | None = None
    call_id: str
    action: ShellAction
    environment: ShellEnvironment | None = None
    status: ItemStatus | None = None
    caller: Caller | None = None
    created_by: str | None = None


class ShellOutcome(Model):
    """How a command ended."""

    type: Annotated[Literal["exit", "timeout"] | str, OPEN]
    exit_code: int | None = None


class ShellCommandOutput(Model):
    """What one command printed."""

    stdout: str | None = None
    stderr: str | None = None
    outcome: ShellOutcome | None = None
    created_by: str | None = None


class ShellCallOutput(Model):
    """What shell commands printed, one entry per command."""

    type: Literal["shell_call_output"]
    id: str | None = None
    call_id: str
    output: list[ShellCommandOutput]
    max_output_length: int | None = None
    status: ItemStatus | None = None
    caller: Caller | None = None
    created_by: str | None = None


class ApplyPatchCall(Model):
    """A change to one file, for the caller to apply."""

    type: Literal["apply_patch_call"]
    id: str | None = None
    call_id: str
    operation: ApplyPatchOperation
    status: ItemStatus | None = None
    caller: Caller | None = None
    created_by: str | None = None


class ApplyPatchCallOutput(Model):
    """Whether that change could be applied."""

    type: Literal["apply_patch_call_output"]
    id: str | None = None
    call_id: str
    output: str | None = None
    status: ItemStatus | None = None
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
