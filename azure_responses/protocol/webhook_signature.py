"""The signature of a webhook: verified where one arrives, made where one is passed on.

The scheme is that of Standard Webhooks 1.0, which OpenAI uses and Azure's header names suggest:
`webhook-signature: v1,…` is the HMAC-SHA256 of "{webhook-id}.{webhook-timestamp}.{body}" in base64.
The caller passes the time.
"""

import base64
import hmac
import math
import re
from binascii import Error as BadBase64
from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from azure_responses.errors import (
    AzureResponsesError,
    ConfigurationError,
    InvalidWebhookSignatureError,
)
from azure_responses.types.webhooks import UnwrapWebhookEvent, read_webhook_event

__all__ = ["TOLERANCE", "HeaderSource", "sign", "unwrap", "verify"]

TOLERANCE = 300
"""Seconds that the time of a webhook may differ from the receiver's, before and after."""

HeaderSource = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""Headers as a mapping, or as pairs, which ASGI servers have as bytes."""

_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_SECONDS = re.compile(r"[0-9]{1,12}")
_PREFIX = "whsec_"
_RAW_BODY = (
    "Pass the body as it arrived, in bytes, not parsed and written anew, and the secret of this "
    "endpoint: it is shown once, when the endpoint is created."
)
_SET_SECRET = (
    "Pass the `signing_secret` of the endpoint, or set AZURE_OPENAI_WEBHOOK_SECRET or "
    "OPENAI_WEBHOOK_SECRET."
)


def unwrap(
    payload: str | bytes,
    headers: HeaderSource,
    secret: str | Sequence[str],
    now: float,
    tolerance: float = TOLERANCE,
) -> UnwrapWebhookEvent:
    """The event of a webhook whose signature is right; the arguments are those of `verify`.

    Raises:
        AzureResponsesError: it is signed, and no JSON object. Also what `verify` raises.
    """
    verify(payload, headers, secret, now, tolerance)
    try:
        return read_webhook_event(payload)
    except ValidationError:
        # Without pydantic's text, which quotes the body.
        raise AzureResponsesError(
            "The webhook is signed, but its body is not a JSON object.",
            hint="Check what else is sent to this URL with the same secret.",
        ) from None


def verify(
    payload: str | bytes,
    headers: HeaderSource,
    secret: str | Sequence[str],
    now: float,
    tolerance: float = TOLERANCE,
) -> None:
    """Raise unless a webhook was signed with the secret, not long ago.

    Args:
        payload: the body as it arrived.
        headers: of the request; upper and lower case are the same.
        secret: of the endpoint; one of several has to fit, for the time in which it is changed.
        now: Unix seconds.
        tolerance: seconds that the time of the webhook may differ from `now`, before and after.

    Raises:
        InvalidWebhookSignatureError: a header is missing or malformed, the time is too far away,
            or no signature fits.
        ConfigurationError: the secret, the payload or the tolerance cannot be used.
    """
    keys = _read_secrets(secret)
    body = _read_body(payload)
    message_id, timestamp, signatures = _read_headers(headers)
    _check_time(timestamp, now, tolerance)
    given = [_bytes(part[3:]) for part in signatures.split() if part.startswith("v1,")]
    if not given:
        raise InvalidWebhookSignatureError(
            f"The header {_SIGNATURE} holds no signature of version v1.", hint=_RAW_BODY
        )
    expected = [_signature(key, message_id, timestamp, body) for key in keys]
    # Every pair is compared, so that the time says nothing about which of them fit.
    fits = [hmac.compare_digest(one, other) for one in expected for other in given]
    if not any(fits):
        raise InvalidWebhookSignatureError(
            "The signature of the webhook does not fit its body and headers.", hint=_RAW_BODY
        )


def sign(
    payload: str | bytes, message_id: str, timestamp: int, secret: str | Sequence[str]
) -> dict[str, str]:
    """The three headers of a webhook; of several secrets each signs.

    Args:
        payload: the body.
        message_id: the same at each delivery of one event; without a dot, which separates the
            parts of what is signed.
        timestamp: of this delivery, in Unix seconds.
        secret: of the receiver.

    Raises:
        ConfigurationError: a secret that cannot be used, or an id that cannot be signed.
    """
    keys, body, seconds = _read_secrets(secret), _read_body(payload), str(timestamp)
    is_safe = message_id.isascii() and message_id.isprintable() and "." not in message_id
    if not message_id or not is_safe or not _SECONDS.fullmatch(seconds):
        raise ConfigurationError(
            f"A webhook cannot be signed with the id {message_id!r} at {seconds!r}.",
            hint="The id is a word without dots, the time a whole number of Unix seconds.",
        )
    made = [_signature(key, message_id, seconds, body).decode() for key in keys]
    signatures = " ".join(f"v1,{one}" for one in made)
    return {_ID: message_id, _TIMESTAMP: seconds, _SIGNATURE: signatures}


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    signed = b".".join((_bytes(message_id), timestamp.encode(), body))
    return base64.b64encode(hmac.digest(key, signed, "sha256"))


def _read_body(payload: str | bytes) -> bytes:
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload)
    if not isinstance(payload, str):
        raise ConfigurationError(
            f"The payload of a webhook is a {type(payload).__name__}.",
            hint="Pass the body of the request as bytes, before anything parses it.",
        )
    try:
        return payload.encode()
    except UnicodeEncodeError:
        raise InvalidWebhookSignatureError(
            "The payload of the webhook is not text that can be signed.", hint=_RAW_BODY
        ) from None


def _read_headers(headers: HeaderSource) -> tuple[str, str, str]:
    found: dict[str, str] = {}
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in pairs:
        lower = _text(name).lower()
        if lower not in (_ID, _TIMESTAMP, _SIGNATURE):
            continue
        if lower in found:
            # Which of two the sender has signed cannot be known.
            raise InvalidWebhookSignatureError(f"The header {lower} occurs more than once.")
        found[lower] = _text(value)
    for name in (_ID, _TIMESTAMP, _SIGNATURE):
        if not found.get(name):
            raise InvalidWebhookSignatureError(
                f"The header {name} is missing.",
                hint="Pass all headers of the request; a proxy before this program has to keep "
                "those that begin with webhook-.",
            )
    return found[_ID], found[_TIMESTAMP], found[_SIGNATURE]


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(text: str) -> bytes:
    # Half a surrogate pair is refused like every other wrong header, and not with another error.
    return text.encode("utf-8", "surrogatepass")


def _check_time(timestamp: str, now: float, tolerance: float) -> None:
    if not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
        raise ConfigurationError(
            f"tolerance is {tolerance!r}.", hint="It is a number of seconds from 0."
        )
    if not _SECONDS.fullmatch(timestamp):
        raise InvalidWebhookSignatureError(
            f"The header {_TIMESTAMP} is not a whole number of Unix seconds.", hint=_RAW_BODY
        )
    late = now - int(timestamp)
    if late > tolerance:
        raise InvalidWebhookSignatureError(
            f"The webhook was signed {late:.0f} seconds ago; {tolerance:.0f} are allowed.",
            hint="It may be a replay. If all are refused, check the clock of this machine, and "
            "whether webhooks wait in a queue before they are verified.",
        )
    if late < -tolerance:
        raise InvalidWebhookSignatureError(
            f"The webhook was signed {-late:.0f} seconds in the future.",
            hint="Check the clock of this machine.",
        )


def _read_secrets(secret: str | Sequence[str]) -> list[bytes]:
    given = [secret] if isinstance(secret, str) else list(secret)
    keys = [_read_secret(one) for one in given]
    if not keys:
        raise ConfigurationError("There is no secret to verify webhooks with.", hint=_SET_SECRET)
    return keys


def _read_secret(secret: str) -> bytes:
    # The secret itself stands in none of the messages.
    if not isinstance(secret, str):
        raise ConfigurationError(
            f"The webhook secret is a {type(secret).__name__}, not a string.", hint=_SET_SECRET
        )
    text = secret.strip()
    # Without a prefix the text itself is the key, as in the openai package.
    key = text.encode()
    if text.startswith(_PREFIX):
        encoded = text.removeprefix(_PREFIX)
        # Some services leave the padding out.
        padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
        try:
            key = base64.b64decode(padded, validate=True)
        except (BadBase64, ValueError):
            raise ConfigurationError(
                "The webhook secret begins with whsec_, but what follows is not base64.",
                hint="Copy the whole secret as it was shown.",
            ) from None
    if not key:
        # Every program can sign with an empty key.
        raise ConfigurationError("The webhook secret is empty.", hint=_SET_SECRET)
    return key
