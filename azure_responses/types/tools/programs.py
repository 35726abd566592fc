"""Programs that the model writes to call its tools."""

from typing import Literal

from ..model import ItemStatus, Model
from .facts import ToolFacts

__all__ = ["Program", "ProgramOutput", "ProgrammaticToolCallingTool"]


class ProgrammaticToolCallingTool(Model):
    """Lets the model call its other tools from a program it writes."""

    type: Literal["programmatic_tool_calling"]


class Program(Model):
    """A program the model wrote to call its tools."""

    type: Literal["program"]
    id: str | None = None
    call_id: str
    code: str
    fingerprint: str | None = None


class ProgramOutput(Model):
    """What such a program returned."""

    type: Literal["program_output"]
    id: str | None = None
    call_id: str
    result: str
    status: ItemStatus | None = None


Tool = ProgrammaticToolCallingTool
Item = Program | ProgramOutput
Choice = Literal["programmatic_tool_calling"]
FACTS = ToolFacts(is_hosted=True)
