"""A request as a router reads it, and what one attempt on a deployment sends of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

from azure_responses.bridge import is_reasoning_model_name, without_sampling
from azure_responses.bridge.native_chat import chat_parameters
from azure_responses.bridge.native_responses import without_reasoning
from azure_responses.errors import AzureResponsesError, ConfigurationError, InternalServerError
from azure_responses.protocol.agents import for_agent
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.dropped_parameters import DroppedParameters
from azure_responses.protocol.dropped_tools import without_tools
from azure_responses.protocol.families import FamilyFacts, facts_of
from azure_responses.protocol.request_body import COMPACT_PARAMETERS, check_names
from azure_responses.protocol.stored_response import is_kept_here
from azure_responses.router.arguments import EXTRAS
from azure_responses.router.attempts import NotSent, unsupported
from azure_responses.router.connection_turn import ConnectionTurn
from azure_responses.router.history import as_continuation
from azure_responses.router.prepared_request import (
    PreparedRequest,
    Reader,
    ReceivedBody,
    options_of,
)
from azure_responses.router.upstream import UpstreamRequest
from azure_responses.routing.affinity import RequestIds
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.explain import explain
from azure_responses.routing.id_rewriter import IdRewriter, NoIds
from azure_responses.routing.purge_ledger import RETENTION, LedgerEntry
from azure_responses.routing.request_parameters import Terms, with_summary
from azure_responses.routing.route_request import RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.timeouts import Timeout

__all__ = ["RoutedRequest"]

# What entries set parameters for.
_GENERATING = frozenset({"create", "chat", "messages"})


@dataclass(slots=True)
class RoutedRequest:
    """A create-like call as a router reads it.

    Attributes:
        route_request: what routing is asked.
        body: the parameters, without `model` and without options.
        options: `extra_headers`, `extra_query` and `extra_body`, those given.
        timeout: for the whole call.
        ids: the signed ids of the body; None where it has no place for any.
        owner, end_user: who asks, for whom.
        is_stored: the service keeps the answer.
        history: what to send where the origin is down.
        operation: `create`, `compact` or `input_tokens`.
        is_stream: the answer is asked for as events.
        received: the body as it came, of a request that came as bytes; None of a typed call.
        is_bridged: the body was made of a chat, and its ids are still to be read.
        caller: the API whose terms the body is in.
        turn: of a WebSocket connection; None over HTTP.
        drops_params: leave out what a deployment does not take; None leaves it to the router and
            the deployment.
        left_out: what is not sent to any deployment, one sentence each.
        warns: what is left out becomes a Python warning: the caller is a program.
        warnings: what the bridge left out of a chat in its latest attempt.
    """

    reader: Reader
    route_request: RouteRequest
    body: Mapping[str, Any]
    options: dict[str, Any]
    timeout: Timeout
    ids: RequestIds | None
    owner: str | None
    end_user: str | None
    is_stored: bool
    history: Sequence[Any] | None = None
    operation: str = "create"
    is_stream: bool = False
    received: ReceivedBody | None = None
    is_bridged: bool = False
    caller: APIName = "responses"
    turn: ConnectionTurn | None = None
    drops_params: bool | None = None
    left_out: tuple[str, ...] = ()
    warns: bool = True
    warnings: tuple[str, ...] = ()

    is_about_stored: ClassVar[bool] = False
    known_id: ClassVar[str | None] = None
    given_id: ClassVar[str | None] = None

    @property
    def is_background(self) -> bool:
        """The service goes on without us."""
        return bool(self.body.get("background")) and self.is_stored

    @property
    def drops_usage(self) -> bool:
        """A stream of chat chunks reports usage to us and not to its caller, who did not ask."""
        options = self.body.get("stream_options")
        asks = isinstance(options, Mapping) and bool(options.get("include_usage"))
        return self.caller == "chat" and self.is_stream and not asks

    @property
    def starting_after(self) -> int | None:
        """The event after which a stream begins: the first."""
        return None

    @property
    def continued_id(self) -> str | None:
        """The `previous_response_id` as the service knows it."""
        body = self.ids.unlabel().body if self.ids is not None else self.body
        if self.turn is not None and self.turn.carried is not None:
            # What is kept may begin behind a response that a service stores.
            return self.turn.base_id()
        value = body.get("previous_response_id")
        return value if isinstance(value, str) else None

    def require_own_history(self, api: APIName) -> None:
        """Refuse a deployment that cannot read what the request continues.

        Raises:
            UnsupportedOperationError: a service stores it, and not we.
        """
        continued = self.continued_id
        if continued is not None and not is_kept_here(continued):
            error = ConfigurationError(
                "previous_response_id names a response that the service stores, and a deployment "
                f"that speaks {api} cannot read it.",
                hint="Continue it on a deployment that speaks Responses, or send its items.",
            )
            error.param = "previous_response_id"
            raise unsupported(error)

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
        # How long the origin will be down, and not how long until another one is free.
        asked = self.route_request._replace(on_origin_down="fail")
        explanation = explain(self.reader.routing, asked, time.monotonic())
        return InternalServerError(
            f"The conversation is stored by {origin.id if origin else 'a resource'}, which cannot "
            f"serve now{reason}",
            status_code=503,
            code="origin_unavailable",
            retry_after=explanation.wait,
            hint=hint,
        )

    def body_for(
        self,
        deployment: Deployment,
        body: Mapping[str, Any] | None = None,
        *,
        terms: Terms | None = None,
        drops_params: bool,
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The body as the deployment's entry wants it, and what was left out of it.

        Args:
            deployment: where it goes.
            body: what was made of the request's own.
            terms: of the body; None are those of the caller.
            drops_params: what says something else than a fixed parameter is left out.

        Raises:
            UnsupportedOperationError: it says something else than a fixed parameter.
        """
        given, dropped = self.body if body is None else body, deployment.dropped_params
        left_out: tuple[str, ...] = ()
        if dropped is not None:
            given, left_out = dropped.leave_out(given, self.caller)
        # The bridge has made the body of one that was completed already.
        if self.is_bridged or self.operation not in _GENERATING:
            return given, left_out
        used = terms or self.caller
        if deployment.parameters is not None:
            try:
                given, changed = deployment.parameters.complete(
                    given, used, drops_params=drops_params
                )
            except ConfigurationError as error:
                raise unsupported(error) from error
            left_out = (*left_out, *changed)
        if deployment.dropped_tools:
            given, dropped_tools = without_tools(given, deployment.dropped_tools)
            left_out = (*left_out, *dropped_tools)
        if self.reader.routing.settings.reasoning_auto_summary:
            given = with_summary(given, used)
        return given, left_out

    def options_for(self, deployment: Deployment) -> dict[str, Any]:
        """The given options, with the `extra_body` of the deployment's entry."""
        return self._with_extra(deployment, self.options)

    def _with_extra(self, deployment: Deployment, options: dict[str, Any]) -> dict[str, Any]:
        own = deployment.parameters
        if own is None or not own.extra or self.is_bridged or self.operation not in _GENERATING:
            return options
        return {**options, "extra_body": {**own.extra, **(options.get("extra_body") or {})}}

    def bridged(
        self,
        parameters: Mapping[str, Any],
        options: Mapping[str, Any],
        left_out: tuple[str, ...] = (),
    ) -> "RoutedRequest":
        """The request that the bridge made of this chat, without `left_out`."""
        return replace(
            self,
            body={name: value for name, value in parameters.items() if name != "model"},
            options={name: options[name] for name in EXTRAS if name in options},
            ids=None,
            is_stored=parameters.get("store") is not False,
            is_bridged=True,
            operation="create",
            caller="responses",
            # The bridge writes a body of its own.
            received=None,
            left_out=(*self.left_out, *left_out),
        )

    def prepare(
        self,
        deployment: Deployment,
        call: RoutedCall,
        *,
        drops_params: bool = False,
        api: APIName = "responses",
        sends_id: bool = False,
        can_encrypt: bool = False,
    ) -> PreparedRequest:
        """What is sent to one deployment.

        Args:
            deployment: where it goes.
            call: the call so far.
            api: what the deployment speaks.
            sends_id: of a turn that continues what no service stores: the socket that it goes to
                knows that response, whose items are then not sent.
            can_encrypt: the family of the model returns encrypted reasoning where it is asked to.
            drops_params: the deployment leaves out what a model that reasons refuses.

        Raises:
            NotSent: the history it would have to carry names what no other resource has.
            TypeError: a typed call has a parameter that the API does not have.
        """
        if self.drops_params is not None:
            drops_params = self.drops_params
        if self.caller != "responses":
            return self._prepare_native(deployment, call, drops_params=drops_params)
        parameters, options, given, warnings = self._for_resource(
            deployment, call, api, sends_id=sends_id
        )
        name = deployment.name_for(call.group)
        if self.turn is not None:
            reasons = api == "chat" or self._reasons(deployment, name, parameters)
            parameters = self.turn.included(parameters, reasons=can_encrypt and reasons)
        request, left_out = self._fitted(
            deployment, parameters, options, name, drops_params=drops_params
        )
        signer, own = self.reader.signer, deployment.parameters
        is_stored = self.is_stored
        if own is not None and self.body.get("store") is None:
            is_stored = is_stored and own.stores
        ids_out = IdRewriter(signer, deployment, self.owner, given=given, is_stored=is_stored)
        return PreparedRequest(request, ids_out, (*self.left_out, *warnings, *left_out))

    def _for_resource(
        self, deployment: Deployment, call: RoutedCall, api: APIName, *, sends_id: bool
    ) -> tuple[Mapping[str, Any], dict[str, Any], Mapping[str, str] | None, tuple[str, ...]]:
        """Parameters and options with the resource's own ids, those ids as given, and warnings."""
        body, ids = self.body, self.ids
        # Each makes a new body, with what came before it or of the chat, whose ids are unread.
        if call.replays_history or self.is_bridged or self._carries:
            body, ids = self._reread(deployment, call, sends_id=sends_id)
        if ids is None:
            return body, self.options, None, ()
        unlabelled = ids.unlabel(
            deployment.resource,
            strip_raw=self._is_unsure(),
            strip_sealed=api == "responses",
        )
        parameters, options = _split_extra(body, unlabelled.body, self.options)
        return parameters, options, unlabelled.given, unlabelled.warnings

    def _fitted(
        self,
        deployment: Deployment,
        parameters: Mapping[str, Any],
        options: dict[str, Any],
        name: str,
        *,
        drops_params: bool,
    ) -> tuple[UpstreamRequest, tuple[str, ...]]:
        """The request without what the deployment does not take, and what was left out."""
        refused: Sequence[str] = ()
        parameters, warnings = self.body_for(deployment, parameters, drops_params=drops_params)
        if drops_params:
            parameters, refused = self._without_refused(deployment, parameters, name)
        # By identity: comparing two long bodies takes longer than writing one.
        is_same = parameters is self.body
        request = self._written(
            {**parameters, "model": name},
            self._with_extra(deployment, options),
            name,
            is_same=is_same,
            drops_params=drops_params,
            dropped=deployment.dropped_params,
        )
        left_out: Sequence[str] = ()
        if deployment.agent is not None:
            request, left_out = _for_agent(request, deployment.agent, drops_params=drops_params)
        return request, (*warnings, *refused, *left_out)

    def _without_refused(
        self, deployment: Deployment, parameters: Mapping[str, Any], name: str
    ) -> tuple[Mapping[str, Any], Sequence[str]]:
        """The parameters without what the model refuses because it reasons, or does not."""
        if self._reasons(deployment, name, parameters):
            parameters, dropped = without_sampling(parameters)
        else:
            dropped = []
        fitted, warnings = without_reasoning(parameters, _facts_of(deployment, name))
        return fitted, (*dropped, *warnings)

    def entry(self, answer: Mapping[str, Any] | None, deployment: Deployment) -> LedgerEntry | None:
        """What to remember of a response; None of one that is not stored, or of no end user."""
        found = answer.get("id") if answer is not None else None
        is_kept = self.is_stored and self.operation == "create" and self.end_user is not None
        if answer is None or not is_kept or not isinstance(found, str):
            return None
        if answer.get("store") is False:
            return None
        now = time.time()
        return LedgerEntry(
            found,
            deployment.tag,
            deployment.resource,
            self.end_user,
            self.owner,
            now,
            now + RETENTION,
        )

    def retrieval(self, response_id: str, after: int | None, *, is_stream: bool) -> UpstreamRequest:
        """What reads the response on, or polls for it, once its connection is lost."""
        # The service does not remember what was to be included.
        query: dict[str, Any] = {"include[]": self.body.get("include") or []}
        if after is not None and is_stream:
            query["starting_after"] = str(after)
        # The body was for the request that made it.
        options = options_of({**self.options, "extra_body": None}, self.timeout)
        return UpstreamRequest(
            "retrieve",
            parameters=query,
            response_id=response_id,
            options=options,
            call_id=self.received.call_id if self.received else None,
            is_stream=is_stream,
        )

    @property
    def _carries(self) -> bool:
        return self.turn is not None and self.turn.carried is not None

    def _continued(self, *, sends_id: bool) -> Mapping[str, Any]:
        """The body with what a turn continues, as far as only its connection keeps that."""
        carried = None if self.turn is None else self.turn.carried
        if carried is None:
            return self.body
        if sends_id:
            return {**self.body, "previous_response_id": carried.response_id}
        return carried.continued(self.body)

    def _reread(
        self, deployment: Deployment, call: RoutedCall, *, sends_id: bool
    ) -> tuple[Mapping[str, Any], RequestIds]:
        """The body with its history or its items so far where needed, and the ids in it."""
        body = self._continued(sends_id=sends_id)
        if call.replays_history:
            body = as_continuation(body, self.history or ())
        extra = self.options.get("extra_body")
        ids = self.reader.affinity.read({**body, **extra} if extra else body, self.owner)
        stays = ids.pins.not_on(deployment.resource)
        if call.replays_history and stays is not None:
            reason = f", and {stays} names what no other resource has."
            raise NotSent(self.nothing_to_replay(reason, "Leave it out, or come back later."))
        return body, ids

    def _prepare_native(
        self, deployment: Deployment, call: RoutedCall, *, drops_params: bool
    ) -> PreparedRequest:
        """What is sent of a chat completion or of Messages, which have no ids to replace."""
        name = deployment.name_for(call.group)
        body, left_out = self.body_for(deployment, drops_params=drops_params)
        warnings: tuple[str, ...] = ()
        if self.received is None:
            # A program passes classes and typed messages, which are written as JSON here.
            body, warnings = chat_parameters(body, drops_params=drops_params)
        is_same = body is self.body
        if self.drops_usage:
            is_same, options = False, body.get("stream_options")
            given = options if isinstance(options, Mapping) else {}
            body = {**body, "stream_options": {**given, "include_usage": True}}
        parameters = {**body, "model": name, **({"stream": True} if self.is_stream else {})}
        content = None
        if self.received is not None:
            content = self.received.as_sent(
                parameters, is_same=is_same, dropped=deployment.dropped_params
            )
        request = UpstreamRequest(
            self.operation,
            name,
            parameters,
            content,
            options=options_of(self.options_for(deployment), self.timeout),
            call_id=self.received.call_id if self.received else None,
            is_stream=self.is_stream,
            caller=self.caller,
            drops_params=drops_params,
        )
        return PreparedRequest(request, NoIds(), (*self.left_out, *left_out, *warnings))

    def _reasons(self, deployment: Deployment, name: str, body: Mapping[str, Any]) -> bool:
        """True where the model reasons, as far as that is known."""
        known = self.reader.chat_options.knowledge_of(deployment).of(name)
        if known is not None:
            return known
        known_name = deployment.base_model or name
        return bool(body.get("reasoning")) or is_reasoning_model_name(known_name)

    def _is_unsure(self) -> bool:
        """Encrypted content without a signature may be of a resource that this one is not."""
        return self.reader.sole_resource(self.route_request.group) is None

    def _written(
        self,
        parameters: Mapping[str, Any],
        options: dict[str, Any],
        name: str,
        *,
        is_same: bool,
        drops_params: bool,
        dropped: DroppedParameters | None,
    ) -> UpstreamRequest:
        content: bytes | None = None
        # A server passes on what it does not know; in a program it is a misspelt name.
        if self.received is not None:
            content = self.received.as_sent(parameters, is_same=is_same, dropped=dropped)
        elif self.operation == "compact":
            check_names(parameters, COMPACT_PARAMETERS)
        else:
            check_names(parameters)
        return UpstreamRequest(
            self.operation,
            name,
            parameters,
            content,
            options=options_of(options, self.timeout),
            call_id=self.received.call_id if self.received else None,
            is_stream=self.is_stream,
            drops_params=drops_params,
            # A chat that the deployment refuses as a response is sent as the chat that it was.
            may_switch=not self.is_bridged,
        )


def _for_agent(
    request: UpstreamRequest, agent: str, *, drops_params: bool
) -> tuple[UpstreamRequest, tuple[str, ...]]:
    """The request for an agent in the place of a model, and what was left out.

    Raises:
        UnsupportedOperationError: it sets what the agent's definition decides.
    """
    try:
        body, warnings = for_agent(request.parameters, agent, drops_params=drops_params)
    except ConfigurationError as error:
        raise unsupported(error) from error
    return replace(request, parameters=body, content=None), warnings


# A deployment is one object for as long as its router lives.
@lru_cache(1000)
def _facts_of(deployment: Deployment, name: str) -> FamilyFacts:
    return facts_of(deployment.base_model, name, overrides=deployment.facts)


def _split_extra(
    arguments: Mapping[str, Any], body: Mapping[str, Any], options: dict[str, Any]
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Parameters and options of a body that was read whole: what was extra is extra again."""
    extra = options.get("extra_body")
    if not extra:
        return body, options
    parameters = {name: body[name] for name in arguments if name in body}
    return parameters, {
        **options,
        "extra_body": {name: body.get(name, value) for name, value in extra.items()},
    }
