"""Chunks that differ only by their text are recognised without parsing them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.responses_over_chat.chunk_pattern import ChunkPattern

from .cases import chunk, stream


def _data(body: Any, after_colon: str = "") -> bytes:
    return json.dumps(body, separators=(",", f":{after_colon}")).encode()


def _learned(body: dict[str, Any]) -> ChunkPattern:
    pattern = ChunkPattern()
    pattern.learn(_data(body), body)
    return pattern


@pytest.mark.parametrize("field", ["content", "reasoning_content"])
@pytest.mark.parametrize("text", ["one", 'a "b" \\ \n', "ä", "😀"])
def test_the_text_of_a_chunk_like_the_last_is_read(field: str, text: str) -> None:
    pattern = _learned(chunk(**{field: "first"}))
    assert pattern.match(_data(chunk(**{field: text}))) == text
    assert pattern.field == field


def test_a_server_may_write_a_space_after_the_colon() -> None:
    first, second = chunk(content="first"), chunk(content="second")
    pattern = ChunkPattern()
    pattern.learn(_data(first, " "), first)
    assert pattern.match(_data(second, " ")) == "second"
    assert pattern.match(_data(second)) is None


@pytest.mark.parametrize(
    "other",
    [
        chunk("stop", content="a"),
        chunk(content=""),
        chunk(content=None),
        chunk(content="a", tool_calls=[]),
        chunk(reasoning_content="a"),
        {**chunk(content="a"), "usage": {"prompt_tokens": 1}},
        {**chunk(content="a"), "id": "chatcmpl-2"},
        {},
    ],
)
def test_a_chunk_that_says_anything_else_is_not_of_the_pattern(other: dict[str, Any]) -> None:
    assert _learned(chunk(content="first")).match(_data(other)) is None
    assert ChunkPattern().match(_data(other)) is None


def test_more_than_one_string_between_the_sides_is_not_text() -> None:
    pattern = _learned(chunk(content="first"))
    data = _data(chunk(content="X"))
    for inside in (b'a","x":"b', b'a"', b"\\", b"\n", b"\\ud83d"):
        assert pattern.match(data.replace(b'"X"', b'"' + inside + b'"')) is None


@pytest.mark.parametrize(
    "body",
    [
        chunk("stop", content="a"),
        chunk(content=""),
        chunk(content=["a"]),
        chunk(content="a", refusal="b"),
        chunk(refusal="a"),
        chunk(content="\ud83d"),
        {**chunk(content="a"), "usage": {"prompt_tokens": 1}},
        {"choices": [{"index": 1, "delta": {"content": "a"}}]},
        {"choices": [{"delta": {"content": "a"}, "logprobs": {"content": []}}]},
        {"choices": [{}]},
        {"choices": []},
        {**chunk(content="a"), "x": {"content": "a"}},
    ],
)
def test_only_a_chunk_of_text_alone_is_learned(body: dict[str, Any]) -> None:
    assert _learned(body).match(_data(body)) is None


def test_a_server_whose_chunks_all_differ_is_not_learned_from_for_ever() -> None:
    pattern = ChunkPattern()
    for number in range(40):
        body = {**chunk(content="a"), "id": f"chatcmpl-{number}"}
        pattern.learn(_data(body), body)
    assert pattern.match(_data({**chunk(content="b"), "id": "chatcmpl-39"})) is None


_texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=6)


@given(_texts, st.sampled_from(["content", "reasoning_content"]))
def test_a_stream_says_what_its_chunks_say(texts: list[str], field: str) -> None:
    chunks = [chunk(**{field: text}) for text in texts]
    events = stream([chunk(role="assistant", content=""), *chunks, chunk("stop")])
    deltas = [event["delta"] for event in events if event["type"].endswith("_text.delta")]
    assert deltas == [text for text in texts if text]
