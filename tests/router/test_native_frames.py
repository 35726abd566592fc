"""Streams of chat completions and Messages as bytes: nothing lost, held back until output."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.router.native_frames import ChatFrames, MessagesFrames, native_frames

USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}


def chunk(delta: dict[str, Any] | None = None, reason: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    body = {"id": "chatcmpl-1", "model": "kimi-k2", "choices": choices, **more}
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
CHAT = b"".join(
    [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": f'part {number} of "model":"x" '}) for number in range(20)),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"error":1}'}}]}),
        chunk({}, "tool_calls"),
        chunk(None, usage=USAGE),
        DONE,
    ]
)


def run(state: ChatFrames | MessagesFrames, *chunks: bytes) -> bytes:
    return b"".join([*(state.receive(one) for one in chunks), state.end()])


def data_of(stream: bytes) -> list[Any]:
    frames = stream.decode().split("\n\n")
    assert frames.pop() == ""
    lines = [frame.split("\n")[-1].removeprefix("data: ") for frame in frames]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def renamed(stream: bytes, model: str) -> list[Any]:
    found = data_of(stream)
    for event in found:
        if "model" in event:
            event["model"] = model
    return found


def cut(stream: bytes, lengths: list[int]) -> list[bytes]:
    chunks = []
    for length in lengths:
        chunks.append(stream[:length])
        stream = stream[length:]
    return [*chunks, stream]


@settings(deadline=None)
@given(st.lists(st.integers(1, 900), max_size=30))
def test_how_the_chunks_are_cut_changes_nothing(lengths: list[int]) -> None:
    state = ChatFrames(model="my-group")
    assert data_of(run(state, *cut(CHAT, lengths))) == renamed(CHAT, "my-group")
    assert state.is_finished
    assert state.has_output
    assert state.response is not None
    assert state.response["model"] == "kimi-k2"
    assert state.response["usage"]["total_tokens"] == 14


def test_without_a_name_the_chunks_pass_as_they_came() -> None:
    assert run(ChatFrames(), CHAT) == CHAT.removesuffix(DONE)


def test_chunks_with_other_line_ends_are_read_too() -> None:
    state = ChatFrames(model="g")
    assert data_of(run(state, CHAT.replace(b"\n", b"\r\n"))) == renamed(CHAT, "g")


def test_usage_that_was_not_asked_for_is_counted_and_left_out() -> None:
    state = ChatFrames(drops_usage=True)
    assert all(event["choices"] for event in data_of(run(state, CHAT)))
    assert state.response is not None
    assert state.response["usage"]["input_tokens"] == 9


def test_nothing_is_handed_out_before_output() -> None:
    state = ChatFrames()
    assert state.receive(chunk(None, prompt_filter_results=[{"prompt_index": 0}])) == b""
    assert state.receive(chunk({"role": "assistant", "content": ""})) == b""
    assert not state.is_handed_out
    assert len(data_of(state.receive(chunk({"reasoning_content": "Hm"})))) == 3
    assert state.is_handed_out


def test_a_failure_before_output_leaves_nothing_to_hand_out() -> None:
    state = ChatFrames()
    state.receive(chunk({"role": "assistant", "content": ""}))
    assert state.receive(b'data: {"error":{"code":"429","message":"slow down"}}\n\n') == b""
    assert state.is_over
    assert state.failures[0]["error"]["code"] == "429"


def test_chunks_after_a_failure_are_not_read() -> None:
    state = ChatFrames()
    state.receive(chunk({"content": "Hi"}))
    assert state.receive(b'data: {"error":{"code":"500"}}\n\n' + chunk({"content": "b"})) == b""


def test_chunks_that_break_off_are_not_finished() -> None:
    state = ChatFrames()
    run(state, chunk({"content": "Hel"}))
    assert not state.is_settled


def test_chunks_end_without_a_mark_where_a_reason_was_given() -> None:
    state = ChatFrames()
    run(state, chunk({"content": "Hi"}), chunk({}, "stop"))
    assert state.is_finished


def test_a_mark_without_a_reason_does_not_finish() -> None:
    state = ChatFrames()
    state.receive(chunk({"content": "Hi"}) + DONE)
    assert state.is_over
    assert not state.is_settled


def test_an_answer_that_the_filter_left_empty_has_no_output() -> None:
    state = ChatFrames()
    given_out = run(state, chunk({"role": "assistant"}), chunk({}, "content_filter"), DONE)
    assert len(data_of(given_out)) == 2
    assert state.is_finished
    assert not state.has_output
    assert state.response is not None
    assert state.response["incomplete_details"] == {"reason": "content_filter"}


def test_a_chunk_that_names_two_models_is_read() -> None:
    state = ChatFrames(model="g")
    odd = chunk({"content": "a", "annotations": [{"model": "inner"}]})
    (_, event) = data_of(run(state, chunk({"content": "x"}), odd))
    assert event["model"] == "g"
    assert event["choices"][0]["delta"]["annotations"] == [{"model": "inner"}]


def test_data_that_is_not_json_is_damage() -> None:
    state = ChatFrames()
    run(state, b"data: <html>\n\n")
    assert state.damage is not None
    assert state.is_over


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def delta(text: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


START = event(
    "message_start",
    message={"id": "msg_1", "model": "claude-1", "usage": {"input_tokens": 9, "output_tokens": 1}},
)
STOP = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 12})
MESSAGES = b"".join(
    [
        START,
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("ping"),
        *(delta(f"part {number} ") for number in range(20)),
        event("content_block_stop", index=0),
        STOP,
        event("message_stop"),
    ]
)


@settings(deadline=None)
@given(st.lists(st.integers(1, 900), max_size=30))
def test_how_the_events_are_cut_changes_nothing(lengths: list[int]) -> None:
    state = MessagesFrames(model="my-group")
    expected = data_of(MESSAGES)
    expected[0]["message"]["model"] = "my-group"
    assert data_of(run(state, *cut(MESSAGES, lengths))) == expected
    assert state.is_finished
    assert state.response is not None
    assert state.response["model"] == "claude-1"
    assert state.response["usage"]["total_tokens"] == 21
    assert state.last_sequence_number is None


def test_no_event_is_handed_out_before_output() -> None:
    state = MessagesFrames()
    assert state.receive(START + event("ping")) == b""
    assert len(data_of(state.receive(delta("a")))) == 3


def test_an_error_event_is_a_failure_that_another_deployment_can_answer() -> None:
    state = MessagesFrames()
    error = {"type": "overloaded_error", "message": "Overloaded"}
    assert run(state, START, event("error", error=error)) == b""
    assert state.failures[0]["error"] == error
    assert state.is_over


def test_an_error_without_a_type_is_a_failure_too() -> None:
    state = MessagesFrames()
    run(state, b'data: {"error":{"message":"no"}}\n\n')
    assert len(state.failures) == 1


def test_events_after_an_error_are_not_read() -> None:
    state = MessagesFrames()
    state.receive(START + delta("a"))
    assert state.receive(event("error", error={"type": "api_error"}) + delta("b")) == b""


def test_a_refusal_without_output_is_not_handed_out_before_its_end() -> None:
    state = MessagesFrames()
    refusal = event("message_delta", delta={"stop_reason": "refusal"}, usage={})
    assert state.receive(START + refusal) == b""
    assert len(data_of(state.receive(event("message_stop")))) == 3
    assert not state.has_output


def test_events_without_data_are_passed_over() -> None:
    assert run(MessagesFrames(), b": keep-alive\n\n", b"event: ping\n\n") == b""


def test_an_event_without_a_stop_reason_says_nothing_of_the_status() -> None:
    state = MessagesFrames()
    run(state, START, event("message_delta", delta={}), event("message_delta"))
    assert state.response is not None
    assert "status" not in state.response


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_each_api_has_its_frames(api: Any) -> None:
    made = native_frames(api, model=None)
    assert isinstance(made, ChatFrames if api == "chat" else MessagesFrames)
    with pytest.raises(NotImplementedError):
        made.finish({})
    assert not made.expects_reason
    made.reconnect()
