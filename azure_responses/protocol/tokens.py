"""How long an Entra ID token may be used, by its own expiry; the caller passes the time."""

import base64
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Token", "read_claims", "read_expiry", "refuses_audience"]

# azure-core's own bearer policy refreshes five minutes ahead of expiry.
_REFRESH_AHEAD = 300.0
# A token this close to its end may expire on the way to the service.
_SAFETY = 10.0


@dataclass(frozen=True)
class Token:
    """A bearer token; times in unix seconds, `expires_on` None when the token does not say."""

    text: str = field(repr=False)
    expires_on: float | None
    fetched_at: float = 0.0

    def state(self, now: float) -> Literal["fresh", "stale", "expired"]:
        """fresh: use it; stale: use it, and fetch the next; expired: wait.

        A token shorter-lived than the usual margin becomes stale half-way through its life, and
        one without an expiry is never kept.
        """
        if self.expires_on is None or now >= self.expires_on - _SAFETY:
            return "expired"
        life = self.expires_on - self.fetched_at
        return "stale" if now >= self.expires_on - min(_REFRESH_AHEAD, life / 2) else "fresh"


def read_claims(token: str) -> dict[str, Any] | None:
    """The claims of a JWT, unverified; None for anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def read_expiry(token: str) -> float | None:
    """The `exp` claim of a JWT in unix seconds, unverified; None for anything else."""
    try:
        expiry = float((read_claims(token) or {})["exp"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return expiry if math.isfinite(expiry) else None


def refuses_audience(message: str, scope: str) -> bool:
    """True where a 401 says that tokens for `scope` are not for the service.

    The service says the same sentence of an expired token, with the audiences that it takes: "…
    audience is incorrect (https://cognitiveservices.azure.com), or have expired". Where these
    include the token's own, the audience is not at fault.
    """
    if "audience" not in message.lower():
        return False
    wanted = scope.removesuffix("/.default").rstrip("/").lower()
    named = re.findall(r"https://[\w.-]*\w", message.lower())
    return wanted not in named
