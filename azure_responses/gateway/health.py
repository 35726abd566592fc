"""Whether this process lives, and whether it takes calls; no upstream is asked."""

from pydantic_core import to_json

from azure_responses.gateway.drain import Drain

__all__ = ["HEALTH_PATHS", "health_reply"]

_LIVE = frozenset({"/health/liveliness", "/health/liveness"})
HEALTH_PATHS = _LIVE | {"/health/readiness", "/healthz", "/health"}
"""The paths of both spellings, and of Azure's samples."""

_ALIVE = (200, b'"I\'m alive!"')
_SHUTTING_DOWN = (503, b'{"status":"shutting_down"}')


def health_reply(path: str, drain: Drain, *, database: str, state: str) -> tuple[int, bytes]:
    """Status and JSON body.

    Draining answers 503 on every path: LiteLLM's liveness does, and what restarts on it would
    find a process that is about to end anyway.

    Args:
        database, state: "not connected", "connected" or "degraded".
    """
    if drain.is_draining:
        return _SHUTTING_DOWN
    if path in _LIVE:
        return _ALIVE
    return 200, to_json({"status": "healthy", "db": database, "state": state})
