"""The headers replies carry, as recorded."""

from email.utils import formatdate
from functools import lru_cache

from azure_responses.emulator.identifiers import IdentifierMint

__all__ = ["chat_headers", "gateway_headers", "standard_headers"]

_TRANSPORT_SECURITY = ("strict-transport-security", "max-age=31536000; includeSubDomains; preload")
_NO_SNIFFING = ("x-content-type-options", "nosniff")


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def standard_headers(mint: IdentifierMint, region: str, now: float) -> list[tuple[str, str]]:
    """What posit-dev/chatlas recorded on a streamed response in December 2025, and x-request-id.

    Notably no `x-ratelimit-*` and no `retry-after`.
    """
    return [
        ("date", _date(int(now))),
        _TRANSPORT_SECURITY,
        ("apim-request-id", mint.request()),
        _NO_SNIFFING,
        ("x-ms-region", region),
        ("x-request-id", mint.request()),
    ]


def gateway_headers(mint: IdentifierMint, region: str, now: float) -> list[tuple[str, str]]:
    """What traceloop/openllmetry recorded on a 404: no request id but the gateway's own."""
    return [
        ("date", _date(int(now))),
        ("apim-request-id", mint.request()),
        _NO_SNIFFING,
        ("x-ms-region", region),
    ]


def chat_headers(deployment: str, mint: IdentifierMint) -> list[tuple[str, str]]:
    """Beyond the standard: recorded on chat completions by traceloop/openllmetry in March 2026."""
    return [
        ("azureml-model-session", f"d20260330170902-{mint.digits(12)}"),
        ("skip-error-remapping", "true"),
        ("x-accel-buffering", "no"),
        ("x-ms-deployment-name", deployment),
        ("x-ms-is-spilled-over", "false"),
        ("x-ms-rai-invoked", "true"),
        ("x-ratelimit-abusepenalty-active", "False"),
    ]
