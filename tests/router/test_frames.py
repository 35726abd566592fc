"""Streams as bytes: nothing lost, ids replaced everywhere, held back until there is output."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.router.frames import FrameStream, encode_frame
from tests.benchmarks.bodies import encode_event, make_response, make_stream


class Labels:
    """Puts `L-` before the ids of responses and items."""

    def label(self, value: dict[str, Any]) -> dict[str, Any]:
        for holder in (value, value.get("item"), value.get("response")):
            if isinstance(holder, dict):
                for name in ("id", "item_id"):
                    if isinstance(holder.get(name), str):
                        holder[name] = f"L-{holder[name]}"
        for item in (value.get("response") or {}).get("output", []):
            item["id"] = f"L-{item['id']}"
        return value


STREAM = b"".join(make_stream(20))


def run(state: FrameStream, *chunks: bytes) -> bytes:
    return b"".join([*(state.receive(chunk) for chunk in chunks), state.end()])


def events(data: bytes) -> list[dict[str, Any]]:
    frames = data.decode().split("\n\n")
    assert frames.pop() == ""
    parsed = []
    for frame in frames:
        name, line = frame.split("\n")
        event = json.loads(line.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        parsed.append(event)
    return parsed


def labelled(data: bytes) -> list[dict[str, Any]]:
    return [Labels().label(event) for event in events(data)]


def test_a_whole_stream_passes_with_labels() -> None:
    state = FrameStream(Labels())
    assert events(run(state, STREAM)) == labelled(STREAM)
    assert state.is_finished
    assert state.is_over
    assert state.response is not None
    assert state.response["usage"]["total_tokens"] == 71
    assert state.last_sequence_number == 27


@settings(deadline=None)
@given(st.lists(st.integers(1, 4000), max_size=30))
def test_how_the_bytes_are_cut_changes_nothing(lengths: list[int]) -> None:
    chunks, rest = [], STREAM
    for length in lengths:
        chunks.append(rest[:length])
        rest = rest[length:]
    state = FrameStream(Labels())
    assert events(run(state, *chunks, rest)) == labelled(STREAM)


@settings(deadline=None)
@given(st.integers(1, 40))
def test_other_line_ends_change_nothing(length: int) -> None:
    odd = STREAM.replace(b"\n", b"\r\n")
    chunks = [odd[at : at + length] for at in range(0, len(odd), length)]
    assert events(run(FrameStream(Labels()), *chunks)) == labelled(STREAM)


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_no_byte_is_lost_between_short_pieces(length: int) -> None:
    frames = list(make_stream(3))
    chunks = [frame[at : at + length] for frame in frames for at in range(0, len(frame), length)]
    assert events(run(FrameStream(Labels()), *chunks)) == labelled(b"".join(frames))


def test_deltas_pass_byte_for_byte_but_for_their_ids() -> None:
    state = FrameStream(Labels())
    opening, deltas = b"".join(list(make_stream(3))[:5]), b"".join(list(make_stream(9))[5:13])
    state.receive(opening)
    assert state.receive(deltas) == deltas.replace(b'"item_id":"', b'"item_id":"L-')


def test_text_that_looks_like_an_id_is_left_alone() -> None:
    state = FrameStream(Labels())
    state.receive(b"".join(list(make_stream(1))[:5]))
    item = "msg_0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    frame = encode_event(
        9, "response.output_text.delta", item_id=item, delta=f'"item_id":"{item}"', logprobs=[]
    )
    (event,) = events(state.receive(frame))
    assert event["delta"] == f'"item_id":"{item}"'
    assert event["item_id"] == f"L-{item}"


def test_a_delta_of_an_item_never_seen_has_its_label_too() -> None:
    state = FrameStream(Labels())
    state.receive(b"".join(list(make_stream(1))[:5]))
    for number in range(2):
        frame = encode_event(number, "response.x.delta", item_id="msg_new", delta="a")
        assert events(state.receive(frame))[0]["item_id"] == "L-msg_new"
    spaced = b'event: response.x.delta\ndata: {"type": "response.x.delta", "item_id": "msg_b"}\n\n'
    assert events(state.receive(spaced))[0]["item_id"] == "L-msg_b"


def test_what_opens_a_response_is_held_back_until_output() -> None:
    frames = list(make_stream(1))
    state = FrameStream(Labels())
    assert state.receive(frames[0]) == b""
    assert state.receive(frames[1]) == b""
    before = state.is_handed_out
    assert len(events(state.receive(frames[2]))) == 3
    assert (before, state.is_handed_out) == (False, True)


def test_a_queued_background_response_is_shown_at_once() -> None:
    response = make_response(status="queued", output=[])
    state = FrameStream(Labels(), is_background=True)
    assert state.receive(encode_event(0, "response.created", response=response)) == b""
    shown = events(state.receive(encode_event(1, "response.queued", response=response)))
    assert [event["type"] for event in shown] == ["response.created", "response.queued"]


def test_the_model_is_named_as_the_caller_named_it() -> None:
    told = events(run(FrameStream(Labels(), model="my-group"), STREAM))
    models = {event["response"]["model"] for event in told if "response" in event}
    assert models == {"my-group"}


FAILED = encode_event(
    1,
    "response.failed",
    response=make_response(status="failed", error={"code": "rate_limit_exceeded", "message": "x"}),
)
CREATED = encode_event(0, "response.created", response=make_response(status="in_progress"))


def test_a_failure_before_output_is_kept_back() -> None:
    state = FrameStream(Labels())
    assert run(state, CREATED, FAILED) == b""
    assert state.is_over
    assert len(state.failures) == 1
    assert [e["type"] for e in events(state.release())] == ["response.created", "response.failed"]


def test_an_unexplained_failure_waits_for_its_explanation() -> None:
    bare = encode_event(1, "response.failed", response=make_response(status="failed"))
    state = FrameStream(Labels())
    state.receive(CREATED + bare)
    before = state.is_over
    state.receive(encode_event(2, "error", code="rate_limit_exceeded", message="x"))
    assert (before, state.is_over) == (False, True)
    waiting = FrameStream(Labels())
    waiting.receive(CREATED + bare)
    for number in range(8):
        assert not waiting.is_over
        waiting.receive(encode_event(number, "response.other"))
    assert waiting.is_over


def test_a_failure_after_output_is_passed_on() -> None:
    state = FrameStream(Labels())
    out = run(state, b"".join(list(make_stream(1))[:5]), FAILED)
    assert events(out)[-1]["type"] == "response.failed"


@pytest.mark.parametrize("data", [b"data: [DONE]\n\n", b": ping\n\n", b"data:\n\n", b"\n\n"])
def test_what_is_no_event_is_left_out(data: bytes) -> None:
    state = FrameStream(Labels())
    assert run(state, data + STREAM + data) == run(FrameStream(Labels()), STREAM)
    assert state.damage is None


def test_data_that_is_not_json_breaks_the_stream() -> None:
    state = FrameStream(Labels())
    assert state.receive(b"data: <html>\n\n" + STREAM) == b""
    assert state.is_over


def test_an_event_cut_in_its_middle_is_dropped() -> None:
    whole, rest = STREAM[:-2], STREAM[:-20]
    assert events(run(FrameStream(Labels()), whole)) == labelled(STREAM)
    state = FrameStream(Labels())
    assert events(run(state, rest)) == labelled(STREAM)[:-1]
    assert not state.is_finished
    odd = FrameStream(Labels())
    assert len(events(run(odd, whole.replace(b"\n", b"\r\n")))) == 28


def test_events_without_names_get_that_of_their_type() -> None:
    frame = b'data: {"type": "response.new.kind", "sequence_number": 3}\n\n'
    (event,) = events(FrameStream(Labels()).receive(frame))
    assert event["type"] == "response.new.kind"
    odd = FrameStream(Labels()).receive(b'data: {"type": 3}\r\n\r\n')
    assert odd == b'event: message\ndata: {"type":3}\n\n'


def test_an_event_of_several_lines_is_one() -> None:
    frame = b'event: a\ndata: {"type":\ndata: "a"}\n\n'
    assert FrameStream(Labels()).receive(frame) == b'event: a\ndata: {"type":"a"}\n\n'


def test_a_large_event_in_small_chunks_is_joined_once() -> None:
    frame = encode_event(1, "response.x.done", text="y" * 200_000)
    state = FrameStream(Labels())
    pieces = [state.receive(frame[at : at + 512]) for at in range(0, len(frame), 512)]
    assert b"".join(pieces) == frame
    assert sum(map(bool, pieces)) == 1


def test_a_frame_is_named_after_its_type() -> None:
    assert encode_frame(None, {"type": "a"}) == b'event: a\ndata: {"type":"a"}\n\n'


def test_an_event_cut_in_its_middle_has_not_arrived() -> None:
    whole = b'event: a\ndata: {"type":"a","sequence_number":%d,"delta":"x"}\n\n'
    stream = FrameStream(Labels())
    stream.receive(whole % 6 + (whole % 7)[:-12])
    assert stream.end() == b""
    # Whoever reads on from here must be sent the event again.
    assert stream.last_sequence_number == 6
    stream.reconnect()
    assert stream.receive(whole % 7) == whole % 7
    assert stream.receive((whole % 8)[:-2]) == b""
    assert stream.end() == whole % 8
    assert stream.last_sequence_number == 8


@pytest.mark.parametrize("data", [b"null", b'"ping"', b"[1]"])
def test_json_that_is_no_event_breaks_nothing(data: bytes) -> None:
    state = FrameStream(Labels())
    assert events(run(state, b"data: " + data + b"\n\n", STREAM)) == labelled(STREAM)
    assert (state.damage, state.is_finished) == (None, True)


def test_a_bare_error_of_a_proxy_is_the_failure_of_the_stream() -> None:
    state = FrameStream(Labels())
    error = {"code": "429", "message": "slow down"}
    frame = f"data: {json.dumps({'error': error})}\n\n".encode()
    told = run(state, b"".join(list(make_stream(1))[:5]), frame)
    assert events(told)[-1] == {"type": "error", "error": error}
    assert state.is_over
    assert state.failures == [{"type": "error", "error": error}]
