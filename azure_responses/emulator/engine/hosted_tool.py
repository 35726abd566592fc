"""What the engine knows of one hosted tool, in one row.

A tool that the service offers is added in one module of the engine: a row beside its kin
(`service_tools`, `computer_and_shell`, `remote_mcp`), which `tool_calls.HOSTED_TOOLS` collects.
Which calls are made, what the stream announces, what the response echoes and counts, and which
inputs are checked all follow from the row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from azure_responses.emulator.engine.generation import Generation, OutputStep, ResponseBuilder
from azure_responses.emulator.engine.item_events import ItemEvents

__all__ = ["HostedTool", "Tool"]

Tool = dict[str, Any]


def _check_nothing(generation: Generation) -> None:
    pass


@dataclass(frozen=True)
class HostedTool:
    """One hosted tool.

    Attributes:
        type: the tool's `type` without its version: `web_search` for `web_search_preview` too.
        cue: a regular expression; a prompt in which it is found makes the model call the tool.
        write: the items of a call, and the message that follows where the service runs the tool.
        items: how each type of item that the tool makes is announced; the call comes first.
        is_run_by_caller: the caller runs the tool and sends back an item `…_call_output`.
        echo: the tool as the response repeats it, with the service's defaults.
        charge: the tool's name in `tool_usage`, and what it counts there for a number of calls.
        check: raises ServiceError where the service refuses a request that declares the tool.
    """

    type: str
    cue: str
    write: Callable[[ResponseBuilder, Tool], list[OutputStep]]
    items: Mapping[str, ItemEvents]
    is_run_by_caller: bool = False
    echo: Callable[[Tool], Tool] = dict
    charge: tuple[str, Callable[[int], dict[str, Any]]] | None = None
    check: Callable[[Generation], None] = _check_nothing

    @property
    def call_type(self) -> str:
        """The type of the item that stands for a call."""
        return next(iter(self.items))
