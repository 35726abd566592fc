"""A method and a path → the operation they ask for.

The paths of OpenAI and Anthropic (`/v1/…`, and without a prefix, as LiteLLM serves them), of
Azure's v1 surface (`/openai/v1/…`), of its dated one (`/openai/…`, `/openai/deployments/{d}/…`) and
of Claude in Foundry (`/anthropic/v1/…`), so that the clients of all of them can be pointed here.
`api-version` is accepted and ignored: each deployment has its own version.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from azure_responses.errors import APIStatusError, BadRequestError, NotFoundError
from azure_responses.protocol.operation_table import OPERATIONS, APIOperation

__all__ = [
    "MethodNotAllowedError",
    "ServedRoute",
    "RouteFinder",
    "UpgradeRefusedError",
    "expects_anthropic",
    "find_route",
]

_LONGEST_ID = 2048
# The longest first: another may be the beginning of it.
_PREFIXES = ("/anthropic/v1", "/openai/v1", "/anthropic", "/openai", "/v1")
_MESSAGES = ("/messages", "/messages/count_tokens")


class MethodNotAllowedError(BadRequestError):
    """The path exists, for other methods: `allowed`."""

    def __init__(self, method: str, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(
            f"{method} is not possible at {path}.",
            status_code=405,
            code="method_not_allowed",
            type="invalid_request_error",
            hint=f"Use {' or '.join(allowed)}.",
        )
        self.allowed = allowed


class UpgradeRefusedError(BadRequestError):
    """A WebSocket was asked for. Codex goes on over HTTP at once after this status."""

    def __init__(self) -> None:
        super().__init__(
            "WebSocket connections are not served here.",
            status_code=426,
            code="websocket_not_supported",
            type="invalid_request_error",
            hint="Send the request over HTTP, with stream=true for events.",
        )


class ServedRoute(NamedTuple):
    """An operation, and what its path names.

    Attributes:
        row: of the table of operations.
        value: the variable part of the path, decoded: an id, or a model.
        deployment: the one in the path, which stands for the model.
    """

    row: APIOperation
    value: str | None = None
    deployment: str | None = None

    @property
    def operation(self) -> str:
        """`create`, `chat`, `retrieve`, …"""
        return self.row.name

    @property
    def response_id(self) -> str | None:
        """The stored response that the path names."""
        return self.value if self.row.is_stored else None

    @property
    def model(self) -> str | None:
        """The model that the path names, or the deployment that stands for it."""
        return self.value if self.row.variable == "model" else self.deployment


class RouteFinder:
    """Finds the operation of a request.

    Args:
        operations: the rows that are served.
    """

    def __init__(self, operations: Iterable[APIOperation]) -> None:
        self._rows = tuple(operations)
        # Most requests are one of a few methods and constant paths: found by one look-up.
        self._constant = {
            (row.method, prefix + row.path): ServedRoute(row)
            for prefix in ("", *_PREFIXES)
            for row in self._rows
            if row.variable is None
        }

    def find(self, method: str, path: str) -> ServedRoute:
        """The route of a request; `path` is percent-encoded, as received.

        Raises:
            NotFoundError: there is no such path.
            MethodNotAllowedError: the path exists, but not for this method.
            BadRequestError: an id that no service can have given.
        """
        found = self._constant.get((method, path))
        return found if found is not None else self._search(method, path)

    def _search(self, method: str, path: str) -> ServedRoute:
        rest, deployment = _strip_prefix(path), None
        rows = [row for row in self._rows if row.path == rest]
        if rest.startswith("/deployments/"):
            name, _, rest = rest.removeprefix("/deployments/").partition("/")
            deployment = _decode(name)
            rest = "/" + rest
            rows = [row for row in self._rows if row.by_deployment and row.path == rest]
        elif not rows:
            # A constant path wins: `/responses/compact` is not the response "compact".
            rows = [row for row in self._rows if _variable_part(row, rest)]
        if not rows:
            raise _unknown(method, path)
        row = next((row for row in rows if row.method == method), None)
        if row is None:
            allowed = tuple(row.method for row in rows)
            raise MethodNotAllowedError(_shown(method), _shown(path), allowed)
        part = _variable_part(row, rest)
        return ServedRoute(row, _decode(part) if part else None, deployment)


find_route = RouteFinder(OPERATIONS.values()).find


def _strip_prefix(path: str) -> str:
    for prefix in _PREFIXES:
        if path.startswith(prefix + "/"):
            return path[len(prefix) :]
    return path


def expects_anthropic(path: str, headers: Mapping[str, str]) -> bool:
    """True for a caller who expects answers and errors as Anthropic's API writes them.

    Only some of the paths are Anthropic's alone: who asks for the models says so in a header.
    """
    return path.endswith(_MESSAGES) or (
        "anthropic-version" in headers and _strip_prefix(path).startswith("/models")
    )


def _variable_part(row: APIOperation, path: str) -> str | None:
    """What stands in the place of the row's `{…}`, undecoded; None if the path is another's."""
    if row.variable is None:
        return None
    head, _, tail = row.path.partition("{" + row.variable + "}")
    if not (path.startswith(head) and path.endswith(tail)):
        return None
    part = path[len(head) : len(path) - len(tail)]
    if row.variable == "model":
        # A model's name may hold slashes, encoded or not.
        return part
    part = part if tail else part.removesuffix("/")
    return None if "/" in part else part


def _decode(segment: str) -> str:
    text = unquote(segment, errors="replace")
    if not text.isprintable() or not text.isascii() or len(text) > _LONGEST_ID:
        raise BadRequestError(
            "The id or name in the path is invalid.",
            status_code=400,
            code="invalid_id",
            type="invalid_request_error",
        )
    return text


def _unknown(method: str, path: str) -> APIStatusError:
    return NotFoundError(
        f"Unknown request URL: {_shown(method)} {_shown(path)}.",
        status_code=404,
        code="unknown_url",
        type="invalid_request_error",
        hint="/openapi.json lists what there is.",
    )


def _shown(text: str) -> str:
    """What a caller sent, fit to be repeated to them."""
    return "".join(c if c.isprintable() and c.isascii() else "?" for c in text[:200])
