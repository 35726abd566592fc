"""One converted call: what it refers to, what is sent, what is read and stored."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from azure_responses.bridge.conversions import ConversionFactory, LazySealer
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.call_conversion import (
    CallConversion,
    History,
    Replay,
    is_stored_here,
    needs_replay,
    read_json,
    reply_bytes,
)
from azure_responses.protocol.conversion import Conversion

FACTORY = ConversionFactory(
    LazySealer("secret", bytes), lambda prefix: f"{prefix}1", lambda deployment: None
)
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "kimi",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    ],
}


def convert(parameters: Mapping[str, Any], warnings: list[str] | None = None) -> CallConversion:
    def make(given: Mapping[str, Any], now: float) -> Conversion:
        return FACTORY.make("responses", "chat", given, "kimi", now, drops_params=True)

    warn = None if warnings is None else warnings.append
    return CallConversion("responses", "chat", json.dumps(parameters).encode(), make, warn)


def message(text: str) -> dict[str, Any]:
    part = {"type": "input_text", "text": text}
    return {"type": "message", "id": "msg_1", "role": "user", "content": [part]}


def test_what_a_request_refers_to_is_found_before_it_is_written() -> None:
    references = [
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_2"},
        {"role": "user", "content": "x"},
        {"id": 3},
        "text",
    ]
    conversion = convert({"model": "kimi", "input": references, "previous_response_id": "resp_1"})
    assert conversion.previous_id == "resp_1"
    assert conversion.references == ["msg_1", "msg_2"]
    assert convert({"model": "kimi", "input": "x"}).references == []
    assert convert({"model": "kimi", "previous_response_id": 7}).previous_id is None


def test_the_history_and_the_items_referred_to_are_sent() -> None:
    conversion = convert({"model": "kimi", "input": [{"id": "msg_1"}], "previous_response_id": "r"})
    history = History([message("one")], {"msg_1": message("two")})
    sent = json.loads(conversion.write(history, 1.0))
    assert [one["content"] for one in sent["messages"]] == ["one", "two"]


def test_a_warning_is_told_once_and_kept() -> None:
    told: list[str] = []
    given = {"model": "kimi", "input": "x", "tools": [{"type": "web_search"}]}
    conversion = convert(given, told)
    for _ in range(2):
        conversion.write(History(), 1.0)
    assert len(told) == len(conversion.warnings) == 1
    silent = convert(given)
    silent.write(History(), 1.0)
    assert silent.warnings


@pytest.mark.parametrize("store", [None, True, False])
def test_a_finished_response_is_stored_unless_the_caller_said_otherwise(store: bool | None) -> None:
    conversion = convert({"model": "kimi", "input": "x", "store": store})
    earlier = message("earlier")
    conversion.write(History([earlier]), 1.0)
    final = conversion.read(json.dumps(COMPLETION).encode())
    stored = conversion.stored(final, 5.0)
    if store is False:
        assert stored is None
        return
    assert stored is not None
    assert stored.created_at == 5.0
    assert [item["role"] for item in stored.input_items] == ["user"]
    assert list(stored.history) == [earlier]
    assert conversion.stored({"id": None}, 5.0) is None


def test_a_reply_that_is_not_json_cannot_be_read() -> None:
    conversion = convert({"model": "kimi", "input": "x"})
    conversion.write(History(), 1.0)
    for content in (b"<html>", b"[]", b"{}"):
        with pytest.raises(ValueError):  # noqa: PT011
            conversion.read(content)


def test_a_request_is_shortened_once_for_each_time_it_is_written() -> None:
    turns = [{"role": "user", "content": f"turn {number}"} for number in range(4)]
    conversion = convert({"model": "kimi", "input": turns, "truncation": "auto"})
    for _ in range(2):
        whole = json.loads(conversion.write(History(), 1.0))
        shorter = conversion.shortened("too long")
        assert shorter is not None
        assert len(json.loads(shorter)["messages"]) < len(whole["messages"])
        assert conversion.shortened("too long") is None
    other = convert({"model": "kimi", "input": turns})
    other.write(History(), 1.0)
    assert other.shortened("too long") is None
    assert other.continued() is None


class _Pausing(Replay):
    continued: dict[str, Any] | None = None


def test_a_reply_that_pauses_is_continued_once() -> None:
    made: list[_Pausing] = []

    def make(given: Mapping[str, Any], now: float) -> Conversion:
        made.append(_Pausing(given))
        return made[0]

    content = b'{"previous_response_id":"resp_bridged_1","input":"x"}'
    conversion = CallConversion("responses", "responses", content, make)
    conversion.write(History(), 1.0)
    made[0].continued = {"go": "on"}
    assert conversion.continued() == b'{"go":"on"}'
    assert conversion.continued() is None


@pytest.mark.parametrize("given", ["new", [{"role": "user", "content": "new"}]])
def test_a_replay_sends_the_history_without_what_only_we_know(given: object) -> None:
    history: Sequence[Mapping[str, Any]] = [
        {"type": "message", "id": "msg_1", "role": "user", "content": "old", "status": "completed"},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "sealed"},
    ]
    replay = Replay({"model": "gpt", "input": given, "previous_response_id": "resp_bridged_1"})
    assert replay.write(history) == {
        "model": "gpt",
        "input": [
            {"type": "message", "role": "user", "content": "old"},
            {"role": "user", "content": "new"},
        ],
    }
    assert Replay({"previous_response_id": "r"}).write()["input"] == []
    assert replay.read({"id": "resp_1"}) == {"id": "resp_1"}
    assert replay.shortened() is None
    stream = replay.stream()
    assert stream.receive(b"data: {}\n\n") == b"data: {}\n\n"
    assert stream.end() == b""
    assert stream.final is None


def test_a_replay_leaves_out_reasoning_that_the_service_cannot_read() -> None:
    given = [
        {
            "type": "reasoning",
            "id": "rs_bridged_1",
            "summary": [],
            "encrypted_content": "arsealed1.x",
        },
        {"type": "message", "id": "msg_1", "role": "assistant", "content": []},
        {"type": "reasoning", "id": "rs_bridged_2", "content": [{"text": "So"}]},
        {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": "gAAAA"},
        {"type": "web_search_call", "id": "ws_bridged_1", "status": "completed"},
        "text",
    ]
    replay = Replay({"input": given})
    assert replay.write()["input"] == [
        {"type": "message", "role": "assistant", "content": []},
        *given[3:],
    ]
    assert len(replay.warnings) == 1
    assert "2×" in replay.warnings[0]


def test_an_item_of_ours_is_sent_to_the_service_in_place_of_its_reference() -> None:
    references: list[Any] = [
        {"type": "item_reference", "id": "msg_bridged_1"},
        {"type": "item_reference", "id": "msg_2"},
        {"type": "item_reference", "id": "rs_bridged_1"},
    ]
    content = json.dumps({"input": references, "previous_response_id": "resp_1"}).encode()
    conversion = CallConversion("responses", "responses", content, lambda one, _: Replay(one))
    assert conversion.references == ["msg_bridged_1", "rs_bridged_1"]
    assert conversion.previous_id is None
    stored = {**message("two"), "id": "msg_bridged_1", "status": "completed"}
    reasoning = {"type": "reasoning", "id": "rs_bridged_1", "summary": []}
    referenced = {"msg_bridged_1": stored, "rs_bridged_1": reasoning}
    sent = json.loads(conversion.write(History((), referenced), 1.0))
    assert sent["previous_response_id"] == "resp_1"
    assert "id" not in sent["input"][0]
    assert "status" not in sent["input"][0]
    assert sent["input"][1:] == references[1:2]


@pytest.mark.parametrize(
    ("item", "needs"),
    [
        ({"id": "msg_bridged_1"}, True),
        ({"type": "item_reference", "id": "msg_1"}, False),
        ({"type": "reasoning", "encrypted_content": "arsealed1.x"}, True),
        ({"type": "reasoning", "id": "rs_bridged_1"}, True),
        ({"type": "reasoning", "id": "rs_bridged_1", "encrypted_content": "gAAAA"}, False),
        ({"type": "message", "content": "arsealed1. is a prefix, _bridged_ is not"}, False),
        ("text", False),
    ],
)
def test_only_what_we_alone_know_needs_a_replay(item: object, needs: bool) -> None:
    assert needs_replay({"input": [item]}) is needs
    assert not needs_replay({"input": "arsealed1."})
    assert needs_replay({"previous_response_id": "resp_bridged_1", "input": [item]})


def test_ids_of_our_own_are_told_from_others() -> None:
    assert is_stored_here("resp_bridged_1")
    assert not is_stored_here("resp_1")
    assert not is_stored_here(None)


def test_json_with_half_a_surrogate_pair_is_read_and_written() -> None:
    body = read_json(b'{"text":"\\ud800"}')
    assert read_json(reply_bytes(body)) == body
    with pytest.raises(ValueError, match="not a JSON object"):
        read_json(b"1")


def test_half_a_surrogate_pair_is_refused_before_anything_is_sent() -> None:
    conversion = convert({"model": "kimi", "input": "half: \ud800"})
    with pytest.raises(ConfigurationError, match="half a surrogate pair"):
        conversion.write(History(), 1.0)


def test_the_word_nan_is_text_like_any_other() -> None:
    conversion = convert({"model": "kimi", "input": "NaN"})
    assert json.loads(conversion.write(History(), 1.0))["messages"][0]["content"] == "NaN"
