"""Request bodies judged as the service judges them, with its error bodies."""

from typing import Any

from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.service_errors import invalid_request
from azure_responses.emulator.validation.chat_body import check_chat
from azure_responses.emulator.validation.create_body import (
    check_capabilities,
    check_combinations,
    check_compact,
    check_parameters,
)
from azure_responses.emulator.validation.family_rules import keep_declared
from azure_responses.emulator.validation.input_items import refuse_status
from azure_responses.emulator.validation.messages_body import validate_messages
from azure_responses.emulator.validation.thinking_rules import (
    validate_message_blocks,
)

__all__ = [
    "keep_declared", "validate_chat", "validate_compact", "validate_create",
    "validate_message_blocks", "validate_messages",
]  # fmt: skip


def validate_create(
    body: object, model: EmulatedModel, *, surface: str, accepts_message_status: bool = True
) -> None:
    """Judges the body of POST /responses.

    Args:
        body: what the JSON parsed to.
        model: what the deployment runs.
        surface: `dated` takes no background; only `preview` takes multi-agent parameters.
        accepts_message_status: see `Assumptions`.

    Raises:
        ServiceError: HTTP 400 with the service's error body.
    """
    given = _object(body)
    check_parameters(given, surface)
    if not accepts_message_status:
        refuse_status(given.get("input"))
    check_capabilities(given, model)
    check_combinations(given, surface)


def validate_chat(body: object, model: EmulatedModel, surface: str = "v1") -> None:
    """Judges the body of POST /chat/completions; raises ServiceError as the service would."""
    check_chat(_object(body), model, surface)


def validate_compact(body: object) -> None:
    """Judges the body of POST /responses/compact; raises ServiceError as the service would."""
    check_compact(_object(body))


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid_request("Invalid request body: expected a JSON object.")
    return body
