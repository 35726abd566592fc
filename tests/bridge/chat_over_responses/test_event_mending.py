import json
from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.event_mending import mend_event
from azure_responses.types import UnknownEvent, parse_event


def _mend(event: dict[str, Any]) -> Any:
    parsed = parse_event(json.dumps(event))
    assert isinstance(parsed, UnknownEvent)
    return mend_event(parsed)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "response.output_text.delta", "delta": "a"}, "OutputTextDeltaEvent"),
        ({"type": "response.completed"}, "ResponseCompletedEvent"),
        ({"type": "response.failed", "response": {"status": "failed"}}, "ResponseFailedEvent"),
        ({"type": "response.cancelled", "response": {"id": "r"}}, "ResponseCompletedEvent"),
        ({"type": "response.output_text.delta", "delta": 7}, "UnknownEvent"),
        ({"type": "response.dream"}, "UnknownEvent"),
    ],
)
def test_events_cut_short_are_filled_in(event: dict[str, Any], kind: str) -> None:
    assert type(_mend(event)).__name__ == kind


def test_nothing_is_added_that_the_event_does_not_have() -> None:
    mended = _mend({"type": "response.output_item.done", "item": {"type": "message"}})
    assert mended.to_dict() == {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": {"type": "message"},
    }
