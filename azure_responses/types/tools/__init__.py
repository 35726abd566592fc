# ruff: noqa: F403, F405
"""The tools a model may be offered: one module for each, and what is made of all of them.

A tool's module holds its tool, its items, its events, and the facts about it that other packages
need. A new tool is one new module and its entries in the lists of this file. The unions are
spelled out because type checkers cannot read unions that are computed.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from ..model import OPEN, Model, UnknownType, types_of
from . import (
    apply_patch,
    code_interpreter,
    computer,
    file_search,
    functions,
    image_generation,
    mcp,
    programs,
    shell,
    tool_search,
    web_search,
)
from .apply_patch import *
from .code_interpreter import *
from .computer import *
from .facts import Charge, ChatForm, ToolFacts
from .file_search import *
from .functions import *
from .image_generation import *
from .mcp import *
from .programs import *
from .shell import *
from .tool_search import *
from .web_search import *

_MODULES = (
    web_search,
    file_search,
    code_interpreter,
    image_generation,
    mcp,
    computer,
    shell,
    apply_patch,
    tool_search,
    programs,
    functions,
)

__all__ = [
    "AllowedToolsChoice",
    "HostedToolChoice",
    "Includable",
    "Tool",
    "ToolChoice",
    "UnknownToolChoice",
]
# Type checkers find the other names in `azure_responses.types`, which imports each module's.
__all__ += [name for module in _MODULES for name in module.__all__]

_Tool = (
    functions.Tool
    | file_search.Tool
    | computer.Tool
    | web_search.Tool
    | mcp.Tool
    | code_interpreter.Tool
    | programs.Tool
    | image_generation.Tool
    | shell.Tool
    | tool_search.Tool
    | apply_patch.Tool
)
Tool = Annotated[
    Annotated[_Tool, Field(discriminator="type")] | UnknownTool, Field(union_mode="left_to_right")
]
ToolItem = (
    functions.Item
    | file_search.Item
    | computer.Item
    | web_search.Item
    | mcp.Item
    | code_interpreter.Item
    | programs.Item
    | image_generation.Item
    | shell.Item
    | tool_search.Item
    | apply_patch.Item
)
ToolEvent = (
    functions.Event
    | file_search.Event
    | web_search.Event
    | mcp.Event
    | code_interpreter.Event
    | image_generation.Event
    | shell.Event
    | apply_patch.Event
)
Includable = (
    Literal[
        file_search.Includable,
        web_search.Includable,
        "message.input_image.image_url",
        computer.Includable,
        code_interpreter.Includable,
        "reasoning.encrypted_content",
        "message.output_text.logprobs",
    ]
    | str
)


class AllowedToolsChoice(Model):
    """Restricts the choice to some of the tools."""

    type: Literal["allowed_tools"]
    mode: Annotated[Literal["auto", "required"] | str, OPEN] | None = None
    tools: list[dict[str, Any]]


class HostedToolChoice(Model):
    """Forces a tool that has no name of its own."""

    type: Literal[
        file_search.Choice,
        web_search.Choice,
        computer.Choice,
        image_generation.Choice,
        code_interpreter.Choice,
        programs.Choice,
        apply_patch.Choice,
        shell.Choice,
    ]


class UnknownToolChoice(Model):
    """A tool choice of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"] | str, OPEN]
    | Annotated[
        AllowedToolsChoice | NamedToolChoice | McpToolChoice | HostedToolChoice,
        Field(discriminator="type"),
    ]
    | UnknownToolChoice,
    Field(union_mode="left_to_right"),
]

FACTS: tuple[ToolFacts, ...] = tuple(module.FACTS for module in _MODULES)
WAITING_ITEMS: Mapping[type[Model], Callable[[Any], bool]] = {
    item: waits for facts in FACTS for item, waits in facts.waiting.items()
}
"""The calls that the caller carries out, and in which cases."""

CHARGES: Mapping[str, Charge] = {
    types_of(facts.charge.item)[0]: facts.charge for facts in FACTS if facts.charge is not None
}
"""How items are billed, by the items' type."""

CHAT_FORMS: Mapping[str, ChatForm] = {
    types_of(form.item)[0]: form for facts in FACTS for form in facts.chat_forms
}
"""How calls stand in chat messages, by the calls' type."""

ITEMS_WITHOUT_ID: frozenset[str] = frozenset(
    types_of(item)[0] for facts in FACTS for item in facts.without_id
)
"""The types of items that the service accepts without their id."""

HOSTED_ITEMS: frozenset[str] = frozenset(
    name
    for module in _MODULES
    if module.FACTS.is_hosted
    # Of a union its classes; one class has no arguments.
    for item in get_args(module.Item) or (module.Item,)
    for name in types_of(item)
)
"""The types of the items of tools that the service alone runs."""

DELTAS: Mapping[str, str] = {name: field for facts in FACTS for name, field in facts.deltas.items()}
"""Which field of an item the deltas of events add to, by the beginning of the events' type."""
