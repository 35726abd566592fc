"""The cost of a batch on a batch deployment at its end: one call at the price of batches.

Azure's batch object need not say how many tokens were used; then the answers themselves do.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from pydantic_core import from_json

from azure_responses.batches.lines import LineSplitter
from azure_responses.batches.results import BatchTokens, read_result
from azure_responses.call_options import new_call_id
from azure_responses.openai_server import ApiReply, ApiRequest, AsyncOpenAIServer

__all__ = ["is_batch", "pieces_of", "read_batch", "used_by"]


def is_batch(name: str) -> bool:
    """True for the service's id of a batch."""
    return name.startswith("batch_")


def read_batch(reply: ApiReply[Any]) -> dict[str, Any] | None:
    """The batch of a reply; None if the reply has none."""
    if reply.status != 200 or not isinstance(reply.body, bytes):
        return None
    found = from_json(reply.body)
    return found if isinstance(found, dict) else None


async def used_by(
    server: AsyncOpenAIServer, batch: Mapping[str, Any], owner: str | None
) -> dict[str, Any] | None:
    """A batch that has ended as a response that used its tokens; None where they cannot be read.

    Its tier is "batch", by which its price is found.
    """
    usage = batch.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    if not total:
        read = await _usage_of_answers(server, batch, owner)
        if read is None:
            return None
        usage = read.to_dict()
    # `expired` is an end too, and what was answered until then is billed.
    return {
        "id": batch.get("id"),
        "object": "response",
        "background": True,
        "status": "completed",
        "service_tier": "batch",
        "usage": usage,
    }


async def _usage_of_answers(
    server: AsyncOpenAIServer, batch: Mapping[str, Any], owner: str | None
) -> BatchTokens | None:
    file_id = batch.get("output_file_id")
    if not file_id:
        # Nothing was answered.
        return BatchTokens()
    path = f"/v1/files/{file_id}/content"
    reply = await server.handle(ApiRequest("GET", path, owner=owner, call_id=new_call_id()))
    if reply.status != 200:
        return None
    sums, splitter = [0, 0, 0, 0], LineSplitter()
    async for piece in pieces_of(reply.body):
        for line in splitter.feed(piece):
            _add(sums, line)
    for line in splitter.end():
        _add(sums, line)
    return BatchTokens(*sums)


async def pieces_of(body: Any) -> AsyncGenerator[bytes, None]:
    """The bytes of a reply, whole or as they arrive."""
    if isinstance(body, bytes):
        yield body
        return
    async with aclosing(body) as pieces:
        async for piece in pieces:
            yield piece


def _add(sums: list[int], line: bytes) -> None:
    result = read_result(line)
    if result is not None:
        usage = result.usage()
        for place, tokens in enumerate((usage.input, usage.cached, usage.output, usage.reasoning)):
            sums[place] += tokens
