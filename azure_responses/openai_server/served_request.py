"""A request of the OpenAI surface, read once: what it asks, for whom, and where it may go."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from azure_responses.errors import (
    AzureResponsesError,
    ConfigurationError,
    CredentialError,
)
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.error_body import unusable_credential
from azure_responses.openai_server.exchange import ApiRequest
from azure_responses.openai_server.merged_reasoning import MergedReasoning
from azure_responses.openai_server.passed_request import read_passed_body
from azure_responses.openai_server.request_json import (
    drop_status,
    invalid_request,
    read_object,
    refuse_connection_fields,
)
from azure_responses.openai_server.route import ServedRoute, UpgradeRefusedError, find_route
from azure_responses.openai_server.served_object import QueryPairs, read_object_request
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.dropped_parameters import DROP_PARAMETERS
from azure_responses.protocol.object_table import PASSED_OPERATIONS
from azure_responses.protocol.operation_table import QUERY_PARAMETERS, APIOperation
from azure_responses.router.passed_request import PassedRequest, route_passed
from azure_responses.router.prepared_request import ReceivedBody
from azure_responses.router.request_reader import RequestReader, leave_out_named
from azure_responses.router.routed_object import RoutedObject
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.router.stored_request import StoredRequest
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.route_request import RouteRequest, unknown_response
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.routing_errors import no_such_model
from azure_responses.routing.settings import RouterSettings
from azure_responses.routing.token_estimate import estimate_passed_tokens
from azure_responses.timeouts import Timeout

__all__ = ["ServedRequest", "read_call"]

_TIMEOUT = "x-litellm-timeout"
_OF_DROPPING = frozenset({"drop_params", DROP_PARAMETERS})
# As long as a value of Azure's metadata may be.
_LONGEST_NAME = 512
# What LiteLLM's clients write into a body, and the headers that say the same.
_SESSIONS = {
    "litellm_session_id": "x-litellm-session-id",
    "litellm_trace_id": "x-litellm-trace-id",
}
_MERGES = "merge_reasoning_content_in_choices"
# What callers of Messages say besides the body; a deployment that speaks another API gets neither.
_ANTHROPIC = ("anthropic-version", "anthropic-beta")


@dataclass(slots=True)
class ServedRequest:
    """One call, ready to be made.

    Attributes:
        request: as it came.
        route: what it asks for.
        summary: what is known of it so far.
        body: of a POST, as sent; empty otherwise.
        routed: what the router makes of it; None of operations that are not routed.
        is_stream: the answer comes as events.
        failures: of its attempts, those among them that another attempt followed.
        wants_merged: the caller asks for the reasoning of a chat inside its content.
        merged: puts it there; None leaves both as they are.
    """

    request: ApiRequest
    route: ServedRoute
    summary: CallSummary
    body: dict[str, Any] = field(default_factory=dict)
    routed: RoutedRequest | StoredRequest | RoutedObject | PassedRequest | None = None
    is_stream: bool = False
    failures: list[BaseException] = field(default_factory=list)
    wants_merged: bool = False
    merged: MergedReasoning | None = None

    @property
    def operation(self) -> str:
        """`create`, `chat`, `messages`, `retrieve`, …"""
        return self.route.operation

    @property
    def caller(self) -> APIName:
        """The API that the caller uses."""
        return self.route.row.caller

    @property
    def group(self) -> str | None:
        """The model asked for."""
        return self.summary.group

    @property
    def asked(self) -> RoutedRequest | StoredRequest | RoutedObject:
        """What the router makes of the request; for operations that are routed by attempts."""
        assert self.routed is not None
        assert not isinstance(self.routed, PassedRequest)
        return self.routed

    @property
    def posted(self) -> RoutedRequest:
        """What the router makes of a POST."""
        assert isinstance(self.routed, RoutedRequest)
        return self.routed

    @property
    def route_request(self) -> RouteRequest:
        """What routing is asked; for operations that are routed."""
        assert self.routed is not None
        return self.routed.route_request

    @property
    def timeout(self) -> Timeout:
        """Of the whole call; for operations that are routed."""
        return self.asked.timeout

    @contextmanager
    def attempt(self, deployment: Deployment, call: RoutedCall) -> Iterator[None]:
        """One attempt of this call: note it, how long it took, and how it failed."""
        summary, began = self.summary, time.monotonic()
        summary.deployment_id = deployment.id
        summary.deployment = deployment.name_for(call.group)
        summary.base_model = deployment.base_model
        summary.prices = deployment.prices
        if self.caller == "chat" and (deployment.merges_reasoning or self.wants_merged):
            self.merged = MergedReasoning()
        summary.attempts = call.attempts
        summary.fallbacks = len(call.fallbacks)
        try:
            yield
        except AzureResponsesError as error:
            told = error
            # A mistake in an entry is the operator's: a 400 would blame the caller.
            if isinstance(error, ConfigurationError) and not isinstance(error, CredentialError):
                told = unusable_credential(error)
            self.failures.append(told)
            if told is error:
                raise
            raise told from error
        finally:
            summary.upstream_seconds += time.monotonic() - began


def read_call(
    request: ApiRequest, reader: RequestReader, *, call_id: str, now: float
) -> ServedRequest:
    """Read a request; `now` is unix seconds.

    Raises:
        APIStatusError: it cannot be answered here, even if Azure would accept it.
    """
    if request.headers.get("upgrade", "").lower() == "websocket":
        raise UpgradeRefusedError
    route = find_route(request.method, request.path)
    summary = CallSummary(call_id, route.operation, owner=request.owner, started_at=now)
    if request.turn is not None:
        summary.transport = "websocket"
    call = ServedRequest(request, route, summary)
    try:
        if route.operation in PASSED_OPERATIONS:
            _read_passed(call, reader)
        elif route.row.needs_model:
            _read_posted(call, reader)
        else:
            refuse_connection_fields({}, request.headers)
            if route.row.is_stored:
                _read_stored(call, reader)
            elif route.row.collection:
                _read_object(call, reader)
    except ConfigurationError as error:
        raise invalid_request(error.message, hint=error.hint) from error
    return call


def _read_posted(call: ServedRequest, reader: RequestReader) -> None:
    request, route, summary = call.request, call.route, call.summary
    body = read_object(request.body)
    refuse_connection_fields(body, request.headers)
    # A path below /openai/deployments says what is meant, whatever the body says.
    if route.model is not None:
        body["model"] = route.model
    summary.group = _read_model(body, request, reader.routing)
    caller = route.row.caller
    is_changed = not _OF_DROPPING.isdisjoint(body)
    body, left_out = _leave_out(body, caller)
    settings = reader.routing.settings
    if settings.enforced_params or settings.enforce_user_param:
        _require(body, settings, request.headers)
    received = ReceivedBody(request.body, body, summary.call_id)
    received.is_changed = is_changed
    if caller == "chat":
        received.is_changed |= _read_chat_settings(call, body, reader.routing)
    received.is_changed |= drop_status(body)
    headers = request.headers
    if not body.keys().isdisjoint(_SESSIONS):
        headers, received.is_changed = _take_session(body, headers), True
    call.body = body
    call.is_stream = summary.is_stream = _read_stream(body, route.row)
    call.routed = reader.read(
        _arguments(call),
        operation=route.operation,
        is_stream=call.is_stream,
        caller=caller,
        # A caller continues ids that they got here, not ids that they found elsewhere.
        must_own=request.owner is not None,
        received=received,
        turn=request.turn if route.operation == "create" else None,
        headers=headers,
    )
    call.routed.left_out = left_out
    named = settings.user_header_name
    if named is not None and call.routed.end_user is None:
        call.routed.end_user = request.headers.get(named)
    summary.end_user = _check_end_user(call.routed.end_user)


# Each may name the end user, in one API or another.
_END_USERS = ("user", "safety_identifier", "metadata.user_id")


def _require(body: Mapping[str, Any], settings: RouterSettings, headers: Mapping[str, str]) -> None:
    """Refuse a body without a parameter that `enforced_params` names; dots lead into an object."""
    missing = [name for name in settings.required if _find(body, name) is None]
    has_header = settings.user_header_name is not None and settings.user_header_name in headers
    is_named = has_header or any(_find(body, name) is not None for name in _END_USERS)
    if "user" in missing and is_named:
        missing.remove("user")
    if missing:
        raise invalid_request(
            f"This gateway requires {', '.join(missing)}.",
            param=missing[0],
            code="missing_required_parameter",
            hint="Send it with every call.",
        )


def _find(body: Mapping[str, Any], path: str) -> Any:
    found: Any = body
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _read_chat_settings(
    call: ServedRequest, body: dict[str, Any], routing: DeploymentRegistry
) -> bool:
    """What LiteLLM's settings of chats make of the body; True if they change it."""
    is_changed = False
    if _MERGES in body:
        call.wants_merged = _read_choice(body, _MERGES)
        del body[_MERGES]
        is_changed = True
    options = body.get("stream_options") or {}
    is_silent = isinstance(options, Mapping) and "include_usage" not in options
    if routing.settings.always_include_stream_usage and body.get("stream") is True and is_silent:
        body["stream_options"] = {**options, "include_usage": True}
        is_changed = True
    return is_changed


def _take_session(body: dict[str, Any], headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, with the session that a LiteLLM client names in a body, which Azure refuses."""
    found = [(header, body.pop(name, None)) for name, header in _SESSIONS.items()]
    return {**{header: text for header, text in found if isinstance(text, str)}, **headers}


def _check_end_user(end_user: str | None) -> str | None:
    if end_user is not None and len(end_user) > _LONGEST_NAME:
        # It is kept with what it has cost, and with each response that is stored for it.
        raise invalid_request(
            f"The name of the end user is longer than {_LONGEST_NAME} characters.",
            code="invalid_value",
            hint="Name them in safety_identifier, user or metadata.user_id by an id or a hash.",
        )
    return end_user


def _read_passed(call: ServedRequest, reader: RequestReader) -> None:
    """A call of embeddings, images or audio."""
    request, route, summary = call.request, call.route, call.summary
    body, form = read_passed_body(request, takes_form=route.row.is_form)
    if route.model is not None:
        body["model"] = route.model
    summary.group = _read_model(body, request, reader.routing)
    call.body = body
    call.is_stream = summary.is_stream = _read_stream(body, route.row)
    options = _options(request)
    counts = reader.facts_of(summary.group).counts_tokens
    tokens = estimate_passed_tokens(body) if counts else 0
    call.routed = PassedRequest(
        route.row,
        route_passed(summary.group, options, tokens=tokens, is_stream=call.is_stream),
        body,
        request.body,
        request.headers.get("content-type", "application/json"),
        form,
        options.get("timeout", reader.timeout),
        options,
        request.owner,
        summary.call_id,
        call.is_stream,
    )
    summary.end_user = _check_end_user(call.routed.end_user)


def _arguments(call: ServedRequest) -> dict[str, Any]:
    """What a router's own method would be called with."""
    arguments = {name: value for name, value in call.body.items() if name != "stream"}
    if call.is_stream and call.operation == "create":
        arguments["stream"] = True
    return arguments | _options(call.request)


def _options(request: ApiRequest) -> dict[str, Any]:
    """The options of the call that the request itself decides."""
    options: dict[str, Any] = {}
    headers = {name: value for name in _ANTHROPIC if (value := request.headers.get(name))}
    if headers:
        options["extra_headers"] = headers
    if request.owner is not None:
        options["owner"] = request.owner
    timeout = _read_timeout(request.headers)
    if timeout is not None:
        options["timeout"] = timeout
    return options


def _read_model(body: Mapping[str, Any], request: ApiRequest, routing: DeploymentRegistry) -> str:
    model = body.get("model")
    if model is None:
        names = list(routing.groups)
        if len(names) == 1 and names[0] != "*":
            return routing.callable_name(names[0], request.may_call) or names[0]
        raise invalid_request(
            "No model was given.",
            param="model",
            code="missing_required_parameter",
            hint="GET /v1/models lists what there is.",
        )
    if not isinstance(model, str) or not model:
        raise invalid_request("model is not a name.", param="model", code="invalid_type")
    # Where any name is served, each name is kept in tables and logs.
    if len(model) > _LONGEST_NAME:
        raise invalid_request(
            f"model is longer than {_LONGEST_NAME} characters.", param="model", code="invalid_value"
        )
    if not routing.group_of(model):
        raise no_such_model(model)
    return model


def _read_choice(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise invalid_request(f"{name} is neither true nor false.", param=name)
    return value


def _leave_out(body: dict[str, Any], caller: APIName) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body without what its own `additional_drop_params` names, and what that was.

    The reader takes out `drop_params`.
    """
    if "drop_params" in body:
        _read_choice(body, "drop_params")
        if body["drop_params"] is None:
            del body["drop_params"]
    names = body.pop(DROP_PARAMETERS, None)
    if names is None:
        return body, ()
    try:
        return leave_out_named(body, names, caller)
    except ConfigurationError as error:
        raise invalid_request(error.message, param=DROP_PARAMETERS, hint=error.hint) from error


def _read_stream(body: Mapping[str, Any], row: APIOperation) -> bool:
    stream = _read_choice(body, "stream")
    if stream and row.streams != "body":
        raise invalid_request("This operation is not streamed.", param="stream")
    return stream


def _read_timeout(headers: Mapping[str, str]) -> float | None:
    given = headers.get(_TIMEOUT)
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 86_400:
        raise invalid_request(f"{_TIMEOUT} is no number of seconds.", param=_TIMEOUT)
    return seconds


def _read_stored(call: ServedRequest, reader: RequestReader) -> None:
    request, route, summary = call.request, call.route, call.summary
    assert route.response_id is not None
    owner = request.owner
    # An id of Azure has no owner, so that it may be another caller's.
    if owner is not None and reader.affinity.read_id(route.response_id, owner) is None:
        raise unknown_response(route.response_id, "response_id")
    stored = reader.read_stored(route.response_id, _options(request), route.operation)
    stored.query = _read_query(request.query, reader, stored)
    stored.call_id = summary.call_id
    if route.row.streams == "query":
        stored.is_stream = stored.query.get("stream") == "true"
    summary.group = stored.route_request.group
    call.routed, call.is_stream = stored, stored.is_stream
    summary.is_stream = stored.is_stream


def _read_object(call: ServedRequest, reader: RequestReader) -> None:
    request, summary = call.request, call.summary
    call.routed = read_object_request(
        request,
        call.route,
        reader.objects,
        query=_split_query(request.query),
        options=_options(request),
        call_id=summary.call_id,
    )
    summary.group = call.routed.route_request.group


def _read_query(query: str, reader: RequestReader, stored: StoredRequest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _split_query(query):
        # Such as `api-version`, which each deployment has for itself.
        if name not in QUERY_PARAMETERS and not name.startswith("include["):
            continue
        if name in ("after", "before") and value:
            value = reader.read_cursor(value, stored, name) or value
        if name in ("stream", "include_obfuscation"):
            value = _read_flag(name, value)
        if name in ("limit", "starting_after"):
            _check_number(name, value)
        if name.startswith("include") and name != "include_obfuscation":
            found.setdefault("include[]", []).append(value)
        else:
            found[name] = value
    return found


def _split_query(query: str) -> QueryPairs:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise invalid_request("The query cannot be read.") from error


def _read_flag(name: str, value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise invalid_request(f"{name} is neither true nor false.", param=name)
    return value.lower()


def _check_number(name: str, value: str) -> None:
    if not (value.isascii() and value.isdecimal() and len(value) < 16):
        raise invalid_request(f"{name} is no whole number.", param=name)
