"""The handshake of a WebSocket: who asks, whether they may, and what each turn takes from it."""

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from azure_responses.errors import APIStatusError
from azure_responses.gateway.admission import check_model
from azure_responses.gateway.allowed_routes import check_routes
from azure_responses.gateway.asgi_reply import (
    WEBSOCKET,
    ErrorResponse,
    Header,
    Scope,
    error_response,
)
from azure_responses.gateway.authentication import read_key
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.request_headers import read_headers
from azure_responses.openai_server.error_body import describe_error
from azure_responses.openai_server.route import MethodNotAllowedError, find_route
from azure_responses.routing.routing_errors import no_such_model

if TYPE_CHECKING:
    from azure_responses.gateway.gateway import Gateway

__all__ = ["Handshake", "bare_head", "websocket_scope"]

# What a browser has, which cannot send a header: OpenAI's realtime API takes a key so as well.
_KEY_PREFIX = "openai-insecure-api-key."
# What servers of this protocol call it; a browser gives up where none is chosen.
_SUBPROTOCOLS = ("openai-beta.responses.v1", "responses")
# Of the handshake alone. A turn has a body, and an id of its own.
_OWN_HEADERS = frozenset(
    {
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"keep-alive",
        b"prefer",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"x-litellm-call-id",
        b"x-request-id",
    }
)
_OWN_PREFIX = b"sec-websocket-"
_KEY_HEADERS = (b"sec-websocket-key", b"sec-websocket-version")
_LONGEST_QUERY = 100


class Handshake:
    """A request for a WebSocket.

    Args:
        scope: of the ASGI server.

    Attributes:
        path: percent-encoded.
        model: the one in the query, for turns that name none.
        subprotocol: the one to choose among those offered.
        headers: of each turn.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.path = _raw_path(scope)
        offered: list[str] = scope.get("subprotocols") or []
        self.subprotocol = next((name for name in offered if name in _SUBPROTOCOLS), None)
        self.model = _model_in(scope["query_string"])
        self.headers = _turn_headers(scope["headers"], offered)

    async def check(self, gateway: "Gateway") -> ApiCaller | ErrorResponse:
        """The caller, or why there is no connection for them."""
        if gateway.hosts is not None:
            scope = self._scope
            error = gateway.hosts.check(scope["headers"], scope.get("http_version", "1.1"))
            if error is not None:
                return error
        error = gateway.check_address(self._scope)
        if error is not None:
            return error
        if gateway.shutdown.is_draining:
            return gateway.shutdown.refusal
        headers = read_headers({"headers": self.headers})
        caller = gateway.access.authenticate(headers, time.time())
        if isinstance(caller, ErrorResponse):
            caller = await gateway.authenticate_again(headers, caller)
        if isinstance(caller, ErrorResponse):
            return caller
        return self._check_rights(gateway, caller) or caller

    def _check_rights(self, gateway: "Gateway", caller: ApiCaller) -> ErrorResponse | None:
        try:
            route = find_route("POST", self.path)
            if route.operation != "create":
                return _no_websocket_here()
            if self.model and not gateway.router.parts.reader.routing.group_of(self.model):
                raise no_such_model(self.model)
        except MethodNotAllowedError:
            return _no_websocket_here()
        except APIStatusError as error:
            status, fields = describe_error(error)
            return ErrorResponse(status, {"error": fields})
        served = gateway.settings.allowed_routes
        refused = check_routes(served, caller.allowed_routes, route.row)
        return refused or check_model(caller, self.model or route.model)

    def turn_scope(self) -> Scope:
        """The scope of a turn, as if it had come as a request of its own."""
        scope = {
            name: self._scope[name]
            for name in ("asgi", "client", "path", "raw_path", "root_path", "server", "state")
            if name in self._scope
        }
        scheme = "https" if self._scope.get("scheme") == "wss" else "http"
        return {
            **scope,
            "type": "http",
            "method": "POST",
            "scheme": scheme,
            "http_version": "1.1",
            "query_string": b"",
            "headers": self.headers,
        }


def _turn_headers(headers: list[Header], offered: list[str]) -> list[Header]:
    kept = [(name, value) for name, value in headers if _is_of_a_turn(name)]
    kept.append((b"content-type", b"application/json"))
    if read_key(read_headers({"headers": kept})) is None:
        keys = [name for name in offered if name.startswith(_KEY_PREFIX)]
        for key in keys[:1]:
            text = f"Bearer {key.removeprefix(_KEY_PREFIX)}"
            kept.append((b"authorization", text.encode("latin-1", "replace")))
    return kept


def _is_of_a_turn(name: bytes) -> bool:
    return name not in _OWN_HEADERS and not name.startswith(_OWN_PREFIX)


def _model_in(query: bytes) -> str | None:
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=_LONGEST_QUERY)
    except ValueError:
        return None
    return next((value for name, value in pairs if name == "model"), None)


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _no_websocket_here() -> ErrorResponse:
    return error_response(
        404,
        "WebSocket connections are served at /v1/responses.",
        code="unknown_url",
    )


def bare_head(scope: Scope) -> bytes:
    """The request with the headers of its handshake alone."""
    lines = [b"GET / HTTP/1.1", b"upgrade: websocket", b"connection: upgrade"]
    lines += [b"%b: %b" % pair for pair in scope["headers"] if pair[0] in _KEY_HEADERS]
    return b"\r\n".join([*lines, b"", b""])


def websocket_scope(scope: Scope, websocket: Any) -> Scope:
    """The scope of a handshake that came as a request over HTTP; `websocket` carries it."""
    offered = [value for name, value in scope["headers"] if name == b"sec-websocket-protocol"]
    names = b",".join(offered).decode("latin-1").split(",")
    return {
        **scope,
        "type": "websocket",
        "asgi": {**scope["asgi"], "spec_version": "2.4"},
        "scheme": "wss" if scope["scheme"] == "https" else "ws",
        "subprotocols": [name.strip() for name in names if name.strip()],
        "extensions": {"websocket.http.response": {}},
        WEBSOCKET: websocket,
    }
