"""Bytes of a stream, as recorded on Azure."""

import json
import re

import httpx
import pytest

from azure_responses.emulator import Emulator, Latency
from azure_responses.emulator.event_streams import chat_frames, frame
from tests.emulator.callers import create, event_types, events_of, open_client

CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Say hello"}]}


def test_a_frame_is_the_type_one_line_of_json_and_a_blank_line() -> None:
    assert frame({"type": "x", "a": "Olá\u2028\n"}) == (
        'event: x\ndata: {"type":"x","a":"Olá\u2028\\n"}\n\n'.encode()
    )


def test_every_frame_of_a_stream_has_that_form(client: httpx.Client) -> None:
    text = create(client, stream=True).text
    frames = text.split("\n\n")
    assert frames.pop() == ""
    for one in frames:
        kind, data = re.fullmatch(r"event: (\S+)\ndata: (\{.*\})", one).groups()  # type: ignore[union-attr]
        assert json.loads(data)["type"] == kind


@pytest.mark.parametrize("background", [True, False])
def test_a_responses_stream_never_says_done(client: httpx.Client, background: bool) -> None:
    assert "[DONE]" not in create(client, stream=True, background=background).text


def test_sequence_numbers_count_from_zero(client: httpx.Client) -> None:
    numbers = [event["sequence_number"] for event in events_of(create(client, stream=True))]
    assert numbers == list(range(len(numbers)))


def test_type_comes_first_and_sequence_number_last(client: httpx.Client) -> None:
    for event in events_of(create(client, stream=True)):
        assert next(iter(event)) == "type"
        assert list(event)[-1] == "sequence_number"


def test_content_filters_are_null_until_the_stream_completes(client: httpx.Client) -> None:
    first, second, *_, last = events_of(create(client, stream=True))
    assert first["response"]["content_filters"] is None
    assert second["response"]["content_filters"] is None
    assert isinstance(last["response"]["content_filters"], list)


def test_obfuscation_can_be_left_out(client: httpx.Client) -> None:
    padded = events_of(create(client, stream=True))
    options = {"include_obfuscation": False}
    plain = events_of(create(client, stream=True, stream_options=options))
    assert any("obfuscation" in event for event in padded)
    assert not any("obfuscation" in event for event in plain)


def test_a_chat_stream_is_bare_data_and_says_done(client: httpx.Client) -> None:
    reply = client.post("/openai/v1/chat/completions", json={**CHAT, "stream": True})
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "event:" not in reply.text
    assert reply.text.endswith("data: [DONE]\n\n")
    first = events_of(reply)[0]
    assert first["choices"] == []
    assert "prompt_filter_results" in first


def test_chat_frames_wait_where_they_are_told_to() -> None:
    steps = list(chat_frames([{"a": 1}, {"a": 2}], [0.0, 0.5]))
    assert [type(step).__name__ for step in steps] == ["bytes", "Pause", "bytes", "bytes"]


def test_a_chat_stream_takes_the_time_of_its_tokens(emulator: Emulator) -> None:
    slow = Emulator(clock=emulator.clock, latency=Latency(first_token=1.0, tokens_per_second=10))
    begin = emulator.clock.now()
    with open_client(slow) as client:
        client.post("/openai/v1/chat/completions", json={**CHAT, "stream": True})
        streamed = emulator.clock.now() - begin
        client.post("/openai/v1/chat/completions", json=CHAT)
    assert streamed > 1.0
    assert emulator.clock.now() - begin - streamed > 1.0


def test_a_stream_in_the_middle_of_which_the_server_fails_nests_its_error(
    emulator: Emulator, client: httpx.Client
) -> None:
    from azure_responses.emulator import Fault

    emulator.faults.add(Fault("stream-500", after_events=4))
    reply = create(client, stream=True)
    error = events_of(reply)[-1]
    assert len(event_types(reply)) == 5
    assert error["type"] == "error"
    assert error["error"]["type"] == "server_error"
    assert error["sequence_number"] == 4
