"""What items ask to be done: on a computer, on the web, to a file."""

from typing import Annotated, Literal

from pydantic import Field

from .model import Model
from .tolerance import OPEN, UnknownType

__all__ = [
    "ApplyPatchOperation",
    "Click",
    "ComputerAction",
    "CreateFile",
    "DeleteFile",
    "DoubleClick",
    "Drag",
    "FindInPage",
    "Keypress",
    "Move",
    "OpenPage",
    "Point",
    "Screenshot",
    "Scroll",
    "SearchAction",
    "SearchSource",
    "TypeText",
    "UnknownAction",
    "UpdateFile",
    "Wait",
    "WebSearch",
]


class UnknownAction(Model):
    """An action of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


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


class SearchSource(Model):
    """A page a search drew on."""

    type: str | None = None
    url: str | None = None


class WebSearch(Model):
    """Search on the web."""

    type: Literal["search"]
    query: str | None = None
    queries: list[str] | None = None
    sources: list[SearchSource] | None = None


class OpenPage(Model):
    """Open a page."""

    type: Literal["open_page"]
    url: str | None = None


class FindInPage(Model):
    """Look for text on a page."""

    type: Literal["find_in_page", "find"]
    pattern: str | None = None
    url: str | None = None


SearchAction = Annotated[
    Annotated[WebSearch | OpenPage | FindInPage, Field(discriminator="type")] | UnknownAction,
    Field(union_mode="left_to_right"),
]


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
