"""Which operation a path, a method and an api-version ask for, and which combinations fail how.

The matrix follows Microsoft's api-version-lifecycle page and the reports quoted at each rule.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qsl, unquote

from azure_responses.emulator.service_errors import (
    ServiceError,
    api_version_not_supported,
    resource_not_found,
    responses_need_newer_version,
    unknown_url,
)

__all__ = ["MatchedRoute", "Surface", "find_route"]

Surface = Literal["dated", "v1", "preview", "project"]

_FIRST_DATED = "2025-03-01-preview"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_WORDS = frozenset({"compact", "completions"})

_RESPONSES = {
    "POST responses": "create",
    "GET responses/*": "retrieve",
    "DELETE responses/*": "delete",
    "POST responses/*/cancel": "cancel",
    "GET responses/*/input_items": "input_items",
}
_NEIGHBOURS = {
    "GET models": "models",
    "GET models/*": "model",
    "POST files": "files.create",
    "GET files": "files.list",
    "GET files/*": "files.retrieve",
    "DELETE files/*": "files.delete",
    "GET files/*/content": "files.content",
    "POST vector_stores": "vector_stores.create",
    "GET vector_stores": "vector_stores.list",
    "GET vector_stores/*": "vector_stores.retrieve",
    "DELETE vector_stores/*": "vector_stores.delete",
    "POST vector_stores/*/files": "vector_stores.files.create",
    "GET vector_stores/*/files": "vector_stores.files.list",
    "GET vector_stores/*/files/*": "vector_stores.files.retrieve",
    "DELETE vector_stores/*/files/*": "vector_stores.files.delete",
    "POST vector_stores/*/search": "vector_stores.search",
}
_V1_ONLY = {
    "POST responses/compact": "compact",
    "POST chat/completions": "chat",
    "POST conversations": "conversations.create",
    "GET conversations/*": "conversations.retrieve",
    "POST conversations/*": "conversations.update",
    "DELETE conversations/*": "conversations.delete",
    "POST conversations/*/items": "conversations.items.create",
    "GET conversations/*/items": "conversations.items.list",
    "GET conversations/*/items/*": "conversations.items.retrieve",
    "DELETE conversations/*/items/*": "conversations.items.delete",
    "POST containers": "containers.create",
    "GET containers": "containers.list",
    "GET containers/*": "containers.retrieve",
    "DELETE containers/*": "containers.delete",
    "POST containers/*/files": "containers.files.create",
    "GET containers/*/files": "containers.files.list",
    "GET containers/*/files/*": "containers.files.retrieve",
    "DELETE containers/*/files/*": "containers.files.delete",
    "GET containers/*/files/*/content": "containers.files.content",
}
_V1 = {**_RESPONSES, **_NEIGHBOURS, **_V1_ONLY}
_DATED = {**_RESPONSES, **_NEIGHBOURS, "POST deployments/*/chat/completions": "chat"}
_COLLECTIONS = frozenset(key.split()[1].split("/")[0] for key in _V1)


@dataclass(frozen=True, slots=True)
class MatchedRoute:
    """Where a request goes.

    Attributes:
        operation: `create`, `retrieve`, `chat`, `files.create`, ….
        surface: which of the service's surfaces it came in by.
        api_version: the query value, None where there was none.
        ids: the identifiers in the path, decoded, in order.
        project: the Foundry project of the path.
        refused: made into the answer once the caller has proved who they are.
    """

    operation: str
    surface: Surface
    api_version: str | None
    ids: tuple[str, ...]
    project: str | None = None
    refused: Callable[[], ServiceError] | None = None


@lru_cache(maxsize=512)
def find_route(method: str, path: str, query: str) -> MatchedRoute:
    """The route of a request; raises Refusal (404) where there is none.

    `path` is percent-encoded as received and starts at the resource's root.
    """
    version = dict(parse_qsl(query)).get("api-version")
    segments = path.split("/")[1:]
    if segments[:2] == ["openai", "v1"]:
        return _v1_route(method, segments[2:], version)
    if segments[:1] == ["openai"]:
        return _dated_route(method, segments[1:], version)
    if segments[:2] == ["api", "projects"] and segments[3:5] == ["openai", "v1"]:
        return _project_route(method, segments, version)
    raise resource_not_found()


def _match(method: str, segments: list[str], table: dict[str, str]) -> tuple[str | None, list[str]]:
    ids = [unquote(part) for part in segments[1::2] if part not in _WORDS]
    shape = "/".join(
        "*" if index % 2 and part not in _WORDS else part for index, part in enumerate(segments)
    )
    return table.get(f"{method} {shape}"), ids


def _v1_operation(method: str, segments: list[str]) -> tuple[str, tuple[str, ...]]:
    operation, ids = _match(method, segments, _V1)
    if operation is None or not all(segments):
        if segments[:1] and segments[0] in _COLLECTIONS and all(segments):
            raise unknown_url(method, "/v1/" + "/".join(segments))
        raise resource_not_found()
    return operation, tuple(ids)


def _v1_route(method: str, segments: list[str], version: str | None) -> MatchedRoute:
    """Absent, `v1` and `preview` are the whole enumeration of the v1 specification.

    Anything else is answered as openai/codex #3725 reports for dated versions.
    """
    operation, ids = _v1_operation(method, segments)
    if version in (None, "v1"):
        return MatchedRoute(operation, "v1", version, ids)
    if version == "preview":
        return MatchedRoute(operation, "preview", version, ids)
    return MatchedRoute(operation, "v1", version, ids, refused=api_version_not_supported)


def _project_route(method: str, segments: list[str], version: str | None) -> MatchedRoute:
    """A project path takes no api-version at all (vercel/ai #14009)."""
    operation, ids = _v1_operation(method, segments[5:])
    refused = api_version_not_supported if version is not None else None
    return MatchedRoute(operation, "project", version, ids, unquote(segments[2]), refused)


def _dated_route(method: str, segments: list[str], version: str | None) -> MatchedRoute:
    """Without a dated version there is no such route at all (anomalyco/opencode #13999).

    The Responses API is in previews only, since 2025-03-01 (Aider-AI/aider #4029).
    """
    operation, ids = _match(method, segments, _DATED)
    if operation is None or not all(segments) or version is None or not _DATE.fullmatch(version):
        raise resource_not_found()
    refused = None
    if segments[0] == "responses":
        if not version.endswith("-preview"):
            raise resource_not_found()
        if version < _FIRST_DATED:
            refused = responses_need_newer_version
    return MatchedRoute(operation, "dated", version, tuple(ids), refused=refused)
