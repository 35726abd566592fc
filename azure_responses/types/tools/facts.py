"""What other packages have to know about a tool besides its JSON.

Each tool's module declares it once, in `FACTS`, beside the tool's classes. Prices, the chat bridge,
streams and the router read the tables that `azure_responses.types.tools` makes of all of them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from ..model import Model

__all__ = ["Charge", "ChatForm", "ToolFacts", "always", "container_ids"]

_NONE: Mapping[Any, Any] = MappingProxyType({})


def always(item: Any) -> bool:
    """For `waiting`: every call of this class waits for the caller."""
    return True


def container_ids(place: str) -> tuple[str, ...]:
    """The ids in an object that describes a container: of the container, its files, its skills."""
    # `id` is no field of the API, but an id that a caller puts there must not pass unread.
    names = ("id", "container_id", "file_ids[]", "skills.skill_id")
    return tuple(f"{place}.{name}" for name in names)


class Charge(NamedTuple):
    """How the use of a tool is billed besides the model's tokens.

    Attributes:
        price: the price's name in price lists, in logs and for `pricing.register_tool`.
        item: the class of the items that report the use.
        unit: what is billed: each "use", the "session" of a container, or image "tokens".
        actions: types of the item's `action` that are billed; empty if all are.
        container: the path to the id of the container whose session is billed.
        has_free_calls: a call without a container is not billed.
        reported: the entry of `tool_usage` whose `num_requests` wins over the count of items.
    """

    price: str
    item: type[Model]
    unit: Literal["use", "session", "tokens"]
    actions: tuple[str, ...] = ()
    container: str | None = None
    has_free_calls: bool = False
    reported: str | None = None


class ChatForm(NamedTuple):
    """How a call that the caller carries out stands in a chat message: as a call of a function.

    Attributes:
        item: the class of the call.
        name: the function's name.
        arguments: the fields of the item that are the arguments; one alone stands for its value.
        ids: the fields that hold the id which the answer names.
        tools: the classes of the tools that make the model ask for it.
        defaults: what else a call has that is rebuilt from the function's arguments.
    """

    item: type[Model]
    name: str
    arguments: tuple[str, ...]
    ids: tuple[str, ...] = ("call_id",)
    tools: tuple[type[Model], ...] = ()
    defaults: Mapping[str, Any] = _NONE


class ToolFacts(NamedTuple):
    """What is known of one tool; a path such as `a.b[]` means each entry of the list `b` in `a`.

    Attributes:
        charge: how its use is billed, or None.
        waiting: the calls that the caller has to carry out and answer, and in which cases.
        chat_forms: how those stand in chat messages that are not calls of functions anyway.
        without_id: the items that the service accepts without their id. With it, the service asks
            for the reasoning that came before them: "Item 'msg_…' … was provided without its
            required 'reasoning' item".
        deltas: beginnings of the types of events whose deltas add to a field of the item, and
            that field.
        stored_in_tool, stored_in_item: paths to ids of what only one resource stores: a request
            with such an id cannot go to another.
        cited_in_item: paths to ids that nothing looks up when the item is sent back.
        named_in_item: paths to ids of other items.
        is_hosted: the service alone runs the tool, wherever it is offered.
    """

    charge: Charge | None = None
    waiting: Mapping[type[Model], Callable[[Any], bool]] = _NONE
    chat_forms: tuple[ChatForm, ...] = ()
    without_id: tuple[type[Model], ...] = ()
    deltas: Mapping[str, str] = _NONE
    stored_in_tool: tuple[str, ...] = ()
    stored_in_item: tuple[str, ...] = ()
    cited_in_item: tuple[str, ...] = ()
    named_in_item: tuple[str, ...] = ()
    is_hosted: bool = False
