"""A method and a path → the operation they ask for.

The paths of OpenAI (`/v1/…`, and without a prefix, as LiteLLM serves them), of Azure's v1 surface
(`/openai/v1/…`) and of its dated one (`/openai/…`, `/openai/deployments/{d}/…`), so that the
clients of all of them can be pointed here. `api-version` is accepted and not looked at: which
version Azure is spoken to in is the deployment's affair.
"""

from dataclasses import dataclass
from urllib.parse import unquote

from azure_responses.errors import APIStatusError, BadRequestError, NotFoundError

__all__ = ["OPERATIONS", "MethodNotAllowedError", "Route", "UpgradeRefusedError", "find_route"]

OPERATIONS = {
    "create": ("POST", "/responses"),
    "compact": ("POST", "/responses/compact"),
    "input_tokens": ("POST", "/responses/input_tokens"),
    "retrieve": ("GET", "/responses/{response_id}"),
    "delete": ("DELETE", "/responses/{response_id}"),
    "cancel": ("POST", "/responses/{response_id}/cancel"),
    "input_items": ("GET", "/responses/{response_id}/input_items"),
    "chat": ("POST", "/chat/completions"),
    "models": ("GET", "/models"),
    "model": ("GET", "/models/{model}"),
}
"""Method and path of each operation, below any of the prefixes."""

_LONGEST_ID = 2048


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


@dataclass(frozen=True, slots=True)
class Route:
    """An operation, and what its path names: a stored response, a model or a deployment."""

    operation: str
    response_id: str | None = None
    model: str | None = None


_COLLECTIONS = {
    "responses": {"POST": "create"},
    "responses/compact": {"POST": "compact"},
    "responses/input_tokens": {"POST": "input_tokens"},
    "chat/completions": {"POST": "chat"},
    "models": {"GET": "models"},
}
_STORED = {
    "": {"GET": "retrieve", "DELETE": "delete"},
    "cancel": {"POST": "cancel"},
    "input_items": {"GET": "input_items"},
}
_ROUTES = {
    (method, f"{prefix}/{path}"): Route(operation)
    for prefix in ("", "/v1", "/openai", "/openai/v1")
    for path, methods in _COLLECTIONS.items()
    for method, operation in methods.items()
}
_BY_DEPLOYMENT = frozenset({"responses", "responses/compact", "chat/completions"})


def find_route(method: str, path: str) -> Route:
    """The route of a request; `path` is percent-encoded, as received.

    Raises:
        NotFoundError: there is no such path.
        MethodNotAllowedError: there is, but not for this method.
        BadRequestError: an id that no service can have given.
    """
    found = _ROUTES.get((method, path))
    return found if found is not None else _search(method, path)


def _search(method: str, path: str) -> Route:
    rest = _strip_prefix(path)
    if rest.startswith("deployments/"):
        deployment, _, rest = rest.removeprefix("deployments/").partition("/")
        if rest in _BY_DEPLOYMENT:
            operation = _pick(_COLLECTIONS[rest], method, path)
            return Route(operation, model=_decode(deployment))
        raise _unknown(method, path)
    if rest in _COLLECTIONS:
        return Route(_pick(_COLLECTIONS[rest], method, path))
    kind, _, name = rest.partition("/")
    if kind == "models" and name:
        # A model's name may hold slashes, encoded or not.
        return Route(_pick({"GET": "model"}, method, path), model=_decode(name))
    if kind == "responses" and name:
        name, _, part = name.partition("/")
        if name and part in _STORED:
            operation = _pick(_STORED[part], method, path)
            return Route(operation, response_id=_decode(name))
    raise _unknown(method, path)


def _strip_prefix(path: str) -> str:
    for prefix in ("/openai/v1/", "/openai/", "/v1/"):
        if path.startswith(prefix):
            return path[len(prefix) :]
    return path.removeprefix("/")


def _pick(methods: dict[str, str], method: str, path: str) -> str:
    if method not in methods:
        raise MethodNotAllowedError(_shown(method), _shown(path), tuple(methods))
    return methods[method]


def _decode(segment: str) -> str:
    text = unquote(segment, errors="replace")
    if not text.isprintable() or not text.isascii() or len(text) > _LONGEST_ID:
        raise BadRequestError(
            "The id or name in the path is none that was ever given.",
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
