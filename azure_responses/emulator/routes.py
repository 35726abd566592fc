"""From method, path and api-version to an operation, with the errors of each wrong combination.

The matrix follows Microsoft's api-version-lifecycle page and the reports quoted at each rule.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from azure_responses.emulator.http_messages import UPGRADE, PlannedReply
from azure_responses.emulator.service_errors import (
    ServiceError,
    api_not_supported,
    api_version_missing,
    api_version_not_supported,
    resource_not_found,
    responses_need_newer_version,
    unknown_url,
)

__all__ = ["Handler", "MatchedRoute", "Operation", "RouteTable", "Surface"]

Handler = Callable[[Any], PlannedReply]
Surface = Literal[
    "dated", "v1", "preview", "project", "models", "serverless", "anthropic", "agents"
]
Base = Literal["openai", "models", "serverless", "anthropic", "agents"]

_FIRST_DATED = "2025-03-01-preview"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
# Every second segment of a path is an id, but for these.
_WORDS = frozenset({
    "compact", "completions", "count_tokens", "edits", "generations", "speech", "transcriptions",
    "translations", "variations",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the service.

    Attributes:
        name: how faults and the request log call it, such as `files.create`.
        method, path: `*` in the path stands for an id.
        handle: makes the reply to a call (`EmulatedCall`).
        is_dated, is_v1: on which surfaces it exists: below a dated api-version, and on v1, preview
            and project paths.
        base: what its path stands below: `/openai`, `/models`, `/` of a serverless endpoint,
            `/anthropic/v1`, or `/api/projects/P/agents`.
        model_in: where the caller names the model, for operations that a deployment serves.
            `host` is the name of a serverless endpoint, unless the body names a model. `form` is
            a field of a form.
        stream_in: where the caller asks for a stream.
        data_action: what a role must allow, as the 401 names it; None where no 401 was recorded.
        offered_if: the assumption without which a resource does not have it.
    """

    name: str
    method: str
    path: str
    handle: Handler
    is_dated: bool = True
    is_v1: bool = True
    base: Base = "openai"
    model_in: Literal["body", "path", "host", "form"] | None = None
    stream_in: Literal["body", "query", "form"] | None = None
    data_action: str | None = None
    offered_if: str | None = None


@dataclass(frozen=True, slots=True)
class MatchedRoute:
    """Where a request goes.

    Attributes:
        operation: what it asks for.
        surface: which of the service's surfaces it came in by.
        api_version: the query value, None without one.
        ids: the identifiers in the path, decoded, in order.
        project: the Foundry project of the path.
        agent: the agent whose own endpoint it is.
        make_error: the error to answer with, once the caller has proved who they are.
    """

    operation: Operation
    surface: Surface
    api_version: str | None
    ids: tuple[str, ...]
    project: str | None = None
    make_error: Callable[[], ServiceError] | None = None
    agent: str | None = None


class RouteTable:
    """Finds the operation of a request.

    Args:
        operations: every row; a method and a path occur once on a surface.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        every = list(operations)
        rows = [row for row in every if row.base == "openai"]
        self._below: dict[Base, dict[str, Operation]] = {}
        for row in every:
            self._below.setdefault(row.base, {})[f"{row.method} {row.path}"] = row
        self._v1 = {f"{row.method} {row.path}": row for row in rows if row.is_v1}
        self._dated = {f"{row.method} {row.path}": row for row in rows if row.is_dated}
        self._collections = {_collection(row.path) for row in rows if row.is_v1}

    def find(self, method: str, path: str, query: str) -> MatchedRoute:
        """The route of a request; raises ServiceError (404) for an unknown one.

        `path` is percent-encoded as received and starts at the resource's root.
        """
        version = dict(parse_qsl(query)).get("api-version")
        segments = path.split("/")[1:]
        if segments[:2] == ["openai", "v1"]:
            return self._on_v1(method, segments[2:], version)
        if segments[:1] == ["openai"]:
            return self._on_dated(method, segments[1:], version)
        if segments[:2] == ["api", "projects"] and segments[3:5] == ["openai", "v1"]:
            return self._on_project(method, segments, version)
        if segments[:2] == ["api", "projects"] and segments[3:4] == ["agents"]:
            return self._on_agents(method, segments, version)
        return self._elsewhere(method, segments, version)

    def _elsewhere(self, method: str, segments: list[str], version: str | None) -> MatchedRoute:
        """What is not OpenAI's: Claude, the older model inference, serverless endpoints."""
        if segments[:1] == ["anthropic"]:
            # Any other path answers so, models and batches too (opencode#14879).
            is_v1 = segments[1:2] == ["v1"]
            operation, ids = self._match_below("anthropic", method, segments[2:])
            if operation is None or not is_v1:
                raise api_not_supported()
            return MatchedRoute(operation, "anthropic", version, ids)
        base: Literal["models", "serverless"] = "serverless"
        if segments[:1] == ["models"]:
            base = "models"
        begin = 1 if segments[:1] in (["models"], ["v1"]) else 0
        operation, ids = self._match_below(base, method, segments[begin:])
        if operation is None:
            raise resource_not_found()
        # Reported by anarlog#3928; a serverless endpoint needs no version.
        error = None if version or base == "serverless" else api_version_missing
        return MatchedRoute(operation, base, version, ids, make_error=error)

    def _on_agents(self, method: str, segments: list[str], version: str | None) -> MatchedRoute:
        """Definitions of agents, and below an agent's endpoint the v1 operations."""
        error = None if version else api_version_missing
        agent = None
        if segments[5:8] == ["endpoint", "protocols", "openai"]:
            agent = unquote(segments[4])
            operation, ids = _match(method, segments[8:], self._v1)
            # agent-framework#5680: only v1 is there, and no v1 in the path.
            if version not in (None, "v1"):
                raise resource_not_found()
        else:
            operation, ids = self._match_below("agents", method, segments[3:])
        if operation is None or not all(segments[3:]):
            # Without a version not even the path is looked at.
            if error is None:
                raise resource_not_found()
            raise error()
        project = unquote(segments[2])
        return MatchedRoute(operation, "agents", version, ids, project, error, agent)

    def _match_below(
        self, base: Base, method: str, segments: list[str]
    ) -> tuple[Operation | None, tuple[str, ...]]:
        return _match(method, segments, self._below.get(base, {})) if all(segments) else (None, ())

    def _on_v1(self, method: str, segments: list[str], version: str | None) -> MatchedRoute:
        """Absent, `v1` and `preview` are the whole enumeration of the v1 specification.

        Anything else is answered as openai/codex #3725 reports for dated versions.
        """
        operation, ids = self._v1_operation(method, segments)
        surface: Surface = "preview" if version == "preview" else "v1"
        is_known = version in (None, "v1", "preview")
        error = None if is_known else api_version_not_supported
        return MatchedRoute(operation, surface, version, ids, make_error=error)

    def _on_project(self, method: str, segments: list[str], version: str | None) -> MatchedRoute:
        """A project path takes no api-version at all (vercel/ai #14009)."""
        operation, ids = self._v1_operation(method, segments[5:])
        error = api_version_not_supported if version is not None else None
        return MatchedRoute(operation, "project", version, ids, unquote(segments[2]), error)

    def _v1_operation(self, method: str, segments: list[str]) -> tuple[Operation, tuple[str, ...]]:
        if segments[:1] == ["dashboard"]:
            # The one collection whose name has two parts.
            segments = ["/".join(segments[:2]), *segments[2:]]
        operation, ids = _match(method, segments, self._v1)
        if operation is not None and all(segments):
            return operation, ids
        # The two 404 differ: OpenAI's where the collection exists, the gateway's elsewhere.
        if segments and segments[0] in self._collections and all(segments):
            shown = "GET" if method == UPGRADE else method
            raise unknown_url(shown, "/v1/" + "/".join(segments))
        raise resource_not_found()

    def _on_dated(self, method: str, segments: list[str], version: str | None) -> MatchedRoute:
        """Without a dated version there is no such route at all (anomalyco/opencode #13999).

        The Responses API is in previews only, since 2025-03-01 (Aider-AI/aider #4029).
        """
        operation, ids = _match(method, segments, self._dated)
        if operation is None or not all(segments) or not _DATE.fullmatch(version or ""):
            raise resource_not_found()
        error = None
        if segments[0] == "responses":
            if not str(version).endswith("-preview"):
                raise resource_not_found()
            if str(version) < _FIRST_DATED:
                error = responses_need_newer_version
        return MatchedRoute(operation, "dated", version, ids, make_error=error)


def _collection(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[: 2 if parts[0] == "dashboard" else 1])


def _match(
    method: str, segments: list[str], table: dict[str, Operation]
) -> tuple[Operation | None, tuple[str, ...]]:
    is_id = [index % 2 == 1 and part not in _WORDS for index, part in enumerate(segments)]
    shape = "/".join("*" if one else part for one, part in zip(is_id, segments, strict=True))
    ids = tuple(unquote(part) for one, part in zip(is_id, segments, strict=True) if one)
    return table.get(f"{method} {shape}"), ids
