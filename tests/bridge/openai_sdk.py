"""The openai package as a reader of the completions that the conversions write."""

import json
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

__all__ = ["read_completion", "stream_completion"]

_ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def _client(body: bytes, kind: str) -> openai.OpenAI:
    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=body, headers={"content-type": kind})

    transport = httpx2.MockTransport(reply)
    return openai.OpenAI(api_key="k", http_client=httpx2.Client(transport=transport))


def stream_completion(body: bytes) -> dict[str, Any]:
    """The completion that the openai package adds up from a stream."""
    with _client(body, "text/event-stream").chat.completions.stream(**_ASKED) as stream:
        for event in stream:
            if event.type == "chunk":
                ChatCompletionChunk.model_validate(event.chunk.to_dict())
        completion: dict[str, Any] = stream.get_final_completion().to_dict()
        return completion


def read_completion(body: dict[str, Any]) -> dict[str, Any]:
    """The completion that the openai package reads in a reply."""
    ChatCompletion.model_validate(body)
    client = _client(json.dumps(body).encode(), "application/json")
    completion: dict[str, Any] = client.chat.completions.create(**_ASKED).to_dict()
    return completion
