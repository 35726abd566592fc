"""Bare HTTP callers of an emulator, so that tests see exactly what is on the wire."""

import json
from typing import Any

import httpx

from azure_responses.emulator import Emulator

__all__ = ["BEGIN", "V1", "create", "event_types", "events_of", "open_client"]

BEGIN = 1_790_000_000.0
V1 = "/openai/v1/responses"


def open_client(
    emulator: Emulator, endpoint: str | None = None, key: str | None = None
) -> httpx.Client:
    """A client of the emulator with its key; an empty key sends none."""
    chosen = emulator.api_key if key is None else key
    return httpx.Client(
        transport=emulator.httpx_transport(),
        base_url=endpoint or emulator.endpoint,
        headers={"api-key": chosen} if chosen else {},
    )


def create(client: httpx.Client, **fields: Any) -> httpx.Response:
    """POST a response on the v1 surface; model and input have defaults."""
    return client.post(V1, json={"model": "gpt-4.1", "input": "Say hello", **fields})


def events_of(reply: httpx.Response) -> list[dict[str, Any]]:
    """The JSON of every `data:` line but `[DONE]`."""
    lines = (line.removeprefix("data: ") for line in reply.text.split("\n") if line[:5] == "data:")
    return [json.loads(line) for line in lines if line != "[DONE]"]


def event_types(reply: httpx.Response) -> list[str]:
    return [event["type"] for event in events_of(reply)]
