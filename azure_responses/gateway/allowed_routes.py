"""Which routes of the API a gateway serves, and which of them a key may call.

The words are those of LiteLLM's `allowed_routes`: paths such as `/v1/files`, with or without the
`/v1`, in which `*` stands for anything. A path allows what is below it too, and LiteLLM's names of
all routes allow all.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from azure_responses.gateway.asgi_reply import ErrorResponse, error_response
from azure_responses.protocol.object_table import EVERY_OPERATION
from azure_responses.protocol.operation_table import APIOperation

__all__ = ["allows_route", "check_route", "check_routes", "read_routes"]

_ALL = frozenset({"*", "openai_routes", "llm_api_routes"})


def read_routes(value: Any) -> tuple[str, ...]:
    """A list of routes, or text with commas.

    Raises:
        ValueError: it is neither, or one of them names no route of this gateway: a misspelt
            route would keep out what its operator means to allow.
    """
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise ValueError("is not a list of routes")
    routes = tuple(each.strip() for each in given)
    rows = [row for row in EVERY_OPERATION.values() if row.is_served]
    for route in routes:
        if not any(allows_route((route,), row) for row in rows):
            raise ValueError(f"names {route[:100]!r}, which no route is like")
    return routes


def allows_route(routes: Sequence[str], row: APIOperation) -> bool:
    """True where one of the routes is that of the row; without any, all are allowed."""
    return not routes or any(_is_like(route, row.path) for route in routes)


def check_route(routes: Sequence[str], row: APIOperation, of: str) -> ErrorResponse | None:
    """The 403 of a route that is not among those allowed, else None; `of` says by whom."""
    if allows_route(routes, row):
        return None
    return error_response(
        403,
        f"{of} does not allow {row.method} {row.path}. It allows: {', '.join(routes)}.",
        type="permission_denied",
        code="route_not_allowed",
    )


def check_routes(
    served: Sequence[str], own: Sequence[str], row: APIOperation
) -> ErrorResponse | None:
    """The 403 of a route that the gateway (`served`) or the key (`own`) does not allow, or None."""
    return check_route(served, row, "This gateway") or check_route(own, row, "This API key")


def _is_like(route: str, path: str) -> bool:
    if route in _ALL:
        return True
    bare = route.removeprefix("/v1").rstrip("/") if route != "/v1" else route
    if not bare.startswith("/"):
        return False
    return path == bare or path.startswith(f"{bare}/") or fnmatchcase(path, bare)
