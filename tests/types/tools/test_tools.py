import importlib
import pkgutil
from types import ModuleType
from typing import Any, get_args

import pytest

from azure_responses import types
from azure_responses.types import EVENT_TYPES, ITEM_TYPES, tools
from azure_responses.types.model import StreamEvent, types_of

_MODULES = [
    importlib.import_module(f"azure_responses.types.tools.{found.name}")
    for found in pkgutil.iter_modules(tools.__path__)
    if found.name != "facts"
]
modules = pytest.mark.parametrize("module", _MODULES, ids=lambda module: module.__name__[28:])


def _classes(union: Any) -> tuple[type, ...]:
    return get_args(union) or (union,)


def _known_tools() -> set[type]:
    known, _ = get_args(get_args(types.Tool)[0])
    return set(get_args(get_args(known)[0]))


@modules
def test_each_module_is_in_every_list(module: ModuleType) -> None:
    assert module in tools._MODULES
    assert set(_classes(module.Tool)) <= _known_tools()
    items = _classes(module.Item)
    assert all(ITEM_TYPES[types_of(item)[0]] is item for item in items)
    choices = types_of(types.HostedToolChoice)
    assert set(get_args(getattr(module, "Choice", None))) <= set(choices)
    included = get_args(get_args(types.Includable)[0])
    assert set(get_args(getattr(module, "Includable", None))) <= set(included)


@modules
def test_every_event_of_a_module_is_read_by_its_type(module: ModuleType) -> None:
    events = {
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, StreamEvent)
        and value.__module__ == module.__name__
    }
    assert events == set(_classes(getattr(module, "Event", None))) - {None}
    assert all(EVENT_TYPES[types_of(event)[0]] is event for event in events)


def test_what_is_made_of_the_facts_names_known_types() -> None:
    assert {charge.price for charge in tools.CHARGES.values()} == {
        "web_search",
        "file_search",
        "code_interpreter",
        "image_generation",
    }
    waiting = {types_of(item)[0] for item in tools.WAITING_ITEMS}
    assert waiting - {"function_call", "custom_tool_call"} == set(tools.CHAT_FORMS)
    assert waiting | tools.ITEMS_WITHOUT_ID | tools.CHARGES.keys() <= ITEM_TYPES.keys()
    for name in tools.DELTAS:
        assert {f"{name}.delta", f"{name}.done"} <= EVENT_TYPES.keys()
