import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.message_events import (
    MessageEventWriter,
    empty_usage,
    error_type,
    parse_object,
    read_input,
    text_start,
)

from .anthropic_sdk import check_events, events, read_message, stream_message


def _started() -> MessageEventWriter:
    writer = MessageEventWriter()
    writer.start("msg_1", "gpt-5", {"input_tokens": 3})
    return writer


def _tool(number: int) -> dict[str, object]:
    return {"type": "tool_use", "id": f"call_{number}", "name": "f", "input": {}}


def test_a_message_has_anthropics_events_in_order() -> None:
    writer = _started()
    text = writer.open(text_start(), ends_itself=True)
    writer.add(text, "text", "Hé")
    writer.finish("end_turn", {"output_tokens": 2})
    body = writer.take()
    check_events(body)
    assert [event["type"] for event in events(body)] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert writer.final is not None
    assert stream_message(body) == read_message(writer.final) == writer.final
    assert writer.take() == b""


def test_a_block_waits_until_the_one_before_it_is_closed() -> None:
    writer = _started()
    first, second, third = (writer.open(_tool(number)) for number in range(3))
    writer.add(second, "json", '{"b":')
    writer.add(third, "json", "{}")
    writer.add(first, "json", '{"a":1}')
    writer.close(third)
    writer.add(second, "json", "2}")
    assert all(event.get("index", 0) == 0 for event in events(writer.take()))
    writer.close(first)
    writer.close(second)
    later = [event["index"] for event in events(writer.take())]
    assert later == [0, 1, 1, 1, 1, 2, 2, 2]
    writer.finish("tool_use", empty_usage())
    assert writer.final is not None
    assert [block["input"] for block in writer.final["content"]] == [{"a": 1}, {"b": 2}, {}]


def test_a_block_that_ends_itself_is_closed_by_the_next() -> None:
    writer = _started()
    text = writer.open(text_start(), ends_itself=True)
    writer.open(_tool(0))
    assert text.is_closed
    writer.finish("tool_use", {})
    check_events(writer.take())


def test_an_error_ends_the_stream_without_a_message() -> None:
    writer = _started()
    writer.fail("overloaded_error", "Busy")
    assert events(writer.take())[-1] == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Busy"},
    }
    assert writer.final is None
    assert writer.is_over


def test_half_a_surrogate_pair_does_not_break_the_stream() -> None:
    writer = _started()
    writer.add(writer.open(text_start()), "text", "\ud83d")
    writer.finish("end_turn", {})
    check_events(writer.take())


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ("", {}),
        ('{"a": [1, 2', {"a": [1, 2]}),
        ("[1]", {"invalid_json": "[1]"}),
        ("not json", {"invalid_json": "not json"}),
    ],
)
def test_arguments_become_an_object_whatever_the_model_wrote(
    arguments: str, value: dict[str, object]
) -> None:
    assert read_input(arguments) == value


def test_only_objects_are_events() -> None:
    assert parse_object(b'{"a":1}') == {"a": 1}
    assert parse_object(b"[DONE]") is None
    assert parse_object(b"[1]") is None


def test_codes_of_errors_become_anthropics_types() -> None:
    assert error_type("rate_limit_exceeded") == "rate_limit_error"
    assert error_type(429) == "rate_limit_error"
    assert error_type("server_error") == "api_error"
    # Each code that stands for a 400 is of an invalid request.
    assert error_type("context_length_exceeded") == "invalid_request_error"
    assert error_type("previous_response_not_found") == "invalid_request_error"


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["add", "close"])), max_size=40))
def test_blocks_never_overlap_however_their_pieces_come(steps: list[tuple[int, str]]) -> None:
    writer = _started()
    blocks = [writer.open(text_start()) for _ in range(4)]
    for number, step in steps:
        if step == "close":
            writer.close(blocks[number])
        elif not blocks[number].is_closed:
            writer.add(blocks[number], "text", " ")
    writer.finish("end_turn", {})
    body = writer.take()
    check_events(body)
    assert stream_message(body) == writer.final
