from typing import Any

import pytest
from pydantic import TypeAdapter

from azure_responses.types import (
    CompactionTrigger,
    ConfigurationUpdate,
    EasyInputMessage,
    FunctionCallOutput,
    InputItem,
    InputMessage,
    ItemReference,
    Model,
    OutputMessage,
    ReasoningItem,
)

ADAPTER: TypeAdapter[Any] = TypeAdapter(InputItem)
PARTS = [{"type": "input_text", "text": "Hi"}]
SPOKEN = [{"type": "output_text", "text": "Hi", "annotations": []}]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"role": "user", "content": "Hi"}, EasyInputMessage),
        ({"role": "user", "content": PARTS}, EasyInputMessage),
        ({"type": "message", "role": "user", "content": "Hi"}, EasyInputMessage),
        ({"role": "assistant", "content": SPOKEN}, EasyInputMessage),
        ({"type": "message", "role": "user", "content": PARTS}, InputMessage),
        ({"type": "message", "role": "assistant", "content": SPOKEN}, InputMessage),
        ({"type": "message", "id": "m", "role": "assistant", "content": SPOKEN}, OutputMessage),
        ({"type": "message", "id": "m", "role": "user", "content": PARTS}, InputMessage),
        ({"type": "item_reference", "id": "msg_1"}, ItemReference),
        ({"id": "msg_1"}, ItemReference),
        ({"type": "function_call_output", "call_id": "c", "output": "1"}, FunctionCallOutput),
        ({"type": "function_call_output", "call_id": "c", "output": PARTS}, FunctionCallOutput),
        ({"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}, ReasoningItem),
        ({"type": "configuration_update", "reasoning": {"effort": "low"}}, ConfigurationUpdate),
        ({"type": "compaction_trigger"}, CompactionTrigger),
    ],
)
def test_each_form_of_item_is_told_apart(sent: dict[str, Any], kind: type[Model]) -> None:
    item: Model = ADAPTER.validate_python(sent)
    assert type(item) is kind
    assert item.to_dict() == sent


def test_items_already_typed_pass_as_they_are() -> None:
    item = EasyInputMessage(role="user", content="Hi")
    assert ADAPTER.validate_python(item) is item
