"""An answer that cannot be read is an error that says what of it."""

from typing import Any

import pytest

from azure_responses.errors import UnreadableResponseError
from azure_responses.protocol.decode import check_readable, has_answer
from azure_responses.types import InputItemList, Response
from azure_responses.types.mending import mend

TEXT = {"type": "output_text", "text": "a"}
MESSAGE = {"type": "message", "id": "m", "role": "assistant", "content": [TEXT]}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def _response(**fields: Any) -> Response:
    response = mend(Response, {"id": "r", "status": "completed", **fields})
    assert response is not None
    return response


@pytest.mark.parametrize(
    ("output", "place"),
    [
        (None, "output is null"),
        ("text", "output is a string"),
        (7, "output is a number"),
        (True, "output is a boolean"),
        ({}, "output is an object"),
        ([None], r"output\[0\] is null"),
        ([{**MESSAGE, "content": None}], r"output\[0\]\.content is null"),
        ([{**MESSAGE, "content": [["x"]]}], r"output\[0\]\.content\[0\] is a list"),
        ([{"type": "message", "id": "m"}], r"output\[0\]\.content is missing"),
        ([{**MESSAGE, "content": [{"type": "output_text"}]}], r"content\[0\]\.text is missing"),
        ([{**MESSAGE, "content": [{"type": "refusal", "refusal": 1}]}], r"\.refusal is a number"),
        ([{**MESSAGE, "content": [{"type": None}]}], r"content\[0\]\.type is null"),
        ([{**CALL, "arguments": None}], r"output\[0\]\.arguments is null"),
        ([{"type": 7}], r"output\[0\]\.type is a number"),
    ],
)
def test_the_error_names_what_cannot_be_read(output: Any, place: str) -> None:
    response = _response(output=output)
    with pytest.raises(UnreadableResponseError, match=place) as caught:
        check_readable(response)
    assert caught.value.response is response


@pytest.mark.parametrize("status", ["completed", "incomplete", None, 7, "new"])
def test_whatever_else_the_status_says_an_answer_is_due(status: Any) -> None:
    with pytest.raises(UnreadableResponseError):
        check_readable(_response(output=None, status=status))


@pytest.mark.parametrize("status", ["queued", "in_progress", "failed", "cancelled"])
def test_no_answer_is_missed_where_none_is_due(status: str) -> None:
    check_readable(_response(output=None, status=status))


@pytest.mark.parametrize(
    "output",
    [
        [],
        [MESSAGE, {**MESSAGE, "content": None}],
        [CALL, None],
        [{**MESSAGE, "content": []}],
        [{**MESSAGE, "content": [{"type": "refusal", "refusal": ""}]}],
        [{**MESSAGE, "content": [{"type": "hologram", "light": 1}]}],
        [{"type": "telepathy"}],
    ],
)
def test_what_can_be_read_or_is_simply_empty_is_no_error(output: Any) -> None:
    check_readable(_response(output=output))


def test_text_in_a_part_of_an_unknown_type_is_read_where_there_is_no_other() -> None:
    part = {"type": "rich_text", "text": "b", "bold": True}
    alone = _response(output=[{**MESSAGE, "content": [part, {"type": "hologram"}]}])
    check_readable(alone)
    assert alone.output_text == "b"
    assert alone.to_dict()["output"][0]["content"][0] == part
    beside = _response(output=[{**MESSAGE, "content": [TEXT, part]}])
    check_readable(beside)
    assert beside.output_text == "a"


@pytest.mark.parametrize(
    "item",
    [
        {"type": "super_message", "id": "x", "text": "b"},
        {"type": "super_message", "content": [TEXT | {"text": "b"}], "role": "assistant"},
        {"type": "super_message", "content": [{"type": "rich_text", "text": "b"}]},
        {"type": "super_message", "content": "b", "text": 7},
        {"type": "message", "id": "m", "role": "assistant", "content": ["b"]},
    ],
)
def test_text_in_an_item_of_an_unknown_type_is_read_where_there_is_no_other(item: Any) -> None:
    alone = _response(output=[{"type": "telepathy"}, item])
    check_readable(alone)
    assert alone.output_text == "b"
    assert alone.to_dict()["output"] == [{"type": "telepathy"}, item]
    beside = _response(output=[item, MESSAGE])
    check_readable(beside)
    assert beside.output_text.endswith("a")


@pytest.mark.parametrize("kind", ["future_call", "future_call_output", "reasoning", 7])
def test_text_of_tools_and_reasoning_is_never_an_answer(kind: Any) -> None:
    item = {"type": kind, "text": "b", "summary": []}
    response = _response(output=[item, {"type": "telepathy"}], status="completed")
    if kind != 7:
        check_readable(response)
    assert response.output_text == ""


@pytest.mark.parametrize(
    "output", [{"output": []}, {"output": None}, {}, {"output": [{"type": "reasoning"}]}]
)
def test_the_text_beside_an_output_without_one_is_read(output: Any) -> None:
    response = _response(**output, output_text="b")
    check_readable(response)
    assert response.output_text == "b"
    assert response.to_dict() == {"id": "r", "status": "completed", "output_text": "b", **output}
    with_both = _response(output=[MESSAGE], output_text="b")
    check_readable(with_both)
    assert with_both.output_text == "a"


def test_the_end_of_a_stream_need_not_repeat_the_output() -> None:
    bare = _response()
    check_readable(bare, [])
    with pytest.raises(UnreadableResponseError, match="output is missing"):
        check_readable(bare)
    with pytest.raises(UnreadableResponseError, match=r"response\.output_text\.delta"):
        check_readable(bare, ["response.output_text.delta"])


def test_a_page_without_its_list_cannot_be_read() -> None:
    with pytest.raises(UnreadableResponseError, match="data is missing"):
        check_readable(InputItemList.model_validate({"object": "list"}))
    check_readable(InputItemList.model_validate({"data": []}))


def test_an_answer_is_text_a_refusal_or_a_call() -> None:
    assert has_answer(_response(output=[CALL]))
    assert not has_answer(_response(output=[{"type": "reasoning", "summary": []}]))


def test_only_what_cannot_be_read_of_a_list_is_named() -> None:
    message = {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "x"}, 3]}
    odd = {"type": "compaction", "encrypted_content": 5, "created_by": 5}
    output = [{"type": "reasoning", "id": "r", "summary": []}, 7, message, odd]
    with pytest.raises(UnreadableResponseError) as caught:
        check_readable(_response(output=output))
    assert "output[1] is a number" in str(caught.value)
    assert "encrypted_content" in str(caught.value)
    assert "created_by" not in str(caught.value)


def test_what_cannot_be_read_is_named_by_its_place_in_what_arrived() -> None:
    odd = {"type": "compaction", "encrypted_content": 5}
    part = {"type": "output_text", "text": 5}
    message = {"type": "message", "id": "m", "role": "assistant", "content": [3, part]}
    with pytest.raises(UnreadableResponseError) as caught:
        check_readable(_response(output=[7, odd, message]))
    for place in ("output[0] is", "output[1].encrypted_content", "output[2].content[0] is"):
        assert place in caught.value.message
    assert "output[2].content[1].text" in caught.value.message
