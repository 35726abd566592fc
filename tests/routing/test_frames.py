"""What a frame's bytes tell without parsing, and how they are put back together."""

import pytest

from azure_responses.routing.frames import LEAN, Frame, item_id_span, name_of


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (b"event: response.output_text.delta\ndata: {}\n\n", b"response.output_text.delta"),
        (b"event: error\r\ndata: {}\r\n\r\n", b"error"),
        (b'data: {"type":"error","code":1}\n\n', b"error"),
        (b'data: {"code":1}\n\n', None),
        (b": ping\n\n", None),
    ],
)
def test_a_name_is_read_where_it_usually_stands(frame: bytes, name: bytes | None) -> None:
    assert name_of(frame) == name


def test_deltas_are_lean_and_events_with_items_are_not() -> None:
    assert b"response.output_text.delta" in LEAN
    assert b"response.function_call_arguments.done" in LEAN
    assert not LEAN & {
        b"response.created",
        b"response.completed",
        b"response.output_item.done",
        b"response.content_part.done",
        b"response.output_text.annotation.added",
        b"error",
    }


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (b'data: {"item_id":"msg_1","delta":"x"}', b"msg_1"),
        (b'data: {"delta":"\\"item_id\\":\\"no\\"","item_id":"msg_1"}', b"msg_1"),
        (b'data: {"item_id":"msg\\u005f1"}', None),
        (b'data: {"item_id": "msg_1"}', None),
    ],
)
def test_the_items_id_is_found(frame: bytes, found: bytes | None) -> None:
    span = item_id_span(frame)
    assert (span and frame[slice(*span)]) == found


@pytest.mark.parametrize(
    "frame",
    [
        b": ping\n\n",
        b"data: [DONE]\n\n",
        b'event: keepalive\ndata: {"type":"keepalive","sequence_number":3}\n\n',
        b'data: {"id":"resp_1"\n\n',
        b'data: ["id"]\n\n',
        b'data: \xff "id"\n\n',
    ],
)
def test_a_frame_without_an_object_or_without_ids_is_not_taken_apart(frame: bytes) -> None:
    assert Frame.parse(frame) is None


@pytest.mark.parametrize(
    ("frame", "changed"),
    [
        (b'event: x\ndata: {"id":"a"}\n\n', b"event: x\ndata: NEW\n\n"),
        (b'data:{"id":\r\nid: 7\r\ndata:"a"}\r\n\r\n', b"data: NEW\r\nid: 7\r\n\r\n"),
        (b'data: {"id":"a"}', b"data: NEW"),
    ],
)
def test_data_is_replaced_and_other_lines_stay(frame: bytes, changed: bytes) -> None:
    parsed = Frame.parse(frame)
    assert parsed is not None
    assert parsed.value == {"id": "a"}
    assert parsed.with_data(b"NEW") == changed
