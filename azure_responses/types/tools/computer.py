"""Control of a computer, whose actions the caller carries out."""

from typing import Annotated, Literal

from pydantic import Field

from ..model import OPEN, ItemStatus, Model, UnknownAction
from .facts import ChatForm, ToolFacts, always

__all__ = [
    "Click",
    "ComputerAction",
    "ComputerCall",
    "ComputerCallOutput",
    "ComputerScreenshot",
    "ComputerTool",
    "ComputerUsePreviewTool",
    "DoubleClick",
    "Drag",
    "Keypress",
    "Move",
    "Point",
    "SafetyCheck",
    "Screenshot",
    "Scroll",
    "TypeText",
    "Wait",
]


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


class Point(Model):
    """A place on the screen, in pixels from the top left."""

    x: int
    y: int


class Click(Point):
    """Click; `keys` are held down meanwhile."""

    type: Literal["click"]
    button: Annotated[Literal["left", "right", "wheel", "back", "forward"] | str, OPEN] | None = (
        None
    )
    keys: list[str] | None = None


class DoubleClick(Point):
    """Click twice."""

    type: Literal["double_click"]
    keys: list[str] | None = None


class Move(Point):
    """Move the pointer."""

    type: Literal["move"]
    keys: list[str] | None = None


class Scroll(Point):
    """Scroll by so many pixels."""

    type: Literal["scroll"]
    scroll_x: int
    scroll_y: int
    keys: list[str] | None = None


class Drag(Model):
    """Drag along a path."""

    type: Literal["drag"]
    path: list[Point]
    keys: list[str] | None = None


class Keypress(Model):
    """Press keys together."""

    type: Literal["keypress"]
    keys: list[str]


class TypeText(Model):
    """Type text."""

    type: Literal["type"]
    text: str


class Screenshot(Model):
    """Look at the screen."""

    type: Literal["screenshot"]


class Wait(Model):
    """Wait a moment."""

    type: Literal["wait"]


ComputerAction = Annotated[
    Annotated[
        Click | DoubleClick | Move | Scroll | Drag | Keypress | TypeText | Screenshot | Wait,
        Field(discriminator="type"),
    ]
    | UnknownAction,
    Field(union_mode="left_to_right"),
]


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


Tool = ComputerTool | ComputerUsePreviewTool
Item = ComputerCall | ComputerCallOutput
Includable = Literal["computer_call_output.output.image_url"]
Choice = Literal["computer", "computer_use", "computer_use_preview"]
FACTS = ToolFacts(
    waiting={ComputerCall: always},
    chat_forms=(
        ChatForm(
            ComputerCall,
            "computer",
            ("action", "actions", "pending_safety_checks"),
            ids=("id", "call_id"),
            tools=(ComputerTool, ComputerUsePreviewTool),
            defaults={"status": "completed", "pending_safety_checks": []},
        ),
    ),
)
