from typing import Any

from azure_responses.types import ChatCompletionChunk

CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-5",
    "choices": [
        {
            "index": 0,
            "delta": {
                "tool_calls": [
                    {"index": 0, "id": "c1", "type": "function", "function": {"name": "f"}},
                    {"index": 1, "custom": {"input": "x"}},
                ],
                "hosted_events": [{"type": "response.web_search_call.searching"}],
            },
            "finish_reason": None,
        }
    ],
}


def test_a_chunk_comes_back_unchanged() -> None:
    chunk = ChatCompletionChunk.model_validate(CHUNK)
    assert chunk.to_dict() == CHUNK
    assert chunk["choices"][0]["delta"]["tool_calls"][1]["custom"]["input"] == "x"


def test_what_is_not_there_is_none() -> None:
    delta = ChatCompletionChunk.model_validate(CHUNK).choices[0].delta
    assert (delta.role, delta.content, delta.refusal) == (None, None, None)
