"""What one call adds to the defaults of its client."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.retry import RetryPolicy

__all__ = ["NO_OPTIONS", "Options", "check_mapping", "including", "query_of", "retrieve_query"]


def check_mapping(name: str, value: object) -> None:
    """Raise ConfigurationError for anything else than a mapping or None."""
    if value is not None and not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{name} is a {type(value).__name__}, not a mapping.", hint="Pass a dict."
        )


@dataclass(frozen=True)
class Options:
    """What one call adds to the client's defaults; later wins, None removes a header.

    `patience` is how many seconds this call waits when the service asks for a pause, `math.inf` for
    ever; None leaves it to the client's policy. Raises ConfigurationError for anything else than
    mappings.
    """

    extra_headers: Mapping[str, str | None] | None = None
    extra_query: Mapping[str, Any] | None = None
    extra_body: Mapping[str, Any] | None = None
    patience: float | None = None

    def __post_init__(self) -> None:
        check_mapping("extra_headers", self.extra_headers)
        check_mapping("extra_query", self.extra_query)
        check_mapping("extra_body", self.extra_body)

    def policy(self, default: RetryPolicy) -> RetryPolicy:
        """How hard this call tries."""
        if self.patience in (None, default.patience):
            return default
        return replace(default, patience=self.patience)


NO_OPTIONS = Options()
"""Those of nearly every call."""


def including(include: Sequence[str] | None) -> dict[str, str | list[str]]:
    """The parameter of a URL that asks for more of items; raises ConfigurationError for a text."""
    # A single name would be sent letter by letter: to Python a string is a list too.
    given: object = include
    if isinstance(given, str):
        raise ConfigurationError(
            f"include is {given!r}, not a list.", hint=f"Pass include=[{given!r}]."
        )
    return {"include[]": list(include)} if include else {}


def query_of(values: Mapping[str, Any] | None) -> dict[str, str | list[str]]:
    """Values as parameters of a URL; None is left out."""
    query: dict[str, str | list[str]] = {}
    for name, value in (values or {}).items():
        if isinstance(value, bool):
            query[name] = "true" if value else "false"
        elif isinstance(value, list | tuple):
            query[name] = [str(part) for part in value]
        elif value is not None:
            query[name] = str(value)
    return query


def retrieve_query(
    stream: bool,
    starting_after: int | None,
    include: Sequence[str] | None,
    include_obfuscation: bool | None,
) -> dict[str, str | list[str]]:
    """The query of `GET /responses/{id}`; raises ConfigurationError for a contradiction."""
    if starting_after is not None and not stream:
        raise ConfigurationError(
            "starting_after is possible for streams only.", hint="Pass stream=True as well."
        )
    query = including(include)
    if stream:
        query["stream"] = "true"
    if starting_after is not None:
        query["starting_after"] = str(starting_after)
    if include_obfuscation is not None:
        query["include_obfuscation"] = "true" if include_obfuscation else "false"
    return query
