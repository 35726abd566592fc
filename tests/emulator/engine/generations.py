"""Turns for the tests of the engine: a fixed time, a fixed seed, a fixed key."""

from typing import Any

from azure_responses.emulator.engine import GeneratedResponse, Generation, create_response
from azure_responses.emulator.model_catalog import find_model
from azure_responses.emulator.opaque_values import IdentifierMint, ReasoningCipher

__all__ = ["NOW", "ask", "make_generation", "said"]

NOW = 1_790_000_000
_OF_GENERATION = (
    "history",
    "headers",
    "dated",
    "find_file",
    "search",
    "chunking",
    "prefixes",
)


def make_generation(
    body: dict[str, Any] | None = None, seed: str = "seed", key: bytes = b"key", **given: Any
) -> Generation:
    """A turn; keywords that are no field of it go into the request body."""
    fields = {name: given.pop(name) for name in _OF_GENERATION if name in given}
    request = {"model": "gpt-4.1", **(body or {}), **given}
    return Generation(
        request=request,
        deployment=request["model"],
        model=find_model(request["model"]),
        created_at=NOW,
        identifiers=IdentifierMint(seed, lambda: float(NOW)),
        cipher=ReasoningCipher(key),
        **fields,
    )


def ask(prompt: Any = "", **given: Any) -> GeneratedResponse:
    """The answer to a prompt or to input items."""
    return create_response(make_generation(input=prompt, **given))


def said(prompt: Any, **given: Any) -> str:
    """The text of the answer."""
    return "".join(
        str(part.get("text", part.get("refusal")))
        for item in ask(prompt, **given).response["output"]
        if item["type"] == "message"
        for part in item["content"]
    )
