"""What a purge must not take for a deleted response."""

from azure_responses.errors import (
    AzureResponsesError,
    ConfigurationError,
    InternalServerError,
    ResponseNotFoundError,
)
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.outcome import LedgerEntry

__all__ = ["READABLE_AFTER", "judge_missing", "require_origin"]

READABLE_AFTER = 60.0
"""Seconds after which a stored response that is not found is gone: before that it may not be
readable yet (32.7 s at worst in 79 samples, dotnet/extensions #7704)."""


def require_origin(registry: DeploymentRegistry, entry: LedgerEntry) -> None:
    """Raise where no row is left of the resource that stores a response.

    Raises:
        ConfigurationError: nobody here can delete it, or say that it is gone.
    """
    if not registry.of_resource(entry.resource):
        raise ConfigurationError(
            "No row of model_list is on the resource that stores it.",
            hint="Put a row of that resource back, and purge again.",
        )


def judge_missing(
    error: ResponseNotFoundError, entry: LedgerEntry, now: float
) -> AzureResponsesError:
    """The error as it is, or another one where the response may only not be readable yet.

    `now` is unix seconds.
    """
    age = now - entry.created
    if age >= READABLE_AFTER:
        return error
    return InternalServerError(
        f"It was not found, but it was made only {max(age, 0.0):.0f} s ago and may not be readable "
        "yet.",
        status_code=503,
        hint="Purge again in a minute.",
    )
