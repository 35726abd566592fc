from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.final_parts import FinalParts, align
from azure_responses.types import Response


def _items(*output: dict[str, Any]) -> list[Any]:
    return list(Response.model_validate({"id": "r", "output": list(output)}).output)


REASONING = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "s"}],
    "content": [{"type": "reasoning_text", "text": "raw"}, {"type": "hologram"}],
}
MESSAGE = {
    "type": "message",
    "id": "m",
    "role": "assistant",
    "content": [
        {"type": "output_text", "text": "t"},
        {"type": "refusal", "refusal": "no"},
        {"type": "hologram"},
    ],
}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
SEARCH = {"type": "web_search_call", "id": "ws"}


def test_every_part_has_its_place() -> None:
    parts = FinalParts(dict(enumerate(_items(REASONING, MESSAGE, CALL, SEARCH))))
    assert parts.texts() == [((1, 0), "t")]
    assert parts.refusals == [((1, 1), "no")]
    assert parts.reasoning == [((0, 0, 0), "raw"), ((0, 1, 0), "s")]
    assert [index for index, _ in parts.calls] == [2]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({}, [0, 1, 2]),
        ({0: "reasoning", 1: "message", 2: "function_call"}, [0, 1, 2]),
        ({0: "reasoning"}, [0, 1, 2]),
        # The stream had a search that the final response leaves out.
        ({0: "reasoning", 1: "web_search_call", 2: "message", 3: "function_call"}, [0, 2, 3]),
        # The final response has reasoning that the stream never told.
        ({0: "message", 1: "function_call"}, [2, 0, 1]),
    ],
)
def test_final_items_find_their_index_in_the_stream(
    kinds: dict[int, str], expected: list[int]
) -> None:
    items = _items(REASONING, MESSAGE, CALL)
    aligned = align(items, kinds)
    assert [index for item in items for index in aligned if aligned[index] is item] == expected
