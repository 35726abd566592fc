"""Embeddings: vectors that are near each other where texts share words."""

import re
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.operations.deployed import on_deployment, spend
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import (
    invalid_request,
    invalid_type,
    invalid_value,
    missing_parameter,
    too_many,
    unsupported_parameter,
)
from azure_responses.emulator.tokens import count_text
from azure_responses.emulator.validation.shapes import Integer

__all__ = ["create"]

# OpenAI's reference.
_MOST_INPUTS, _MOST_TOKENS = 2048, 8192


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /embeddings`."""
    return on_deployment(call, "embeddings", _create_on)


def _create_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    body = call.body
    inputs = _read_input(body)
    dimensions = _read_dimensions(body, deployment.model_name)
    encoding = body.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise invalid_value("encoding_format", encoding, ("float", "base64"))
    counts = [len(one) if isinstance(one, list) else count_text(one) for one in inputs]
    if max(counts) > _MOST_TOKENS:
        raise invalid_request(
            f"This model's maximum context length is {_MOST_TOKENS} tokens, however you requested "
            f"{max(counts)} tokens ({max(counts)} in your prompt; 0 for the completion). Please "
            "reduce your prompt; or completion length."
        )
    delay = spend(call, deployment, sum(counts))
    vectors = (engine.embed(_as_text(one), dimensions) for one in inputs)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": engine.pack_vector(vector) if encoding == "base64" else vector,
        }
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": sum(counts), "total_tokens": sum(counts)}
    reply = json_reply(
        {"object": "list", "data": data, "model": deployment.model_name, "usage": usage}
    )
    reply.delay = delay
    return reply


def _as_text(given: str | list[int]) -> str:
    return given if isinstance(given, str) else " ".join(map(str, given))


def _read_input(body: dict[str, Any]) -> list[Any]:
    """Texts, or lists of token numbers."""
    given = body.get("input")
    if given is None:
        raise missing_parameter("input")
    if isinstance(given, list) and given and all(_is_token(one) for one in given):
        given = [given]
    inputs = given if isinstance(given, list) else [given]
    if len(inputs) > _MOST_INPUTS:
        raise too_many("input", len(inputs), _MOST_INPUTS)
    if not inputs or not all(_is_input(one) for one in inputs):
        if any(one in ("", []) for one in inputs) or not inputs:
            raise invalid_request("Invalid 'input': input cannot be an empty string.", "input")
        raise invalid_type("input", "a string, an array of strings or arrays of tokens", given)
    return inputs


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_input(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is_token(one) for one in value)
    return isinstance(value, str) and value != ""


def _read_dimensions(body: dict[str, Any], model: str) -> int:
    largest = 3072 if re.search(r"embedding-3-large", model) else 1536
    dimensions = body.get("dimensions")
    if dimensions is None:
        return largest
    if "ada-002" in model:
        raise unsupported_parameter("dimensions")
    Integer(1, largest).check(dimensions, "dimensions")
    return int(dimensions)
