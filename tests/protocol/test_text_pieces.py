from typing import Any

import pytest

from azure_responses.protocol.partial_response import TextPieces
from azure_responses.types import parse_event
from tests.protocol.samples import json_of

PLACE = {"item_id": "m", "output_index": 0, "content_index": 0}
BODY = {
    "id": "r",
    "output": [
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "abc"}],
        }
    ],
}


def _delta(text: Any, **place: Any) -> dict[str, Any]:
    return {"type": "response.output_text.delta", **PLACE, **place, "delta": text}


def _done(text: Any) -> dict[str, Any]:
    return {"type": "response.output_text.done", **PLACE, "text": text}


END = {"type": "response.completed", "response": BODY}
ITEM_DONE = {"type": "response.output_item.done", "output_index": 0, "item": BODY["output"][0]}
UNKNOWN = {"type": "super_message", "id": "m", "text": "abc"}


@pytest.mark.parametrize(
    ("events", "pieces"),
    [
        ([_delta("a"), _delta("bc"), _done("abc"), END], ["a", "bc"]),
        ([_delta("a"), _delta(None), _delta("c"), _done("abc"), END], ["a", "bc"]),
        ([_done("abc"), END], ["abc"]),
        ([END], ["abc"]),
        ([_delta("a"), _done(None), END], ["a"]),
        ([_delta("x"), _done("abc"), END], ["x"]),
        ([_delta("a"), _delta("b", content_index=1), _done("abc")], ["a", "b", "bc"]),
        ([{"type": "response.completed", "response": None}], []),
        ([ITEM_DONE, {"type": "response.completed", "response": {"id": "r"}}], ["abc"]),
        ([ITEM_DONE, {"type": "response.completed", "response": None}], ["abc"]),
        ([_delta("abc"), ITEM_DONE, END], ["abc"]),
        ([{**END, "response": {"id": "r", "output": [UNKNOWN]}}], ["abc"]),
        ([{**END, "response": {"id": "r", "output": [], "output_text": "abc"}}], ["abc"]),
        ([{"type": "response.refusal.delta", **PLACE, "delta": "a"}], []),
        ([{"type": ["response.output_text.delta"], "delta": "a"}], []),
        ([{"type": "response.output_text.delta", "delta": "a"}], ["a"]),
    ],
)
def test_the_pieces_add_up_to_the_text(events: list[Any], pieces: list[str]) -> None:
    reader = TextPieces()
    taken = [reader.take(parse_event(json_of(event))) for event in events]
    assert [text for text in taken if text is not None] == pieces
