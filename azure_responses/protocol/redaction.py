"""Takes the secrets that were sent out of what is said about a call."""

import re
from collections.abc import Iterable
from typing import Any

__all__ = ["REDACTED", "redact", "redact_all"]

REDACTED = "[redacted]"
# A shorter one is a placeholder ("x", "sk", "test"), which stands in ordinary words and numbers
# (openai-dotnet#90); no service gives out keys of such a length. A proxy's password may have six.
_SHORTEST = 8
_PASSWORD = re.compile(r"(?=.*\d)(?=.*[a-zA-Z]).{6,}")
# A shorter one may be part of an ordinary word; Azure's keys have 32 characters and more.
_LONG = 16


def redact(text: str, secrets: Iterable[str], replacement: str = REDACTED) -> str:
    """`text` with every secret replaced, for replies that echo what they were sent.

    Apply it to what was parsed, never to JSON: a replacement could change what it says.
    """
    # The longest first: one secret may begin with another.
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LONG:
            text = text.replace(secret, replacement)
        elif secret in text and (len(secret) >= _SHORTEST or _PASSWORD.fullmatch(secret)):
            text = re.sub(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", replacement, text)
    return text


def redact_all(value: Any, secrets: Iterable[str]) -> Any:
    """A parsed JSON value with every secret replaced in all its texts."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {redact_all(k, secrets): redact_all(v, secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [redact_all(each, secrets) for each in value]
    return value
