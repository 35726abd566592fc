"""Requests as they may be logged: without secrets, and without what people wrote."""

from collections.abc import Mapping, Sequence, Sized
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

__all__ = ["REDACTED", "redact_headers", "redact_parameters", "redact_url"]

REDACTED = "***"

# Everything is hidden that is not named here: a list of what is secret is never complete.
_SHOWN_QUERY = frozenset(
    {"api-version", "stream", "starting_after", "limit", "order", "after", "before", "include[]"}
    | {"include_obfuscation"}
)
_SHOWN_HEADERS = frozenset(
    {"accept", "accept-encoding", "content-type", "user-agent", "x-ms-client-request-id"}
)
_SHOWN_PARAMETERS = frozenset(
    {"model", "stream", "store", "background", "temperature", "top_p", "max_output_tokens"}
    | {"max_tool_calls", "parallel_tool_calls", "service_tier", "truncation", "include"}
    | {"previous_response_id", "top_logprobs", "prompt_cache_retention", "stream_options"}
)
_SHOWN_PARTS: Mapping[str, frozenset[str]] = {"reasoning": frozenset({"effort", "summary"})}
_SCALARS = (bool, int, float, str)


def redact_url(url: str) -> str:
    """The URL without a password, and with the values of few query parameters."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = [
        (name, value if name in _SHOWN_QUERY else REDACTED)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    shown = urlencode(query, safe="*[]", quote_via=quote)
    return urlunsplit((parts.scheme, host, parts.path, shown, ""))


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, with the values of those that hold neither a secret nor a name."""
    return {
        name: value if name.lower() in _SHOWN_HEADERS else REDACTED
        for name, value in headers.items()
    }


def redact_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request, with sizes in the place of content."""
    return {name: _redact(name, value) for name, value in parameters.items()}


def _redact(name: str, value: Any) -> Any:
    if name in _SHOWN_PARAMETERS and _is_plain(value):
        return value
    if name in _SHOWN_PARTS and isinstance(value, Mapping):
        shown = _SHOWN_PARTS[name]
        return {part: text if part in shown else REDACTED for part, text in value.items()}
    if isinstance(value, str):
        return f"<{len(value)} characters>"
    if isinstance(value, Sized):
        return f"<{len(value)} entries>"
    return value if isinstance(value, bool | None) else REDACTED


def _is_plain(value: Any) -> bool:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return all(isinstance(part, _SCALARS) for part in value)
    return isinstance(value, _SCALARS)
