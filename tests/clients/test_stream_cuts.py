"""Streams that end before their answer does, over deployments of every API."""

import json

import httpx
import pytest

from azure_responses import AzureResponses
from azure_responses.errors import StreamInterruptedError

_CHAT = [
    {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "kimi-k2.5",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}],
    }
]
_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [],
    "model": "claude-sonnet-4-5",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_MESSAGES = [
    {"type": "message_start", "message": _MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Hi"},
    },
]


@pytest.mark.parametrize(
    ("model", "events"), [("kimi-k2.5", _CHAT), ("claude-sonnet-4-5", _MESSAGES)]
)
def test_a_cut_stream_of_a_converted_call_is_an_interruption(
    model: str, events: list[object]
) -> None:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    reply = httpx.Response(200, headers={"content-type": "text/event-stream"}, text=body)
    transport = httpx.MockTransport(lambda _request: reply)
    with (
        httpx.Client(transport=transport) as http_client,
        AzureResponses(
            endpoint="https://r.services.ai.azure.com",
            api_key="k" * 32,
            http_client=http_client,
            max_retries=0,
        ) as client,
    ):
        stream = client.responses.create(model=model, input="Hello", stream=True)
        with pytest.raises(StreamInterruptedError) as caught:
            list(stream)
    assert caught.value.partial is not None
    assert caught.value.partial.output_text == "Hi"
