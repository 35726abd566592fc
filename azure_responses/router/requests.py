"""What a router is asked, read once: where it has to go, and what is sent there."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from azure_responses.bridge import ReasoningCache
from azure_responses.errors import (
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    ResponseNotFoundError,
)
from azure_responses.protocol.warning import warn_caller
from azure_responses.router.arguments import (
    check_id,
    check_options,
    end_user_of,
    is_altered,
    list_messages,
    read_history,
)
from azure_responses.router.attempts import NotSent
from azure_responses.router.replay import as_continuation
from azure_responses.router.targets import AsyncTarget, Target
from azure_responses.routing.affinity import Affinity, RequestIds
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.explain import explain
from azure_responses.routing.id_rewriter import IdRewriter
from azure_responses.routing.id_schema import REQUEST
from azure_responses.routing.purge_ledger import RETENTION, LedgerEntry
from azure_responses.routing.route_request import Pin, RouteRequest, unknown_response
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.signed_id import IdSigner, SignedId, show_id
from azure_responses.routing.token_estimate import (
    estimate_input_tokens,
    estimate_output_tokens,
    has_output_limit,
)
from azure_responses.timeouts import deadline_of, shorten, shortest_of
from azure_responses.transport import Timeout, patience_of

__all__ = ["RequestReader", "RouterRequest", "Sent", "StoredRequest", "continued_by"]

_OPTIONS = ("extra_headers", "extra_query", "extra_body")
_OWN = frozenset({"model", "timeout", "owner", "on_origin_down", "history", *_OPTIONS})
# What needs no check here.
_CHECKED = frozenset({"model", *_OPTIONS})
_LABEL_PLACES = frozenset(REQUEST.fields or ()) - {"input"}
_MOST_FACTS = 1000


class _Facts(NamedTuple):
    """What calls of one model name have in common.

    Attributes:
        counts_tokens: somebody wants to know how long they are.
        sole_resource: the one resource behind the name, or None when there are several.
    """

    counts_tokens: bool
    sole_resource: str | None


class Sent(NamedTuple):
    """What one attempt sends, and what puts labels on its answer."""

    parameters: dict[str, Any]
    labels: IdRewriter


@dataclass(slots=True)
class RouterRequest:
    """A create-like call as a router reads it.

    Attributes:
        route_request: what routing is asked.
        body: the parameters, without `model` and without options.
        options: `extra_headers`, `extra_query` and `extra_body`, those given.
        timeout: for the whole call.
        labelled: the body's labels; None where it has no place for any. Of a chat, the bridged
            body is read again when it is sent.
        owner, end_user: who asks, for whom.
        is_stored: the service keeps the answer.
        history: what to send where the origin is down.
    """

    reader: "RequestReader"
    route_request: RouteRequest
    body: dict[str, Any]
    options: dict[str, Any]
    timeout: Timeout
    labelled: RequestIds | None
    owner: str | None
    end_user: str | None
    is_stored: bool
    history: Sequence[Any] | None = None

    @property
    def is_background(self) -> bool:
        """The service goes on without us."""
        return bool(self.body.get("background")) and self.is_stored

    def origin(self) -> Deployment | None:
        """A deployment of the resource that stores what the request continues."""
        routing, pin = self.reader.routing, self.route_request.pin
        if pin is None:
            return None
        maker = routing.by_tag(pin.deployment) if pin.deployment else None
        return maker or next(iter(routing.of_resource(pin.resource)), None)

    def nothing_to_replay(
        self, reason: str, hint: str = "Pass history=… with the items so far, or come back later."
    ) -> AzureResponsesError:
        """The error of a call that cannot be made elsewhere either; `reason` goes on with why."""
        origin = self.origin()
        explanation = explain(
            self.reader.routing,
            self.route_request._replace(on_origin_down="fail"),
            time.monotonic(),
        )
        return InternalServerError(
            f"The conversation is stored by {origin.id if origin else 'a resource'}, which cannot "
            f"serve now{reason}",
            status_code=503,
            code="origin_unavailable",
            retry_after=explanation.wait,
            hint=hint,
        )

    @property
    def continued_id(self) -> str | None:
        """The `previous_response_id` as the service knows it."""
        body = self.labelled.unlabel().body if self.labelled is not None else self.body
        value = body.get("previous_response_id")
        return value if isinstance(value, str) else None

    def body_for(self, deployment: Deployment) -> dict[str, Any]:
        """The body without the parameters that the deployment's row leaves out."""
        dropped = deployment.dropped_params
        if dropped.isdisjoint(self.body):
            return self.body
        return {name: value for name, value in self.body.items() if name not in dropped}

    def sent_by(
        self,
        target: Target | AsyncTarget,
        call: RoutedCall,
        left: float | None,
        bridged: Mapping[str, Any] | None = None,
    ) -> Sent:
        """The arguments of the client's call in one attempt.

        Args:
            target: whom to ask.
            call: the call so far.
            left: seconds this attempt may take.
            bridged: the arguments the chat bridge made, in place of the body.
        """
        reader, deployment = self.reader, target.deployment
        labelled = self.labelled
        arguments: Mapping[str, Any] = self.body
        options = self.options
        if bridged is not None:
            arguments = {n: v for n, v in bridged.items() if n != "model" and n not in _OPTIONS}
            self.is_stored = arguments.get("store") is not False
            options = {n: bridged[n] for n in _OPTIONS if n in bridged}
        if call.replays_history:
            arguments = as_continuation(arguments, self.history or ())
        if bridged is not None or call.replays_history:
            extra = options.get("extra_body")
            body = {**arguments, **extra} if extra else arguments
            labelled = reader.affinity.read(body, self.owner)
            stays = labelled.pins.not_on(deployment.resource)
            if call.replays_history and stays is not None:
                reason = f", and {stays} names what no other resource has."
                raise NotSent(self.nothing_to_replay(reason, "Leave it out, or come back later."))
        parameters, given = self._unlabelled(arguments, options, labelled, deployment.resource)
        for name in deployment.dropped_params:
            parameters.pop(name, None)
        parameters["model"] = deployment.name_for(call.group)
        parameters["timeout"] = shorten(self.timeout, left)
        labels = IdRewriter(
            reader.signer,
            deployment,
            self.owner,
            given=given,
            is_stored=self.is_stored,
        )
        return Sent(parameters, labels)

    def _unlabelled(
        self,
        arguments: Mapping[str, Any],
        options: Mapping[str, Any],
        labelled: RequestIds | None,
        resource: str,
    ) -> tuple[dict[str, Any], Mapping[str, str] | None]:
        """What a resource is sent, and the ids in it as the caller gave them."""
        if labelled is None:
            return {**arguments, **options}, None
        is_unsure = self.reader.facts_of(self.route_request.group).sole_resource is None
        unlabelled = labelled.unlabel(resource, strip_raw=is_unsure)
        for text in unlabelled.warnings:
            warn_caller(text)
        return _with_options(arguments, unlabelled.body, options), unlabelled.given

    def entry(self, response_id: str, deployment: Deployment) -> LedgerEntry | None:
        """What the ledger remembers of a response; None where nobody would ask for it."""
        if not self.is_stored or self.end_user is None:
            return None
        now = time.time()
        return LedgerEntry(
            response_id,
            deployment.tag,
            deployment.resource,
            self.end_user,
            self.owner,
            now,
            now + RETENTION,
        )


@dataclass(slots=True)
class StoredRequest:
    """A call about one stored response."""

    reader: "RequestReader"
    route_request: RouteRequest
    inner: str
    owner: str | None
    timeout: Timeout
    given: Mapping[str, str]

    def labels(self, target: Target | AsyncTarget) -> IdRewriter:
        """What puts labels on the answer."""
        return IdRewriter(self.reader.signer, target.deployment, self.owner, given=self.given)

    def timeout_of(self, left: float | None) -> Timeout:
        """The timeout of one attempt that may take `left` seconds."""
        return shorten(self.timeout, left)


class RequestReader:
    """Reads calls for one router.

    Args:
        routing: knows the deployments.
        signer: makes and reads labels.
        affinity: finds them in requests.
        timeout: of calls that name none.
        cache: the reasoning that chat clients dropped, or None.
    """

    def __init__(
        self,
        routing: DeploymentRegistry,
        signer: IdSigner,
        affinity: Affinity,
        *,
        timeout: Timeout,
        cache: ReasoningCache | None = None,
    ) -> None:
        self.routing = routing
        self.signer = signer
        self.affinity = affinity
        self.timeout = timeout
        self.cache = cache
        self.reads_headers = routing.settings.needs_headroom
        self._facts: dict[str, _Facts] = {}

    def read(
        self,
        arguments: Mapping[str, Any],
        *,
        is_stream: bool = False,
        is_chat: bool = False,
        must_own: bool = False,
    ) -> RouterRequest:
        """A create-like call.

        Args:
            arguments: parameters and options.
            is_stream: the answer is asked for as events.
            is_chat: the parameters are those of a chat completion.
            must_own: the owner may name only responses and items that a router gave out.

        Raises:
            ConfigurationError: no model.
            BadRequestError, ResponseNotFoundError: labels that cannot be followed.
        """
        body: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for name, value in arguments.items():
            if value is not None or name == "timeout":
                (own if name in _OWN else body)[name] = value
        if own.keys() - _CHECKED:
            check_options(own)
        model = self._model(own.get("model"))
        timeout = own.get("timeout", self.timeout)
        owner = own.get("owner")
        options = {name: own[name] for name in _OPTIONS if name in own}
        if is_chat and "input" not in body:
            body["messages"] = list_messages(body.get("messages"))
        extra = options.get("extra_body")
        merged = {**body, **extra} if extra else body
        labelled = None if _is_plain(merged) else self.affinity.read(merged, owner)
        pin = None
        if labelled is not None:
            if must_own:
                labelled.pins.require_own()
            pin = self._pin(labelled, model, owner)
        if pin is None and is_chat:
            pin = self._cached_pin(merged)
        route_request = self._route_request(model, merged, pin, own, is_stream, labelled)
        return RouterRequest(
            self,
            route_request,
            body,
            options,
            timeout,
            labelled,
            owner,
            end_user_of(merged),
            merged.get("store", not is_chat) is not False,
            read_history(own.get("history")),
        )

    def read_stored(self, response_id: str, arguments: Mapping[str, Any]) -> StoredRequest:
        """A call about one stored response; takes `owner` and `timeout` of `arguments`.

        Raises:
            BadRequestError: an id without a label, and it may be stored by several resources.
            ResponseNotFoundError: a forged id, another owner's, or of a deployment that is gone.
        """
        check_options(arguments)
        owner = arguments.get("owner")
        timeout = arguments.get("timeout", self.timeout)
        label = self.affinity.read_id(check_id(response_id), owner, "response_id")
        if label is None:
            label = self._raw_label(response_id)
        deployment = self.routing.by_tag(label.deployment)
        if deployment is None:
            deployment = next(iter(self.routing.of_resource(label.resource)), None)
        if deployment is None:
            raise ResponseNotFoundError(
                f"response_id {show_id(response_id)} was made by a deployment that is gone.",
                status_code=404,
                param="response_id",
                hint="Keep a row for its resource in model_list until its responses have expired.",
            )
        pin = Pin(label.resource, label.deployment, "response_id")
        deadline, patience = _time_of(arguments)
        route_request = RouteRequest(
            deployment.group,
            pin=pin,
            deadline=deadline,
            can_move=False,
            patience=patience,
            is_altered=is_altered(arguments),
        )
        given = {label.inner: response_id}
        return StoredRequest(self, route_request, label.inner, owner, timeout, given)

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
        if given is None and len(groups) == 1 and groups[0] != "*":
            return groups[0]
        problem = f"model is a {type(given).__name__}, not a string."
        raise ConfigurationError(
            problem if given else "No model was given.",
            hint=f"Pass model=…, one of {', '.join(groups).replace('*', 'your deployments')}.",
        )

    def _pin(self, labelled: RequestIds, model: str, owner: str | None) -> Pin | None:
        pins = labelled.pins
        if pins.unreadable and (owner is not None or self.facts_of(model).sole_resource is None):
            pins.require_ids()
        if pins.hard is not None or not (pins.raw or pins.raw_ciphertexts):
            return pins.pin
        sole = self.facts_of(model).sole_resource
        if pins.raw:
            if sole is None:
                pins.require_labels()
            elif pins.soft is None or pins.soft.resource == sole:
                return Pin(sole, None, pins.raw[0].path)
        if pins.soft is None and sole is not None:
            return Pin(sole, None, pins.raw_ciphertexts[0], is_hard=False)
        return pins.pin

    def _cached_pin(self, chat: Mapping[str, Any]) -> Pin | None:
        """Where the latest reasoning was encrypted that the cache will restore."""
        if self.cache is None or not len(self.cache):
            return None
        given = chat.get("messages")
        messages = given if isinstance(given, list) else ()
        for place in range(len(messages) - 1, -1, -1):
            resource = self._resource_of(messages[place])
            if resource is not None:
                return Pin(resource, None, f"messages[{place}].tool_calls", is_hard=False)
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
        labelled: RequestIds | None,
    ) -> RouteRequest:
        counts = self.facts_of(model).counts_tokens
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
            0 if labelled is None else self._context_of(body, labelled),
        )

    def _context_of(self, body: Mapping[str, Any], labelled: RequestIds) -> int:
        """Tokens of what a request continues, as far as it passed through here."""
        known, given = self.routing.contexts.tokens_of, continued_by(body)
        # It may have been noted as it was given out, or before it had its label.
        return 0 if given is None else known(given) or known(labelled.inner_id(given))

    def facts_of(self, model: str) -> "_Facts":
        """What calls of a model name have in common; worked out once."""
        facts = self._facts.get(model)
        if facts is None:
            facts = _Facts(self._must_count(), self.routing.sole_resource(model))
            # Where any name is served, there is no end of names.
            if len(self._facts) < _MOST_FACTS:
                self._facts[model] = facts
        return facts

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
                hint="router.adopt(id, deployment=…) makes an id that says it.",
            )
        (deployment,) = resources.values()
        return SignedId(response_id, deployment.tag, deployment.resource)


def continued_by(body: Mapping[str, Any]) -> str | None:
    """The id, as the caller gave it, of the response or conversation that a request continues."""
    within = body.get("conversation")
    within = within.get("id") if isinstance(within, Mapping) else within
    found = (body.get("previous_response_id"), within)
    return next((each for each in found if each and isinstance(each, str)), None)


def _time_of(options: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The deadline that a caller chose, and the shortest time allowed; None where none is."""
    if "timeout" not in options:
        return None, None
    return deadline_of(options["timeout"]), shortest_of(options["timeout"])


def _with_options(
    arguments: Mapping[str, Any], body: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """The unlabelled body as arguments of a client's call: what was extra is extra again."""
    extra = options.get("extra_body")
    if not extra:
        return {**body, **options}
    parameters = {name: body[name] for name in arguments if name in body}
    return {
        **parameters,
        **options,
        "extra_body": {name: body.get(name, value) for name, value in extra.items()},
    }


def _is_plain(body: Mapping[str, Any]) -> bool:
    """True for a body without a place for labels, as a question in a few words is."""
    if type(body.get("input")) is not str:
        return False
    return body.keys().isdisjoint(_LABEL_PLACES) and "".join(map(str, body)).islower()


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
