"""Changes to files, which the caller applies."""

from typing import Annotated, Literal

from pydantic import Field

from ..model import ItemEvent, ItemStatus, Model, UnknownAction
from .facts import ChatForm, ToolFacts, always
from .functions import AllowedCallers, Caller

__all__ = [
    "ApplyPatchCall",
    "ApplyPatchCallOperationDiffDeltaEvent",
    "ApplyPatchCallOperationDiffDoneEvent",
    "ApplyPatchCallOutput",
    "ApplyPatchOperation",
    "ApplyPatchTool",
    "CreateFile",
    "DeleteFile",
    "UpdateFile",
]


class ApplyPatchTool(Model):
    """Lets the model propose changes to files."""

    type: Literal["apply_patch"]
    allowed_callers: AllowedCallers | None = None


class CreateFile(Model):
    """Create a file from a diff."""

    type: Literal["create_file"]
    path: str
    diff: str


class UpdateFile(Model):
    """Change a file by a diff."""

    type: Literal["update_file"]
    path: str
    diff: str


class DeleteFile(Model):
    """Delete a file."""

    type: Literal["delete_file"]
    path: str


ApplyPatchOperation = Annotated[
    Annotated[CreateFile | UpdateFile | DeleteFile, Field(discriminator="type")] | UnknownAction,
    Field(union_mode="left_to_right"),
]


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


class ApplyPatchCallOperationDiffDeltaEvent(ItemEvent):
    """More of a diff; undocumented, recorded by vercel/ai."""

    type: Literal["response.apply_patch_call_operation_diff.delta"]
    delta: str
    obfuscation: str | None = None


class ApplyPatchCallOperationDiffDoneEvent(ItemEvent):
    """A whole diff; undocumented, recorded by vercel/ai."""

    type: Literal["response.apply_patch_call_operation_diff.done"]
    diff: str


Tool = ApplyPatchTool
Item = ApplyPatchCall | ApplyPatchCallOutput
Event = ApplyPatchCallOperationDiffDeltaEvent | ApplyPatchCallOperationDiffDoneEvent
Choice = Literal["apply_patch"]
FACTS = ToolFacts(
    waiting={ApplyPatchCall: always},
    chat_forms=(
        ChatForm(
            ApplyPatchCall,
            "apply_patch",
            ("operation",),
            tools=(ApplyPatchTool,),
            defaults={"status": "completed"},
        ),
    ),
    without_id=(ApplyPatchCall,),
)
