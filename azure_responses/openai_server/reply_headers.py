"""The headers of an answer: what Azure said, and what the router did, under LiteLLM's names."""

from collections.abc import Iterable, Mapping

from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.exchange import Header

__all__ = ["JSON", "STREAM", "describe_call", "pass_headers"]

JSON: tuple[Header, ...] = ((b"content-type", b"application/json"),)
STREAM: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # nginx would collect events until a buffer is full.
    (b"x-accel-buffering", b"no"),
)

_PASSED = frozenset(
    {
        "apim-request-id",
        "x-request-id",
        "x-ms-region",
        "x-ms-deployment-name",
        "x-ms-spillover-from-deployment",
        "openai-processing-ms",
    }
)
_RATE_LIMIT = "x-ratelimit-"


def pass_headers(upstream: Mapping[str, str]) -> list[Header]:
    """Those of Azure's headers that callers know what to do with."""
    passed: list[Header] = []
    for name, value in upstream.items():
        lower = name.lower()
        if (lower in _PASSED or lower.startswith(_RATE_LIMIT)) and _is_plain(value):
            passed.append((lower.encode(), value.encode()))
    return passed


def describe_call(summary: CallSummary, *, with_cost: bool) -> list[Header]:
    """The `x-litellm-*` headers: which row answered, after how many attempts, at what cost.

    The cost of a stream is not known when its headers are sent.
    """
    overhead = max(0.0, summary.latency - summary.upstream_seconds) * 1000
    headers = [
        (b"x-litellm-call-id", summary.call_id.encode("ascii", "replace")),
        (b"x-litellm-attempted-retries", b"%d" % max(0, summary.attempts - 1)),
        (b"x-litellm-attempted-fallbacks", b"%d" % summary.fallbacks),
        (b"x-litellm-overhead-duration-ms", b"%.3f" % overhead),
    ]
    headers += _texts(
        (b"x-litellm-model-id", summary.deployment_id), (b"x-litellm-model-group", summary.group)
    )
    cost = summary.price() if with_cost else None
    if cost is not None:
        headers.append((b"x-litellm-response-cost", format(cost, "f").encode()))
    return headers


def _texts(*pairs: tuple[bytes, str | None]) -> Iterable[Header]:
    return [(name, value.encode()) for name, value in pairs if value and _is_plain(value)]


def _is_plain(value: str) -> bool:
    """True for what can stand in a header: a caller names the group, and could add lines."""
    return value.isascii() and value.isprintable()
