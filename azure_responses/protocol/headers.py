"""Request headers: checked, lower-cased and merged."""

import re
from collections.abc import Mapping

from azure_responses.errors import ConfigurationError

__all__ = ["CREDENTIAL_HEADERS", "merge_headers"]

CREDENTIAL_HEADERS = frozenset({"api-key", "authorization"})

# RFC 9110 section 5.6.2 (token) and 5.5 (field value, without the obsolete bytes above ASCII,
# which the HTTP library cannot encode).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
# The HTTP library says how long the body is. Another word for it would let the rest of the body
# pass for a request of its own (RFC 9112 section 11.2).
_FRAMING = frozenset({"content-length", "transfer-encoding"})


def merge_headers(*layers: Mapping[str, str | None] | None) -> dict[str, str]:
    """The layers as one, later over earlier; a value of None removes the header.

    Names come out in lower case, values without the white space around them. Raises
    ConfigurationError for a name or value that could end its line and smuggle in another header,
    and for headers that say where the body ends.
    """
    merged: dict[str, str] = {}
    for layer in layers:
        for name, value in (layer or {}).items():
            lower = _check_name(name)
            if value is None:
                merged.pop(lower, None)
                continue
            _check_value(name, value)
            merged[lower] = value.strip()
    return merged


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is not a header name.")
    lower = name.lower()
    if lower in _FRAMING:
        raise ConfigurationError(
            f"The header {name!r} is not for callers to set.", hint="Leave it out."
        )
    return lower


def _check_value(name: str, value: object) -> None:
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        # The value is left out of the message: it may be a secret.
        raise ConfigurationError(
            f"The value of header {name!r} is not a string that can stand in a header.",
            hint="Header values are ASCII text without line breaks.",
        )
