"""Request bodies judged as the service judges them, with its error bodies."""

from typing import Any

from azure_responses.emulator.model_catalog import EmulatedModel
from azure_responses.emulator.service_errors import invalid_request, missing_parameter
from azure_responses.emulator.validation.chat_body import check_chat
from azure_responses.emulator.validation.create_body import (
    CACHING,
    TIER,
    check_capabilities,
    check_combinations,
    check_parameters,
)
from azure_responses.emulator.validation.input_items import INPUT, refuse_status
from azure_responses.emulator.validation.shapes import ANYTHING, Fields, Text

__all__ = ["validate_chat", "validate_compact", "validate_create"]


def validate_create(
    body: object, model: EmulatedModel, *, surface: str, accepts_message_status: bool = True
) -> None:
    """Judges the body of POST /responses.

    Args:
        body: what the JSON parsed to.
        model: what the deployment runs.
        surface: `dated`, `v1` or `preview`; only the last takes multi-agent parameters.
        accepts_message_status: see `Assumptions`.

    Raises:
        Refusal: HTTP 400 with the service's error body.
    """
    given = _object(body)
    check_parameters(given, surface)
    if not accepts_message_status:
        refuse_status(given.get("input"))
    check_capabilities(given, model)
    check_combinations(given, surface)


def validate_chat(body: object, model: EmulatedModel) -> None:
    """Judges the body of POST /chat/completions; raises Refusal as the service would."""
    check_chat(_object(body), model)


_COMPACT = Fields(
    {
        "model": Text(),
        "input": INPUT,
        "instructions": Text(),
        "previous_response_id": Text(begins="resp"),
        "image": ANYTHING,
        "service_tier": TIER,
        "client_metadata": ANYTHING,
        **CACHING,
    }
)


def validate_compact(body: object) -> None:
    """Judges the body of POST /responses/compact; raises Refusal as the service would."""
    given = _object(body)
    _COMPACT.check(given, "")
    if not given.get("model"):
        raise missing_parameter("model")
    if given.get("input") is None and not given.get("previous_response_id"):
        raise missing_parameter("input")


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        message = "Invalid request body: expected a JSON object."
        raise invalid_request(message)
    return body
