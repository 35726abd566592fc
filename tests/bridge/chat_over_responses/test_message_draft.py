from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.message_draft import (
    MessageDraft,
    place_annotations,
    reasoning_texts,
    to_annotation,
    to_logprobs,
)
from azure_responses.types import OutputText, ReasoningItem, Response, TokenLogprob


def _draft(*output: dict[str, Any]) -> MessageDraft:
    draft = MessageDraft()
    for item in Response.model_validate({"id": "r", "output": list(output)}).output:
        draft.add(item)
    return draft


def test_an_empty_draft_is_an_empty_answer() -> None:
    draft = _draft()
    assert draft.build().to_dict() == {"role": "assistant", "content": "", "refusal": None}
    assert draft.logprobs_object is None


def test_raw_reasoning_comes_before_its_summary_and_empty_parts_do_not_count() -> None:
    item = ReasoningItem.model_validate(
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "s"}, {"type": "hologram"}],
            "content": [
                {"type": "reasoning_text", "text": "raw"},
                {"type": "reasoning_text", "text": ""},
            ],
        }
    )
    assert reasoning_texts(item) == ["raw", "s"]


def test_phases_make_an_order_worth_telling() -> None:
    part = {"type": "output_text", "text": "Hi"}
    message = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    assert _draft(message).build().output_order is None
    told = _draft({**message, "phase": "final_answer"}).build().output_order
    assert told == [{"type": "message", "text": 2, "refusal": 0, "phase": "final_answer"}]


def test_log_probabilities_leave_no_field_out() -> None:
    assert to_logprobs([TokenLogprob()]) == [
        {"token": "", "logprob": None, "bytes": None, "top_logprobs": []}
    ]


KINDS: dict[str, dict[str, Any]] = {
    "url_citation": {"url": "u", "title": "t", "start_index": 1, "end_index": 4},
    "file_citation": {"file_id": "f", "filename": "n", "index": 2},
    "container_file_citation": {
        "container_id": "c",
        "file_id": "f",
        "filename": "n",
        "start_index": 0,
        "end_index": 3,
    },
    "file_path": {"file_id": "f", "index": 0},
    "song_citation": {"bars": 3, "start_index": 1},
}
NESTED = {"type": "url_citation", "url_citation": KINDS["url_citation"]}


@pytest.mark.parametrize(("kind", "details"), KINDS.items())
def test_every_kind_nests_its_details_under_its_name(kind: str, details: dict[str, Any]) -> None:
    part = OutputText.model_validate(
        {"type": "output_text", "text": "x", "annotations": [{"type": kind, **details}]}
    )
    assert part.annotations is not None
    annotation = to_annotation(part.annotations[0], 0)
    assert annotation.to_dict() == {"type": kind, kind: details}
    assert annotation[kind]["start_index" if "start_index" in details else "index"] is not None


@pytest.mark.parametrize(("kind", "details"), KINDS.items())
def test_every_position_moves_with_the_text_before_it(kind: str, details: dict[str, Any]) -> None:
    moved = to_annotation({"type": kind, **details}, 10).to_dict()[kind]
    for name, value in details.items():
        is_position = name in ("start_index", "end_index", "index")
        assert moved[name] == (value + 10 if is_position else value)


def test_a_known_kind_may_say_more() -> None:
    annotation = to_annotation({"type": "file_path", "file_id": "f", "colour": "red"}, 0)
    assert annotation.to_dict() == {
        "type": "file_path",
        "file_path": {"file_id": "f", "colour": "red"},
    }


def test_an_annotation_without_a_type_is_kept() -> None:
    assert to_annotation({"x": 1}, 0).to_dict() == {"type": "unknown", "unknown": {"x": 1}}


def test_annotations_go_back_to_the_part_they_are_about() -> None:
    first = place_annotations([NESTED], 0, 4, 9)
    assert first == [{"type": "url_citation", **KINDS["url_citation"]}]
    assert place_annotations([NESTED], 4, 9, 9) == []
    (moved,) = place_annotations([NESTED], 1, 9, 9)
    assert (moved["start_index"], moved["end_index"]) == (0, 3)


def test_flat_and_typed_annotations_go_back_too_and_nonsense_does_not() -> None:
    flat = {"type": "file_path", "file_id": "f", "index": 2}
    typed = to_annotation(flat, 0)
    assert place_annotations([flat, typed, "nonsense"], 0, 9, 9) == [flat, flat]


def test_an_annotation_without_a_position_belongs_to_the_last_part() -> None:
    nowhere = {"type": "file_path", "file_path": {"file_id": "f"}}
    assert place_annotations([nowhere], 0, 4, 9) == []
    assert len(place_annotations([nowhere], 4, 9, 9)) == 1
    assert place_annotations(None, 0, 9, 9) == []
