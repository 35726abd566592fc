"""What `openai.AzureOpenAI` has and Azure, or this package, does without."""

from collections.abc import Mapping
from typing import Any, TypedDict

from azure_responses.errors import ConfigurationError

__all__ = ["ELSEWHERE", "OpenAIArguments", "read_openai_arguments", "without_omitted"]

_PASSED_ON = "keep an openai client for it; the gateway of this package passes it on"
ELSEWHERE: Mapping[str, str] = {
    "embeddings": _PASSED_ON,
    "images": _PASSED_ON,
    "audio": _PASSED_ON,
    "completions": "use chat.completions, or keep an openai client for it",
    "moderations": "Azure has no such API; its content filters are in response.content_filters",
    "fine_tuning": "keep an openai client for it",
    "realtime": "keep an openai client for it",
    "evals": "keep an openai client for it",
    "videos": "keep an openai client for it",
}
"""Resources of the openai package's client that are not here, and what to do instead."""


class OpenAIArguments(TypedDict, total=False):
    """What programs for the openai package may pass besides."""

    organization: str | None
    """Sent as the header OpenAI-Organization, which Azure does not read."""
    project: str | None
    """Sent as the header OpenAI-Project, which Azure does not read."""
    websocket_base_url: Any
    """Refused: WebSockets go to the endpoint."""
    admin_api_key: str | None
    """Refused: Azure has no administration API of this kind."""
    workload_identity: Any
    """Refused: use `credential=WorkloadIdentityCredential()` of azure-identity."""
    _strict_response_validation: bool
    """Only False: what cannot be read is an UnreadableResponseError, and other odd fields are
    kept."""
    _enforce_credentials: bool
    """Has no effect: without any credential, DefaultAzureCredential signs in at the first call."""


_HEADERS = {"organization": "openai-organization", "project": "openai-project"}
_REFUSED = {
    "websocket_base_url": "WebSockets go to the endpoint; for another host make a client with "
    "endpoint='https://that-host' and call connect() on it.",
    "admin_api_key": "Azure has no administration API with keys of its own; leave it out.",
    "workload_identity": "Pass credential=azure.identity.WorkloadIdentityCredential() instead.",
    "_strict_response_validation": "Leave it out: an answer that cannot be read is always an "
    "UnreadableResponseError, and every other unexpected field is kept.",
}


def read_openai_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without those that only the openai package has, as far as they mean something.

    Raises:
        ConfigurationError: one that has no counterpart here; the hint says what to do.
    """
    for name, hint in _REFUSED.items():
        if arguments.get(name):
            raise ConfigurationError(f"{name} is not supported.", hint=hint)
    own: dict[str, Any] = {
        name: str(value) if type(value).__name__ == "URL" else value
        for name, value in without_omitted(arguments).items()
        if name not in _NAMES
    }
    added = {header: arguments[name] for name, header in _HEADERS.items() if arguments.get(name)}
    if added:
        own["default_headers"] = {**added, **(own.get("default_headers") or {})}
    return own


_NAMES = frozenset(OpenAIArguments.__annotations__)
# Of the openai package: the types of NOT_GIVEN and omit, which are falsy.
_OMITTED = ("NotGiven", "Omit")


def without_omitted(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments without those that the openai package marks as not given."""
    for value in arguments.values():
        if not value and type(value).__name__ in _OMITTED:
            break
    else:
        return arguments
    return {
        name: value for name, value in arguments.items() if type(value).__name__ not in _OMITTED
    }
