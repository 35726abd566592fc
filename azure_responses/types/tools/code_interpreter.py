"""Python in a container."""

from typing import Annotated, Any, Literal

from ..model import OPEN, ItemEvent, ItemStatus, Model
from .facts import Charge, ToolFacts, container_ids
from .functions import AllowedCallers

__all__ = [
    "CodeInterpreterCall",
    "CodeInterpreterCallCodeDeltaEvent",
    "CodeInterpreterCallCodeDoneEvent",
    "CodeInterpreterCallCompletedEvent",
    "CodeInterpreterCallInProgressEvent",
    "CodeInterpreterCallInterpretingEvent",
    "CodeInterpreterContainer",
    "CodeInterpreterOutput",
    "CodeInterpreterTool",
    "NetworkPolicy",
]


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
    allowed_callers: AllowedCallers | None = None


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


class CodeInterpreterCallInProgressEvent(ItemEvent):
    """A code interpreter call began."""

    type: Literal["response.code_interpreter_call.in_progress"]


class CodeInterpreterCallInterpretingEvent(ItemEvent):
    """Code is running."""

    type: Literal["response.code_interpreter_call.interpreting"]


class CodeInterpreterCallCodeDeltaEvent(ItemEvent):
    """More code."""

    type: Literal["response.code_interpreter_call_code.delta"]
    delta: str
    obfuscation: str | None = None


class CodeInterpreterCallCodeDoneEvent(ItemEvent):
    """The whole code."""

    type: Literal["response.code_interpreter_call_code.done"]
    code: str


class CodeInterpreterCallCompletedEvent(ItemEvent):
    """A code interpreter call is complete."""

    type: Literal["response.code_interpreter_call.completed"]


Tool = CodeInterpreterTool
Item = CodeInterpreterCall
Event = (
    CodeInterpreterCallInProgressEvent
    | CodeInterpreterCallInterpretingEvent
    | CodeInterpreterCallCodeDeltaEvent
    | CodeInterpreterCallCodeDoneEvent
    | CodeInterpreterCallCompletedEvent
)
Includable = Literal["code_interpreter_call.outputs"]
Choice = Literal["code_interpreter"]
FACTS = ToolFacts(
    is_hosted=True,
    # Billed by the hour of each container, however often code runs in it.
    charge=Charge("code_interpreter", CodeInterpreterCall, "session", container="container_id"),
    deltas={"response.code_interpreter_call_code": "code"},
    stored_in_tool=("container", *container_ids("container")),
    stored_in_item=("container_id",),
)
