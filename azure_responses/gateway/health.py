"""Whether this process lives, and whether it takes calls; no upstream is asked."""

from pydantic_core import to_json

__all__ = ["HEALTH_PATHS", "health_reply"]

_LIVE = frozenset({"/health/liveliness", "/health/liveness"})
HEALTH_PATHS = _LIVE | {"/health/readiness", "/healthz", "/health"}
"""The paths of both spellings, and of Azure's samples."""

_ALIVE = (200, b'"I\'m alive!"')
_SHUTTING_DOWN = (503, b'{"status":"shutting_down"}')


def health_reply(path: str, *, is_draining: bool, database: str, state: str) -> tuple[int, bytes]:
    """Status and JSON body.

    A process that drains is alive, and says so: what restarts on a failing liveness probe would
    cut the very calls it is waiting for. It is not ready.

    Args:
        database, state: "not connected", "connected" or "degraded".
    """
    if path in _LIVE:
        return _ALIVE
    if is_draining:
        return _SHUTTING_DOWN
    return 200, to_json({"status": "healthy", "db": database, "state": state})
