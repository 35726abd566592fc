"""Reads what a router is asked: for whom, which ids it names, and so where it has to go."""

import re
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from azure_responses.errors import (
    BadRequestError,
    ConfigurationError,
    ResponseNotFoundError,
)
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.dropped_parameters import (
    DROP_PARAMETERS,
    NEVER_DROPPED,
    read_dropped,
)
from azure_responses.protocol.stored_response import SEALED, is_kept_here
from azure_responses.router.arguments import (
    EXTRAS,
    ChatOptions,
    check_id,
    check_options,
    end_user_of,
    is_altered,
    list_messages,
    read_history,
)
from azure_responses.router.connection_turn import ConnectionTurn
from azure_responses.router.object_reader import ObjectReader
from azure_responses.router.prepared_request import ReceivedBody
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.router.stored_request import StoredRequest
from azure_responses.routing.affinity import Affinity, RequestIds
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.id_schema import REQUEST
from azure_responses.routing.object_place import ObjectPlaces
from azure_responses.routing.prompt_cache_keys import AffinityKind, CacheKeys, PromptCacheKeys
from azure_responses.routing.route_request import Pin, RouteRequest, unknown_response
from azure_responses.routing.signed_id import IdSigner, SignedId, show_id
from azure_responses.routing.tag_routing import TAG_HEADER, TAG_PLACES, take_tags
from azure_responses.routing.token_estimate import (
    estimate_input_tokens,
    estimate_output_tokens,
    has_output_limit,
)
from azure_responses.timeouts import deadline_of, shortest_of
from azure_responses.transport import Timeout, patience_of

__all__ = ["RequestReader", "continued_by", "leave_out_named"]

_OWN = frozenset(
    {
        "model",
        "timeout",
        "owner",
        "on_origin_down",
        "history",
        "drop_params",
        DROP_PARAMETERS,
        *EXTRAS,
    }
)
# What needs no check here.
_CHECKED = frozenset({"model", *EXTRAS})
_LABEL_PLACES = frozenset(REQUEST.fields or ()) - {"input"}
_MOST_FACTS = 1000
_NAMED: frozenset[AffinityKind] = frozenset({"session_affinity"})
# A signature that `bridge.conversions.ResourceSealer` has written.
_OF_RESOURCE = re.compile(r"([0-9a-f]{8})\." + re.escape(SEALED))


class _Facts(NamedTuple):
    """What calls of one model name have in common.

    Attributes:
        counts_tokens: a limit or a window needs to know how long they are.
        sole_resource: the one resource behind the name, or None when there are several.
        affinity: what ties a call to a deployment that served one before; empty where there is only
            one deployment.
    """

    counts_tokens: bool
    sole_resource: str | None
    affinity: frozenset[AffinityKind]


class RequestReader:
    """Reads calls for one router.

    Args:
        routing: knows the deployments.
        signer: makes and reads labels.
        affinity: finds them in requests.
        cache_keys: makes the keys of prompt caches.
        timeout: of calls that name none.
        chat_options: how chat completions are served.

    Attributes:
        objects: reads calls on stored objects.
    """

    def __init__(
        self,
        routing: DeploymentRegistry,
        signer: IdSigner,
        affinity: Affinity,
        *,
        cache_keys: PromptCacheKeys,
        timeout: Timeout,
        chat_options: ChatOptions,
    ) -> None:
        self.routing = routing
        self.signer = signer
        self.affinity = affinity
        self._cache_keys = cache_keys
        self.timeout = timeout
        self.chat_options = chat_options
        self.cache = chat_options.reasoning_cache
        self.objects = ObjectReader(self, ObjectPlaces(routing, affinity), timeout)
        self._facts: dict[str, _Facts] = {}

    def read(
        self,
        arguments: Mapping[str, Any],
        *,
        operation: str = "create",
        is_stream: bool = False,
        caller: APIName = "responses",
        must_own: bool = False,
        received: ReceivedBody | None = None,
        turn: ConnectionTurn | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RoutedRequest:
        """A create-like call.

        Args:
            arguments: parameters and options.
            operation: of the table of operations: `create`, `compact`, `chat`, ….
            is_stream: the answer is asked for as events.
            caller: the API whose parameters they are.
            must_own: the owner may name only responses and items that a router gave out.
            received: the body, of a request that came as bytes.
            turn: of a WebSocket connection; None over HTTP.
            headers: of the caller's request, names in lower case, which may name a session; None
                reads `extra_headers`.

        Raises:
            ConfigurationError: no model.
            BadRequestError, ResponseNotFoundError: signed ids that cannot be followed.
        """
        body, own = _split(arguments)
        left_out: tuple[str, ...] = ()
        if DROP_PARAMETERS in own:
            body, left_out = leave_out_named(body, own[DROP_PARAMETERS], caller)
        tags: tuple[str, ...] = ()
        # Nearly no call names any.
        if not body.keys().isdisjoint(TAG_PLACES) or (headers and TAG_HEADER in headers):
            tags = self._take_tags(body, received, headers)
        # Some clients send a Responses body to the chat route (litellm#34029).
        if caller == "chat" and "input" not in body:
            body["messages"] = list_messages(body.get("messages"))
        carried = None if turn is None else turn.carried
        if carried is not None:
            # No service knows it; where the call has to go, its items say.
            body.pop("previous_response_id", None)
        request = self._interpret(body, own, is_stream, caller, must_own, headers)
        request.operation, request.received, request.caller = operation, received, caller
        request.drops_params, request.left_out = own.get("drop_params"), left_out
        request.warns = received is None
        if tags:
            request.route_request = request.route_request._replace(tags=tags)
        if turn is not None:
            _join(request, turn)
        return request

    def _take_tags(
        self,
        body: dict[str, Any],
        received: ReceivedBody | None,
        headers: Mapping[str, str] | None,
    ) -> tuple[str, ...]:
        """The tags of a call, which are not sent to a service."""
        before = [body.get(name) for name in TAG_PLACES]
        tags = take_tags(body, headers)
        if received is not None and any(
            body.get(name) is not value for name, value in zip(TAG_PLACES, before, strict=True)
        ):
            received.is_changed = True
        return tags

    def _interpret(
        self,
        body: dict[str, Any],
        own: Mapping[str, Any],
        is_stream: bool,
        caller: APIName,
        must_own: bool,
        headers: Mapping[str, str] | None,
    ) -> RoutedRequest:
        """The request of parameters and options: its ids, where they lead, and for whom it is."""
        model, owner = self._model(own.get("model")), own.get("owner")
        extra = own.get("extra_body")
        # In the order in which it is sent: `extra_body` wins.
        merged = {**body, **extra} if extra else body
        # Messages name nothing that a service stores.
        ids = None if caller == "messages" else self._read_ids(merged, owner, must_own)
        # An id that the caller names says more than where the cache's reasoning was encrypted.
        pin = None if ids is None else self._pin(ids, model, owner)
        if caller == "messages":
            pin = self._thinking_pin(merged, model)
        elif pin is None and caller == "chat":
            pin = self._cached_pin(merged)
        return RoutedRequest(
            self,
            self._route_request(model, merged, pin, own, is_stream, ids, headers),
            body,
            {name: own[name] for name in EXTRAS if name in own},
            own.get("timeout", self.timeout),
            ids,
            owner,
            end_user_of(merged),
            # Azure stores responses by default; the bridge stores chat completions only if asked
            # to.
            merged.get("store", caller == "responses") is not False,
            read_history(own.get("history")),
            is_stream=is_stream,
        )

    def _read_ids(
        self, body: Mapping[str, Any], owner: str | None, must_own: bool
    ) -> RequestIds | None:
        """The signed ids of a body; None where it has no place for any."""
        # A walk over the whole body costs more than everything else that is read here.
        if _is_plain(body):
            return None
        ids = self.affinity.read(body, owner)
        if must_own:
            ids.pins.require_own()
        return ids

    def read_stored(
        self, response_id: str, arguments: Mapping[str, Any], operation: str = "retrieve"
    ) -> StoredRequest:
        """A call about one stored response; takes the options of a call from `arguments`.

        Raises:
            BadRequestError: an id of the service, which several resources may have given.
            ResponseNotFoundError: a forged id, another owner's, or of a deployment that is gone.
        """
        check_options(arguments)
        owner = arguments.get("owner")
        timeout = arguments.get("timeout", self.timeout)
        label = self.affinity.read_id(check_id(response_id), owner, "response_id")
        if label is None:
            label = self._raw_label(response_id)
        deadline, patience = _time_of(arguments)
        is_ours = is_kept_here(label.inner)
        route_request = RouteRequest(
            self._maker(label, response_id).group,
            # What is stored on our side is known to every deployment's client.
            pin=Pin(label.resource, label.deployment, "response_id", not is_ours, is_ours),
            deadline=deadline,
            can_move=is_ours,
            patience=patience,
            is_altered=is_altered(arguments),
        )
        return StoredRequest(
            self,
            route_request,
            label.inner,
            owner,
            timeout,
            {label.inner: response_id},
            operation,
            options={name: arguments[name] for name in EXTRAS if name in arguments},
        )

    def _maker(self, label: SignedId, response_id: str) -> Deployment:
        """The deployment that made a stored thing, else another one of its resource."""
        maker = self.routing.by_tag(label.deployment)
        # Any deployment of a resource can read what another one of it made.
        maker = maker or next(iter(self.routing.of_resource(label.resource)), None)
        if maker is None:
            raise ResponseNotFoundError(
                f"response_id {show_id(response_id)} was made by a deployment that is gone.",
                status_code=404,
                param="response_id",
                hint="Keep an entry for its resource in model_list until its responses expire.",
            )
        return maker

    def poll_options(self, left: float | None) -> dict[str, float]:
        """The options of one poll, when so many seconds of the wait are left."""
        if left is None:
            return {}
        return {"timeout": min(left, patience_of(self.timeout) or left)}

    def read_cursor(
        self, item_id: str | None, request: StoredRequest, field: str = "after"
    ) -> str | None:
        """An item's id as the service knows it that stores the response.

        Raises:
            BadRequestError: it is not a string.
            ResponseNotFoundError: it is of another owner or resource, or forged.
        """
        if item_id is None:
            return None
        # Without a signature it is Azure's own id, and Azure says whether the response has the
        # item.
        label = self.affinity.read_id(check_id(item_id, field), request.owner, field)
        if label is None:
            return item_id
        if (
            request.route_request.pin is not None
            and label.resource != request.route_request.pin.resource
        ):
            raise unknown_response(item_id, field)
        return label.inner

    def _model(self, given: Any) -> str:
        if isinstance(given, str) and given:
            return given
        groups: list[str] = list(self.routing.groups)
        # One group needs no name, unless it takes any.
        if given is None and len(groups) == 1 and groups[0] != "*":
            return groups[0]
        problem = f"model is a {type(given).__name__}, not a string."
        raise ConfigurationError(
            problem if given else "No model was given.",
            hint=f"Pass model=…, one of {', '.join(groups).replace('*', 'your deployments')}.",
        )

    def _pin(self, ids: RequestIds, model: str, owner: str | None) -> Pin | None:
        pins = ids.pins
        if pins.unreadable and (owner is not None or self.sole_resource(model) is None):
            pins.require_ids()
        if pins.hard is not None or not (pins.raw or pins.raw_ciphertexts):
            return pins.pin
        sole = self.sole_resource(model)
        # An id of Azure does not say whose it is, unless there is only one resource.
        if pins.raw:
            if sole is None:
                pins.require_labels()
            elif pins.soft is None or pins.soft.resource == sole:
                return Pin(sole, None, pins.raw[0].path)
        # Not hard: without its encrypted reasoning a request can still be answered elsewhere.
        if pins.soft is None and sole is not None:
            return Pin(sole, None, pins.raw_ciphertexts[0], is_hard=False)
        return pins.pin

    def _cached_pin(self, chat: Mapping[str, Any]) -> Pin | None:
        """Where the latest reasoning was encrypted that the cache will restore."""
        if self.cache is None or not len(self.cache):
            return None
        given = chat.get("messages")
        messages = given if isinstance(given, list) else ()
        # From the end: the latest reasoning is what the model goes on from.
        for place in range(len(messages) - 1, -1, -1):
            resource = self._resource_of(messages[place])
            if resource is not None:
                return Pin(resource, None, f"messages[{place}].tool_calls", is_hard=False)
        return None

    def _thinking_pin(self, body: Mapping[str, Any], model: str) -> Pin | None:
        """Where the latest thinking was written, if only that resource can read it."""
        given = body.get("messages")
        messages: list[Any] = given if isinstance(given, list) else []
        for message in reversed(messages):
            tag = _resource_in(_field(message, "content"))
            if tag is not None:
                members = self.routing.group_of(model)
                maker = next((one for one in members if one.resource == tag), None)
                return Pin(tag, maker.tag, "messages", False, True) if maker else None
        return None

    def _resource_of(self, message: Any) -> str | None:
        calls = _field(message, "tool_calls")
        if not calls or _field(message, "reasoning_items") or self.cache is None:
            return None
        ids = [_field(call, "id") for call in calls]
        kept = self.cache.recall([id_ for id_ in ids if isinstance(id_, str)], time.time())
        items = (kept.reasoning_items if kept else None) or ()
        return next((item["resource"] for item in items if item.get("resource")), None)

    def _route_request(
        self,
        model: str,
        body: Mapping[str, Any],
        pin: Pin | None,
        own: Mapping[str, Any],
        is_stream: bool,
        ids: RequestIds | None,
        headers: Mapping[str, str] | None,
    ) -> RouteRequest:
        facts = self.facts_of(model)
        counts, cache = facts.counts_tokens, None
        if facts.affinity:
            # What a call continues leads to its cache, so that its text need not be looked at. Its
            # session is remembered still, for calls that continue nothing.
            is_led = pin is not None and pin.deployment is not None
            kinds = facts.affinity & _NAMED if is_led else facts.affinity
            cache = self._cache_of(model, body, own, kinds, headers)
        deadline, patience = _time_of(own)
        return RouteRequest(
            model,
            estimate_input_tokens(body) if counts else 0,
            estimate_output_tokens(body) if counts else 0,
            pin,
            deadline,
            is_stream,
            True,
            own.get("on_origin_down"),
            patience,
            len(own) > 1 and is_altered(own),
            counts and not has_output_limit(body),
            0 if ids is None else self._context_of(body, ids),
            cache=cache,
        )

    def _cache_of(
        self,
        model: str,
        body: Mapping[str, Any],
        own: Mapping[str, Any],
        kinds: frozenset[AffinityKind],
        headers: Mapping[str, str] | None,
    ) -> CacheKeys | None:
        """The keys of a call's prompt cache."""
        given = own.get("extra_headers")
        if headers is None and given:
            headers = {str(name).lower(): value for name, value in dict(given).items()}
        group = self.routing.resolve(model)
        return self._cache_keys.of(
            body, kinds, group=group, owner=own.get("owner"), headers=headers
        )

    def _context_of(self, body: Mapping[str, Any], ids: RequestIds) -> int:
        """Tokens of what a request continues, as far as it passed through here."""
        known, given = self.routing.contexts.tokens_of, continued_by(body)
        # It may have been noted as it was given out, or before it had its label.
        return 0 if given is None else known(given) or known(ids.inner_id(given))

    def facts_of(self, model: str) -> "_Facts":
        """What calls of a model name have in common; worked out once."""
        facts = self._facts.get(model)
        if facts is None:
            routing = self.routing
            facts = _Facts(
                self._must_count(), routing.sole_resource(model), routing.affinity_of(model)
            )
            # Where any name is served, there is no end of names.
            if len(self._facts) < _MOST_FACTS:
                self._facts[model] = facts
        return facts

    def sole_resource(self, model: str) -> str | None:
        """The one resource behind a model name, or None when there are several."""
        return self.facts_of(model).sole_resource

    def _must_count(self) -> bool:
        settings = self.routing.settings
        if settings.needs_headroom or settings.context_window_fallbacks:
            return True
        # Of all deployments, since a fallback may lead to any.
        return any(one.tpm or one.max_input_tokens for one in self.routing.deployments)

    def _raw_label(self, response_id: str) -> SignedId:
        resources = {one.resource: one for one in self.routing.deployments}
        if len(resources) != 1:
            raise BadRequestError(
                f"response_id {show_id(response_id)} was not given out by this router, which has "
                f"{len(resources)} resources and cannot know which of them stores it.",
                status_code=400,
                param="response_id",
                hint="router.import_id(id, deployment=…) makes an id that says it.",
            )
        (deployment,) = resources.values()
        return SignedId(response_id, deployment.tag, deployment.resource)


def continued_by(body: Mapping[str, Any]) -> str | None:
    """The id, as the caller gave it, of the response or conversation that a request continues."""
    within = body.get("conversation")
    within = within.get("id") if isinstance(within, Mapping) else within
    found = (body.get("previous_response_id"), within)
    return next((each for each in found if each and isinstance(each, str)), None)


def _resource_in(content: Any) -> str | None:
    """The resource whose encrypted reasoning a message of Messages carries."""
    for block in content if isinstance(content, list) else ():
        signature = _field(block, "signature")
        found = _OF_RESOURCE.match(signature) if isinstance(signature, str) else None
        if found is not None:
            return found[1]
    return None


def _time_of(options: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The deadline that a caller chose, and the shortest time allowed; None where none is."""
    if "timeout" not in options:
        return None, None
    return deadline_of(options["timeout"]), shortest_of(options["timeout"])


def leave_out_named(
    body: Mapping[str, Any], names: Any, caller: APIName
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body without the parameters that a call names itself, and what was left out.

    Raises:
        ConfigurationError: not a list of names.
    """
    kept: list[str] = []
    if isinstance(names, list | tuple):
        kept = [name for name in names if isinstance(name, str) and name in NEVER_DROPPED]
        names = [name for name in names if not isinstance(name, str) or name not in NEVER_DROPPED]
    dropped = read_dropped(names)
    warnings = tuple(f"{name} was not left out: a call cannot do without it." for name in kept)
    if dropped is None:
        return dict(body), warnings
    left, left_out = dropped.leave_out(body, caller)
    return dict(left), (*warnings, *left_out)


def _split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters of a call, and the options that are the router's to read."""
    body: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for name, value in arguments.items():
        # None stands for "not given", but `timeout=None` for no limit.
        if value is not None or name == "timeout":
            (own if name in _OWN else body)[name] = value
    if own.keys() - _CHECKED:
        check_options(own)
    return body, own


def _is_plain(body: Mapping[str, Any]) -> bool:
    """True for a body without a place for labels, as a question in a few words is."""
    if type(body.get("input")) is not str:
        return False
    # A service that reads names without regard to case would find ids under "Conversation" too, so
    # a name with capitals has to be looked at.
    return body.keys().isdisjoint(_LABEL_PLACES) and "".join(map(str, body)).islower()


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _join(request: RoutedRequest, turn: ConnectionTurn) -> None:
    """Make a request the turn of a connection: what it continues says where it goes."""
    request.turn = turn
    if turn.kept is not None:
        given = request.route_request
        tokens = turn.kept.tokens or given.context_tokens
        request.route_request = given._replace(pin=turn.pin(given.pin), context_tokens=tokens)
