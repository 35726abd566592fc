"""Tool calls as they stream.

A call keeps the index of its place among the calls, whatever arrives in between. Where the deltas
are shorter than the final arguments, the rest follows when they are known.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import CallIds
from azure_responses.bridge.chat_over_responses.tool_calls import to_tool_call
from azure_responses.types.chat import (
    ChatCompletionToolCallUnion,
)
from azure_responses.types.chat_chunk import (
    ChatCompletionDeltaCustom,
    ChatCompletionDeltaFunction,
    ChatCompletionDeltaToolCall,
)
from azure_responses.types.items import is_callers
from azure_responses.types.tools import CustomToolCall, FunctionCall

__all__ = ["ToolCallStream"]


@dataclass
class _StreamedCall:
    """One call: its item as first seen, its index (None for a `function_call`), its text so far.

    `given` are arguments that came with the item, which count where no others follow.
    """

    item: Any
    index: int | None
    # States: known (has_begun is False: a kind without deltas waits for its end), begun (its head
    # has gone out), held (it lost a delta and waits for the whole).
    has_begun: bool = False
    is_held: bool = False
    pieces: list[str] = field(default_factory=list)
    given: str = ""

    @property
    def has_text(self) -> bool:
        """Its arguments or input come as text, piece by piece."""
        return isinstance(self.item, FunctionCall | CustomToolCall)


class ToolCallStream:
    """The calls of one stream; each method gives the fields of a delta, which may be empty.

    Args:
        has_function_call: the first call goes out as the deprecated `function_call`.
        call_ids: ids as the caller knows them.
    """

    def __init__(self, has_function_call: bool, call_ids: CallIds | None = None) -> None:
        self.has_function_call = has_function_call
        self._call_ids = call_ids or CallIds()
        self._calls: dict[int, _StreamedCall] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def begin(self, output_index: int, item: Any, is_final: bool = False) -> dict[str, Any]:
        """An item was added to the output. A call of another kind than text waits for its end."""
        if output_index in self._calls or not is_callers(item):
            return {}
        call = self._number(item)
        self._calls[output_index] = call
        if not is_final and _has_whole_arguments(item):
            # Some gateways give all arguments, or `{}`, at once and then stream them nevertheless.
            call.given, call.item = item.arguments, item.model_copy(update={"arguments": ""})
        return self._head(call) if call.has_text else {}

    def _number(self, item: Any) -> _StreamedCall:
        count = len(self._calls)
        # A `function_call` has no room for a custom tool's input, so such a stream uses tool_calls.
        if count == 0 and isinstance(item, CustomToolCall):
            self.has_function_call = False
        if not self.has_function_call:
            return _StreamedCall(item, count)
        return _StreamedCall(item, count - 1 if count else None)

    def _head(self, call: _StreamedCall) -> dict[str, Any]:
        call.has_begun = True
        whole = to_tool_call(call.item)
        whole.id = self._call_ids.restore(whole.id) or whole.id
        call.pieces.append(_text(call.item))
        values = {name: whole[name] for name in whole.model_fields_set}
        if whole.function is not None:
            values["function"] = ChatCompletionDeltaFunction.assemble(dict(whole.function))
        if whole.custom is not None:
            values["custom"] = ChatCompletionDeltaCustom.assemble(dict(whole.custom))
        return _delta(call, values)

    def add(self, output_index: int, text: str) -> dict[str, Any]:
        """More of a call's arguments or input."""
        call = self._calls.get(output_index)
        if call is None or not text or call.is_held:
            return {}
        call.pieces.append(text)
        if isinstance(call.item, CustomToolCall):
            return _delta(call, {"custom": ChatCompletionDeltaCustom.assemble({"input": text})})
        return _delta(call, {"function": ChatCompletionDeltaFunction.assemble({"arguments": text})})

    def hold(self, output_index: int) -> None:
        """Some text of a call was lost: the rest of it waits for the whole."""
        call = self._calls.get(output_index)
        if call is not None:
            call.is_held = True

    def complete(self, output_index: int, text: str) -> dict[str, Any]:
        """The whole arguments or input of a call; what the deltas left out is passed on."""
        call = self._calls.get(output_index)
        if call is None or not call.has_text:
            return {}
        # Text that differs from what was passed on cannot be taken back: nothing is added then.
        so_far = "".join(call.pieces)
        call.is_held = False
        return self.add(output_index, text[len(so_far) :]) if text.startswith(so_far) else {}

    def finish(self, output_index: int, item: Any) -> dict[str, Any]:
        """A call's final item; what is still missing of it is passed on."""
        begun = self.begin(output_index, item, is_final=True)
        call = self._calls[output_index]
        if call.has_text:
            return begun or self.complete(output_index, _text(item))
        if call.has_begun:
            return {}
        call.item = item
        return self._head(call)

    def items_so_far(self) -> dict[int, Any]:
        """The items of the calls as far as they have arrived."""
        return {index: _item_so_far(call) for index, call in self._calls.items()}

    def so_far(self) -> list[ChatCompletionToolCallUnion]:
        """The calls as far as they have arrived, the deprecated one included."""
        return [to_tool_call(_item_so_far(call)) for call in self._calls.values() if call.has_begun]


def _text(item: Any) -> str:
    if isinstance(item, CustomToolCall):
        return item.input
    return item.arguments if isinstance(item, FunctionCall) else ""


def _has_whole_arguments(item: Any) -> bool:
    if not isinstance(item, FunctionCall) or not item.arguments:
        return False
    try:
        json.loads(item.arguments)
    except (ValueError, RecursionError):
        return False
    return True


def _delta(call: _StreamedCall, values: dict[str, Any]) -> dict[str, Any]:
    if call.index is None:
        return {"function_call": values["function"]}
    delta = ChatCompletionDeltaToolCall.assemble({"index": call.index, **values})
    return {"tool_calls": [delta]}


def _item_so_far(call: _StreamedCall) -> Any:
    text = "".join(call.pieces) or call.given
    if isinstance(call.item, CustomToolCall):
        return call.item.model_copy(update={"input": text})
    if isinstance(call.item, FunctionCall):
        return call.item.model_copy(update={"arguments": text})
    return call.item
