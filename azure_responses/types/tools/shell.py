"""Shell commands, run in a container of the service or by the caller."""

from typing import Annotated, Any, Literal

from ..model import OPEN, CommandEvent, ItemStatus, Model
from .code_interpreter import NetworkPolicy
from .facts import Charge, ChatForm, ToolFacts, always, container_ids
from .functions import AllowedCallers, Caller

__all__ = [
    "LocalShellCall",
    "LocalShellCallAction",
    "LocalShellCallOutput",
    "LocalShellTool",
    "ShellAction",
    "ShellCall",
    "ShellCallCommandAddedEvent",
    "ShellCallCommandDeltaEvent",
    "ShellCallCommandDoneEvent",
    "ShellCallOutput",
    "ShellCallOutputContentDeltaEvent",
    "ShellCallOutputContentDoneEvent",
    "ShellCommandOutput",
    "ShellEnvironment",
    "ShellOutcome",
    "ShellOutputDelta",
    "ShellTool",
]


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
    allowed_callers: AllowedCallers | None = None


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


class ShellOutputDelta(Model):
    """What a command printed since the last event."""

    stdout: str | None = None
    stderr: str | None = None


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


# The older kind of shell, which always runs at the caller's.
class LocalShellTool(Model):
    """A shell that the caller runs, as `codex-mini-latest` takes it."""

    type: Literal["local_shell"]


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


def _runs_at_callers(item: ShellCall) -> bool:
    return item.environment is None or item.environment.type == "local"


Tool = ShellTool | LocalShellTool
Item = ShellCall | ShellCallOutput | LocalShellCall | LocalShellCallOutput
Event = (
    ShellCallCommandAddedEvent
    | ShellCallCommandDeltaEvent
    | ShellCallCommandDoneEvent
    | ShellCallOutputContentDeltaEvent
    | ShellCallOutputContentDoneEvent
)
Choice = Literal["shell"]
FACTS = ToolFacts(
    # Billed as the code interpreter's containers are; a call without one runs at the caller's.
    charge=Charge(
        "code_interpreter",
        ShellCall,
        "session",
        container="environment.container_id",
        has_free_calls=True,
    ),
    waiting={ShellCall: _runs_at_callers, LocalShellCall: always},
    chat_forms=(
        ChatForm(ShellCall, "shell", ("action",), tools=(ShellTool,)),
        ChatForm(
            LocalShellCall,
            "local_shell",
            ("action",),
            ids=("id", "call_id"),
            tools=(LocalShellTool,),
            defaults={"status": "completed"},
        ),
    ),
    without_id=(ShellCall,),
    stored_in_tool=("environment", *container_ids("environment")),
    stored_in_item=("environment", *container_ids("environment")),
)
