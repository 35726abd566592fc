"""What the text of a key or token shows about it, read without verifying anything. No I/O."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure_responses.protocol.endpoint import PROJECT_SCOPE, PUBLIC_SCOPE
from azure_responses.protocol.tokens import read_claims

__all__ = ["CredentialNotes", "examine_key", "examine_token"]

_COGNITIVE = PUBLIC_SCOPE.removesuffix("/.default")
_PROJECTS = PROJECT_SCOPE.removesuffix("/.default")
# A service principal can have dozens of roles.
_SHOWN_ROLES = 5
# Seconds before its expiry in which a token is reported: a call may outlive it.
_SOON = 300.0
# Seconds by which clocks may differ.
_CLOCK_SKEW = 60.0


@dataclass(frozen=True)
class CredentialNotes:
    """What is known of a credential before the service is called.

    Attributes:
        description: its kind and claims, without the secret.
        fault: what is wrong with it beyond doubt (it has expired), or None.
        suspicion: what would explain a refusal, or None.
        fix: what to change where there is a fault or a suspicion.
        advice: what to know even where the service accepts it, or None.
    """

    description: str
    fault: str | None = None
    suspicion: str | None = None
    fix: str | None = None
    advice: str | None = None


def examine_key(key: str, *, is_project: bool) -> CredentialNotes:
    """What a key looks like: its length, and whether it is something else in the place of a key.

    `is_project` is True for the endpoint of a Foundry project.
    """
    described = f"a key of {len(key)} characters"
    # Keys of OpenAI start so, and keys of Azure do not.
    if key.startswith("sk-"):
        return CredentialNotes(
            described,
            suspicion="the key looks like one of OpenAI, not of Azure",
            fix="Copy the key from the resource's 'Keys and Endpoint' page in the Azure portal.",
        )
    if read_claims(key) is not None:
        return CredentialNotes(
            described,
            suspicion="a token was passed as a key",
            fix="Pass it as azure_ad_token (or set AZURE_OPENAI_AD_TOKEN).",
        )
    if is_project:
        return CredentialNotes(
            described,
            suspicion="a Foundry project takes Entra ID tokens only",
            fix="Leave api_key out and sign in with Entra ID, or use the resource's own endpoint.",
        )
    return CredentialNotes(described)


def examine_token(token: str, scope: str, now: float) -> CredentialNotes:
    """What the claims of a token say.

    Args:
        token: what would be sent.
        scope: what it should have been fetched for.
        now: unix seconds.
    """
    claims = read_claims(token)
    if claims is None:
        return CredentialNotes(
            f"a token of {len(token)} characters that is not a JWT",
            suspicion="the token cannot be read",
            fix="A key is passed as api_key; an Entra ID token has three parts with dots between.",
        )
    described = _describe(claims, now)
    fault, fix = _find_fault(claims, now)
    if fault:
        return CredentialNotes(described, fault=fault, fix=fix)
    wanted = _audiences(scope)
    audience = str(claims.get("aud", "")).rstrip("/")
    # Some audiences are the id of an application, which does not show what it is for.
    if audience.startswith("https://") and audience not in wanted:
        return CredentialNotes(
            described,
            suspicion=f"the token is for {audience}, and this endpoint takes {' or '.join(wanted)}",
            fix=f"Fetch the token for the scope {scope}, or pass scope= if this resource differs.",
        )
    return CredentialNotes(described, advice=_advise(claims, now))


def _audiences(scope: str) -> tuple[str, ...]:
    """What `aud` may be: at resource level the public cloud takes both.

    A 401 quoted in Azure/azure-sdk-for-net issue 50872 names the two.
    """
    wanted = scope.removesuffix("/.default").rstrip("/")
    return (_COGNITIVE, _PROJECTS) if wanted == _COGNITIVE else (wanted,)


def _find_fault(claims: Mapping[str, Any], now: float) -> tuple[str | None, str | None]:
    expires, starts = _number(claims.get("exp")), _number(claims.get("nbf"))
    if expires is not None and expires <= now:
        fix = "Fetch a new token; a credential or azure_ad_token_provider does that by itself."
        return f"the token expired {_duration(now - expires)} ago", fix
    if starts is not None and starts > now + _CLOCK_SKEW:
        fix = "Check this machine's clock."
        return f"the token is valid only in {_duration(starts - now)}", fix
    return None, None


def _advise(claims: Mapping[str, Any], now: float) -> str | None:
    expires = _number(claims.get("exp"))
    if expires is not None and expires - now < _SOON:
        return "The token is about to expire; a credential renews it by itself, a string does not."
    return None


def _describe(claims: Mapping[str, Any], now: float) -> str:
    expires = _number(claims.get("exp"))
    parts = [f"a token for {claims.get('aud', 'no audience')}"]
    if expires is not None:
        parts.append(f"expiring {_moment(expires)} ({_relative(expires - now)})")
    parts += [
        f"{label} {claims[name]}"
        for name, label in (("tid", "tenant"), ("oid", "principal"), ("appid", "application"))
        if claims.get(name)
    ]
    roles = claims.get("roles")
    if isinstance(roles, list) and roles:
        more = " and others" if len(roles) > _SHOWN_ROLES else ""
        parts.append(f"roles {', '.join(map(str, roles[:_SHOWN_ROLES]))}{more}")
    return ", ".join(parts)


def _number(value: Any) -> float | None:
    # Nothing is verified, so a claim may hold anything, and `bool` is an `int`.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _moment(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return "at no known date"


def _relative(seconds: float) -> str:
    return f"in {_duration(seconds)}" if seconds > 0 else f"{_duration(-seconds)} ago"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"
