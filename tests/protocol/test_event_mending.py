import json
from typing import Any

import pytest

from azure_responses.protocol.partial_response import EventMender
from azure_responses.types import UnknownEvent, parse_event

ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}


def _mend(event: dict[str, Any], mender: EventMender | None = None) -> Any:
    parsed = parse_event(json.dumps(event))
    assert isinstance(parsed, UnknownEvent)
    mended = (mender or EventMender()).mend(parsed)
    assert {**mended.to_dict(), **event} == mended.to_dict()
    return mended


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "response.output_text.delta", "delta": "a"}, "OutputTextDeltaEvent"),
        ({"type": "response.completed"}, "ResponseCompletedEvent"),
        ({"type": "response.completed", "response": None}, "ResponseCompletedEvent"),
        ({"type": "response.failed", "response": {"status": "failed"}}, "ResponseFailedEvent"),
        ({"type": "response.cancelled", "response": {"id": "r"}}, "UnknownEvent"),
        ({"type": "response.output_text.delta", "delta": 7}, "UnknownEvent"),
        ({"type": "response.output_item.done", "item": None}, "UnknownEvent"),
        ({"type": "response.dream"}, "UnknownEvent"),
        ({"type": None}, "UnknownEvent"),
    ],
)
def test_events_cut_short_are_filled_in(event: dict[str, Any], kind: str) -> None:
    assert type(_mend(event)).__name__ == kind


def test_a_place_of_another_kind_is_kept_beside_the_one_that_stands_in() -> None:
    mended = _mend({"type": "response.output_text.delta", "item_id": None, "delta": "a"})
    assert mended.item_id == ""
    assert mended.to_dict()["item_id"] is None


def test_an_event_without_an_index_belongs_to_the_item_it_names() -> None:
    mender = EventMender()
    for index, name in enumerate(["msg_1", "msg_2"]):
        added = {"type": "response.output_item.added", "item": {**ITEM, "id": name}}
        mender.note_item(parse_event(json.dumps({**added, "output_index": index})))
    delta = {"type": "response.output_text.delta", "delta": "a"}
    assert _mend({**delta, "item_id": "msg_1"}, mender).output_index == 0
    assert _mend({**delta, "item_id": "msg_9"}, mender).output_index == 1
    assert _mend({**delta, "output_index": 5}, mender).output_index == 5
    done = {"type": "response.output_item.done", "item": {**ITEM, "id": "msg_1"}}
    assert _mend(done, mender).output_index == 0


def test_an_added_item_without_an_index_is_the_next() -> None:
    mender = EventMender()
    for index in range(2):
        item = {**ITEM, "id": f"msg_{index}"}
        event = _mend({"type": "response.output_item.added", "item": item}, mender)
        mender.note_item(event)
        assert event.output_index == index


def test_text_without_an_index_belongs_to_the_latest_part() -> None:
    mender = EventMender()
    part = {"type": "output_text", "text": ""}
    added = {"type": "response.content_part.added", "item_id": "m", "part": part}
    mender.note_part(parse_event(json.dumps({**added, "output_index": 0, "content_index": 1})))
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "a"}
    assert _mend(delta, mender).content_index == 1
