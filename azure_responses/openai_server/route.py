"""A method and a path → the operation they ask for.

The paths of OpenAI and Anthropic (`/v1/…`, and without a prefix, as LiteLLM serves them), of
Azure's v1 surface (`/openai/v1/…`), of its dated one (`/openai/…`, `/openai/deployments/{d}/…`) and
of Claude in Foundry (`/anthropic/v1/…`), so that the clients of all of them can be pointed here.
`api-version` is accepted and ignored: each deployment has its own version.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

from azure_responses.errors import APIStatusError, BadRequestError, NotFoundError
from azure_responses.protocol.object_table import SERVED_OPERATIONS
from azure_responses.protocol.operation_table import APIOperation

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
_NO_VALUES: Mapping[str, str] = MappingProxyType({})
# A model's name may hold slashes, encoded or not.
_PATTERNS = {"model": "(.+)"}


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
        values: the variable parts of the path by name, decoded: ids, or a model.
        deployment: the one in the path, which stands for the model.
    """

    row: APIOperation
    values: Mapping[str, str] = _NO_VALUES
    deployment: str | None = None

    @property
    def operation(self) -> str:
        """`create`, `chat`, `retrieve`, …"""
        return self.row.name

    @property
    def response_id(self) -> str | None:
        """The stored response that the path names."""
        return self.values.get("response_id")

    @property
    def model(self) -> str | None:
        """The model that the path names, or the deployment that stands for it."""
        return self.values.get("model", self.deployment)


class RouteFinder:
    """Finds the operation of a request.

    Args:
        operations: the rows that are served.
    """

    def __init__(self, operations: Iterable[APIOperation]) -> None:
        rows = tuple(operations)
        # Most requests are one of a few methods and constant paths: found by one look-up.
        self._constant = {
            (row.method, prefix + row.path): ServedRoute(row)
            for prefix in ("", *_PREFIXES)
            for row in rows
            if not row.variables
        }
        # Other rows are found by their first segment, which few rows share.
        self._rows: dict[str, list[_Pattern]] = {}
        for row in rows:
            self._rows.setdefault(_first_segment(row.path), []).append(_Pattern(row, _compile(row)))

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
        if rest.startswith("/deployments/"):
            name, _, rest = rest.removeprefix("/deployments/").partition("/")
            deployment, rest = _decode(name), "/" + rest
        found = self._matches(rest, is_below_deployment=deployment is not None)
        if not found:
            raise _unknown(method, path)
        for row, values in found:
            if row.method == method:
                decoded = {name: _decode(value) for name, value in values.items()}
                return ServedRoute(row, decoded, deployment)
        allowed = tuple(row.method for row, _ in found)
        raise MethodNotAllowedError(_shown(method), _shown(path), allowed)

    def _matches(
        self, path: str, *, is_below_deployment: bool
    ) -> list[tuple[APIOperation, dict[str, str]]]:
        """The rows of every method at a path, and the undecoded variable parts of the path."""
        patterns = self._rows.get(_first_segment(path), [])
        if is_below_deployment:
            patterns = [one for one in patterns if one.row.by_deployment]
        # A constant path wins: `/responses/compact` is not the response "compact".
        constant = [one for one in patterns if one.row.path == path]
        found = [(one.row, one.pattern.fullmatch(path)) for one in constant or patterns]
        return [
            (row, dict(zip(row.variables, match.groups(), strict=True)))
            for row, match in found
            if match is not None
        ]


class _Pattern(NamedTuple):
    """A row and what its paths look like."""

    row: APIOperation
    pattern: re.Pattern[str]


def _compile(row: APIOperation) -> re.Pattern[str]:
    """The pattern of a row's path, with a group for each variable part."""
    parts = [
        _PATTERNS.get(part[1:-1], "([^/]+)") if part.startswith("{") else re.escape(part)
        for part in row.path.split("/")
    ]
    # A slash after an id is forgiven.
    end = "/?" if row.path.endswith("}") and row.variables[-1] not in _PATTERNS else ""
    return re.compile("/".join(parts) + end)


def _first_segment(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else ""


find_route = RouteFinder(SERVED_OPERATIONS.values()).find


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


def _decode(segment: str) -> str:
    text = unquote(segment, errors="replace")
    is_plain = text.isprintable() and text.isascii() and len(text) <= _LONGEST_ID
    # A dot or two would lead to another path.
    if not is_plain or text in (".", ".."):
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
