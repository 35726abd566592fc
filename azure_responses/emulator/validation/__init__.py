"""Request bodies judged as the service judges them, with its error bodies."""

from typing import Any

from azure_responses.emulator.models import Model
from azure_responses.emulator.validation.capabilities import check_capabilities
from azure_responses.emulator.validation.chat import check_chat
from azure_responses.emulator.validation.combinations import check_combinations
from azure_responses.emulator.validation.errors import missing_parameter, refuse, unknown_parameter
from azure_responses.emulator.validation.items import INPUT
from azure_responses.emulator.validation.parameters import check_parameters
from azure_responses.emulator.validation.shapes import Nullable, Shape, Text

__all__ = ["validate_chat", "validate_compact", "validate_create"]


def validate_create(body: object, model: Model, *, surface: str) -> None:
    """Judges the body of POST /responses.

    Args:
        body: what the JSON parsed to.
        model: what the deployment runs.
        surface: `dated`, `v1` or `preview`; only the last takes multi-agent parameters.

    Raises:
        Refusal: HTTP 400 with the service's error body.
    """
    given = _object(body)
    check_parameters(given, surface)
    check_capabilities(given, model)
    check_combinations(given, surface)


def validate_chat(body: object, model: Model) -> None:
    """Judges the body of POST /chat/completions; raises Refusal as the service would."""
    check_chat(_object(body), model)


_COMPACT: dict[str, Shape] = {
    "model": Text(),
    "input": Nullable(INPUT),
    "instructions": Nullable(Text()),
    "previous_response_id": Nullable(Text(begins="resp")),
    "prompt_cache_key": Nullable(Text()),
}


def validate_compact(body: object, model: Model) -> None:
    """Judges the body of POST /responses/compact; raises Refusal as the service would."""
    given = _object(body)
    for name, value in given.items():
        if name not in _COMPACT:
            raise unknown_parameter(name)
        _COMPACT[name].check(value, name)
    if not given.get("model"):
        raise missing_parameter("model")
    if not given.get("input") and not given.get("previous_response_id"):
        raise missing_parameter("input")


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        message = "Invalid request body: expected a JSON object."
        raise refuse(message, None, None)
    return body
