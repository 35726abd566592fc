"""The operations of the Responses API → calls: what is sent, and what the reply is read as.

Both sides of the client build their calls here, so that this is decided once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Literal, TypeVar, cast

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.agents import (
    agent_of,
    check_project,
    complete_reference,
    for_agent,
    is_agents_own,
)
from azure_responses.protocol.call import (
    ApiType,
    Call,
    Creation,
    Deletion,
    ObjectDeletion,
    RecentResponses,
    TypedCall,
)
from azure_responses.protocol.call_conversion import is_stored_here
from azure_responses.protocol.call_converter import CallConverter
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.http_message import Request, merge_headers
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.model_name import read_deployment, without_provider
from azure_responses.protocol.object_request import Content, ObjectRequest
from azure_responses.protocol.object_table import OBJECT_OPERATIONS
from azure_responses.protocol.operation_table import OPERATIONS, APIOperation
from azure_responses.protocol.request_body import COMPACT_PARAMETERS, check_names, encode_body
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import Settings
from azure_responses.protocol.stream import ResponseStream
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.protocol.warning import warn_caller
from azure_responses.types.models import ModelList
from azure_responses.types.parameters import AGENT_PARAMETERS, CREATE_PARAMETERS
from azure_responses.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    InputTokenCount,
    ParsedResponse,
    Response,
)
from azure_responses.types.result import Pricer, Result

__all__ = ["NO_OPTIONS", "Operations", "Options", "including", "query_of"]

R = TypeVar("R", bound=Result)
C = TypeVar("C", bound=Response)
T = TypeVar("T")
K = TypeVar("K", bound=Call)

_Query = Mapping[str, str | list[str]]
# A program names a few deployments; names that callers of a gateway invent must not fill memory.
_MOST_CONTEXTS = 1000


def _check_mapping(name: str, value: object) -> None:
    if value is not None and not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{name} is a {type(value).__name__}, not a mapping.", hint="Pass a dict."
        )


@dataclass(frozen=True)
class Options:
    """What one call adds to the client's defaults; later wins, None removes a header.

    `patience` is how many seconds this call waits when the service asks for a pause, `math.inf` for
    ever; None leaves it to the client's policy. Raises ConfigurationError for anything else than
    mappings.
    """

    extra_headers: Mapping[str, str | None] | None = None
    extra_query: Mapping[str, Any] | None = None
    extra_body: Mapping[str, Any] | None = None
    patience: float | None = None

    def __post_init__(self) -> None:
        _check_mapping("extra_headers", self.extra_headers)
        _check_mapping("extra_query", self.extra_query)
        _check_mapping("extra_body", self.extra_body)

    def policy(self, default: RetryPolicy) -> RetryPolicy:
        """How hard this call tries."""
        if self.patience in (None, default.patience):
            return default
        return replace(default, patience=self.patience)


NO_OPTIONS = Options()
"""Those of nearly every call."""


class Operations:
    """Builds the calls of one client.

    Args:
        settings: where to, as whom.
        policy: how hard to try.
        recent: the responses this client made lately.
        new_id: makes the `x-ms-client-request-id` of a call; every attempt carries the same one.
        default_headers, default_query: what every call sends besides.
        api_type: the API as callers use it.
        pricer_of: what prices the results of a deployment.
        converter: makes calls over for deployments that speak another API; None where there are
            none.
    """

    def __init__(
        self,
        settings: Settings,
        policy: RetryPolicy,
        recent: RecentResponses,
        new_id: Callable[[], object],
        *,
        default_headers: Mapping[str, str | None] | None = None,
        default_query: Mapping[str, Any] | None = None,
        api_type: ApiType = "responses",
        pricer_of: Callable[[str | None], Pricer] | None = None,
        converter: CallConverter | None = None,
    ) -> None:
        _check_mapping("default_headers", default_headers)
        _check_mapping("default_query", default_query)
        self.settings = settings
        self._is_agents_own = is_agents_own(settings.endpoint)
        self.policy = policy
        self.recent = recent
        self._new_id = new_id
        self.converter = None if converter is None else replace(converter, reading=self)
        self._api_type = api_type
        self._pricer_of = lru_cache(maxsize=128)(pricer_of) if pricer_of else None
        # Checked and merged once: what is left for each call is a copy of a small dict.
        self._headers = {
            accepts_stream: merge_headers(_own_headers(accepts_stream), default_headers)
            for accepts_stream in (False, True)
        }
        self._query = query_of(default_query)
        self._object_headers = {
            "object": self._headers[False],
            "page": self._headers[False],
            "bytes": merge_headers(_DOWNLOAD_HEADERS, default_headers),
        }
        # The URLs and contexts of calls whose path has no id are always the same.
        self._urls: dict[str, str] = {}
        self._contexts: dict[tuple[str, str | None], RequestContext] = {}
        self._can_refresh = settings.secret.kind in (
            "azure_ad_token_provider",
            "credential",
            "none",
        )

    def create(
        self, parameters: Mapping[str, Any], options: Options, *, stream: bool = False
    ) -> Creation[Response]:
        """`POST /responses`; `parameters` without the None values become the body.

        Raises:
            TypeError: a parameter that the API does not have.
            ConfigurationError: no model, or a value that cannot be sent.
        """
        return self._create(Response, parameters, options, stream=stream)

    def parse(
        self, parameters: Mapping[str, Any], options: Options, text_format: type[T]
    ) -> "Creation[ParsedResponse[T]]":
        """`POST /responses` for an output of the given type; raises what `create` raises."""
        kind = cast("type[ParsedResponse[T]]", ParsedResponse)
        return self._create(kind, parameters, options, output=StructuredOutput(text_format))

    def speak(
        self,
        caller: APIName,
        kind: Callable[..., K],
        model: type[Result],
        parameters: Mapping[str, Any],
        options: Options,
        *,
        stream: bool = False,
        drops_params: bool | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> K:
        """A call of chat completions or Messages, on a deployment of whatever it speaks.

        A refusal of the API itself is raised, not answered by another call: over Responses a chat
        completion needs the bridge.

        Args:
            caller: the API.
            kind, model: of the call, and what its reply is read as.
            parameters, options: of the call.
            stream: the reply is asked for as a stream.
            drops_params: in place of the client's setting.
            warn: told what was left out.
        """
        body = self._body({**parameters, "stream": stream or None})
        name = "chat" if caller == "chat" else "messages"
        call = self._call(name, model, options, body=body, stream=stream, kind=kind)
        assert self.converter is not None
        self.converter.convert(
            call,
            body["model"],
            caller=caller,
            drops_params=drops_params,
            warn=warn,
            may_switch=False,
        )
        return call

    def stream(
        self,
        parameters: Mapping[str, Any],
        options: Options,
        text_format: type[Any] | None = None,
    ) -> ResponseStream:
        """`POST /responses`, answered as a stream; raises what `create` raises."""
        output = StructuredOutput(text_format) if text_format is not None else None
        call = self._create(Response, parameters, options, stream=True, output=output)
        sent = call.parameters
        resumes = bool(sent.get("background")) and sent.get("store") is not False
        return ResponseStream(call, resumes=resumes, output=output)

    def compact(
        self, parameters: Mapping[str, Any], options: Options
    ) -> TypedCall[CompactedResponse]:
        """`POST /responses/compact`.

        Raises:
            ConfigurationError: the deployment speaks another API.
        """
        check_names(parameters, COMPACT_PARAMETERS)
        body = self._body(parameters)
        if self.converter is not None:
            self.converter.refuse_compaction(body.get("model"))
        call: TypedCall[CompactedResponse] = self._call(
            "compact",
            CompactedResponse,
            kind=TypedCall,
            options=options,
            body=body,
            continues=_id_in(body),
        )
        if self.converter is not None:
            self.converter.replay(call, warn_caller)
        return call

    def count_input(
        self, parameters: Mapping[str, Any], options: Options
    ) -> TypedCall[InputTokenCount]:
        """`POST /responses/input_tokens`, or what counts where the deployment speaks Messages."""
        body = self._body(parameters)
        call: TypedCall[InputTokenCount] = self._call(
            "input_tokens",
            InputTokenCount,
            kind=TypedCall,
            options=options,
            body=body,
            continues=_id_in(body),
        )
        if self.converter is not None:
            self.converter.count(call, body.get("model"), warn_caller)
        return call

    def counts(self, model: str | None) -> bool:
        """False where a deployment speaks chat completions, which cannot count input tokens."""
        asked = self._body({"model": model}).get("model")
        return asked is None or self.converter is None or self.converter.api_of(asked) != "chat"

    def retrieve(
        self,
        response_id: str,
        options: Options,
        *,
        stream: bool = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        include_obfuscation: bool | None = None,
    ) -> TypedCall[Response]:
        """`GET /responses/{id}`, plainly or as a stream from after an event."""
        if starting_after is not None and not stream:
            raise ConfigurationError(
                "starting_after is possible for streams only.", hint="Pass stream=True as well."
            )
        query = including(include)
        if stream:
            query["stream"] = "true"
        if starting_after is not None:
            query["starting_after"] = str(starting_after)
        if include_obfuscation is not None:
            query["include_obfuscation"] = "true" if include_obfuscation else "false"
        return self._call_stored(
            "retrieve", Response, response_id, options, query=query, stream=stream, kind=TypedCall
        )

    def retrieve_stream(
        self,
        response_id: str,
        options: Options,
        starting_after: int | None,
        include: list[str] | None = None,
    ) -> ResponseStream:
        """`GET /responses/{id}?stream=true`."""
        call = self.retrieve(
            response_id, options, stream=True, starting_after=starting_after, include=include
        )
        return ResponseStream(
            call, resumes=True, starting_after=starting_after, response_id=response_id
        )

    def cancel(self, response_id: str, options: Options) -> TypedCall[Response]:
        """`POST /responses/{id}/cancel`; background responses only, idempotent."""
        return self._call_stored("cancel", Response, response_id, options, kind=TypedCall)

    def delete(self, response_id: str, options: Options) -> Deletion:
        """`DELETE /responses/{id}`."""
        kind = partial(Deletion, self.recent, response_id)
        return self._call_stored("delete", DeletedResponse, response_id, options, kind=kind)

    def input_items(
        self,
        response_id: str,
        options: Options,
        *,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        after: str | None = None,
        before: str | None = None,
        include: list[str] | None = None,
    ) -> TypedCall[InputItemList]:
        """`GET /responses/{id}/input_items`; `limit` is 1 to 100, 20 by default."""
        given = {"limit": limit, "order": order, "after": after, "before": before}
        query = including(include)
        query |= {name: str(value) for name, value in given.items() if value is not None}
        return self._call_stored(
            "input_items", InputItemList, response_id, options, query=query, kind=TypedCall
        )

    def read_response(self, response_id: str) -> Call:
        """The call that retrieves a response, for one that is continued elsewhere."""
        return self.retrieve(response_id, NO_OPTIONS)

    def read_input(self, response_id: str, after: str | None) -> Call:
        """The call that lists a response's input, the oldest items first."""
        return self.input_items(response_id, NO_OPTIONS, limit=100, order="asc", after=after)

    def models(self, options: Options) -> TypedCall[ModelList]:
        """`GET /models`."""
        return self._call("models", ModelList, options, kind=TypedCall)

    def call_object(
        self,
        request: ObjectRequest,
        model: type[R],
        options: Options,
        content: Content | None = None,
    ) -> TypedCall[R]:
        """The call of an operation on stored objects other than responses.

        Args:
            request: the operation, its ids, query and JSON body.
            model: what the reply is read as; of no meaning for a download.
            options: of the call.
            content: the body in pieces, in place of the request's JSON: a form.

        Raises:
            ConfigurationError: an id that cannot be part of a URL, or an endpoint without stored
                objects.
        """
        row = OBJECT_OPERATIONS[request.operation]
        own = self._object_headers[row.returns]
        headers = {"x-ms-client-request-id": str(self._new_id()), **own}
        if options.extra_headers:
            headers = merge_headers(headers, options.extra_headers)
        body = request.body
        sent: bytes | Content | None = content
        if content is not None:
            headers["content-type"] = content.content_type
        elif body is not None or options.extra_body:
            sent = encode_body(body, options.extra_body)
            headers.setdefault("content-type", "application/json")
        kind = ObjectDeletion if row.method == "DELETE" else TypedCall
        return kind(
            model,
            Request(row.method, self._object_url(row, request, options), headers, sent),
            self._object_context(row, request),
            options.policy(self.policy),
            can_refresh_token=self._can_refresh,
            parameters=_overlay(body or {}, options.extra_body),
            api_type=self._api_type,
        )

    def _object_url(self, row: APIOperation, request: ObjectRequest, options: Options) -> str:
        if len(request.ids) != len(row.variables):
            raise ConfigurationError(f"{row.name} takes {len(row.variables)} ids.")
        ids = iter(request.ids)
        segments = [next(ids) if part is None else part for part in row.upstream]
        query = {**self._query, **request.query, **query_of(options.extra_query)}
        return self.settings.endpoint.object_url(*segments, query=query)

    def _object_context(self, row: APIOperation, request: ObjectRequest) -> RequestContext:
        endpoint = self.settings.endpoint
        # The hint says to use a project.
        is_there = row.collection == "conversations" and endpoint.surface == "project"
        return RequestContext(
            operation=row.name,
            surface=endpoint.surface,
            api_version=endpoint.api_version,
            object_id=request.ids[-1] if request.ids else None,
            gone=row.gone,
            instead=None if is_there else row.instead,
            scope=self.settings.scope,
            uses_key=self.settings.secret.kind == "api_key",
        )

    def _create(
        self,
        model: type[C],
        parameters: Mapping[str, Any],
        options: Options,
        *,
        stream: bool = False,
        output: StructuredOutput[Any] | None = None,
    ) -> Creation[C]:
        # One comparison of sets; the names are looked at one by one only to say what is wrong.
        if not parameters.keys() <= CREATE_PARAMETERS:
            check_names(parameters, CREATE_PARAMETERS | AGENT_PARAMETERS)
        if options.extra_body:
            _check_streaming(stream, options.extra_body)
        body = self._body(parameters, options.extra_body)
        if output is not None:
            body["text"] = output.text_parameter(body.get("text"))
        if stream:
            body["stream"] = True
        kind = partial(Creation, self.recent, output)
        call: Creation[C] = self._call(
            "create", model, options, body=body, continues=_id_in(body), stream=stream, kind=kind
        )
        # The bridge has converted chat completions already, and one conversion carries a call.
        if self.converter is not None and self._api_type == "responses":
            if "model" in body:
                self.converter.convert(call, body["model"], warn=warn_caller)
            else:
                # An agent speaks Responses.
                self.converter.replay(call, warn_caller)
        return call

    def _body(
        self, parameters: Mapping[str, Any], extra: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = {name: value for name, value in parameters.items() if value is not None}
        model = body.get("model")
        if self._is_agents_own or not AGENT_PARAMETERS.isdisjoint(body) or _names_agent(model):
            return self._body_of_agent(body)
        if model is None and extra and "agent_reference" in extra:
            return body
        body["model"] = self._deployment(model)
        return body

    def _body_of_agent(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body of a call that an agent answers, which names no model."""
        agent = agent_of(body)
        if agent is None:
            # Given as an object, or by the endpoint; what else is wrong with it the service says.
            return complete_reference(body)
        check_project(self.settings.endpoint, agent)
        drops = self.converter is not None and self.converter.drops_params
        fitted, warnings = for_agent(body, agent, drops_params=drops)
        for text in warnings:
            warn_caller(text)
        return fitted

    def _deployment(self, model: Any) -> str:
        name = without_provider(model) or self.settings.deployment
        if not name:
            raise ConfigurationError(
                "No model was given.",
                hint="Pass model='<deployment name>', or set AZURE_OPENAI_DEPLOYMENT.",
            )
        if not isinstance(name, str):
            raise ConfigurationError(f"model is a {type(name).__name__}, not a string.")
        # As an entry of a model list writes it; a deployment has no slash in its name.
        return read_deployment(name) if name.startswith("azure_ai/") else name

    def _call(
        self,
        name: str,
        model: type[Result],
        options: Options,
        *,
        response_id: str | None = None,
        continues: str | None = None,
        query: _Query | None = None,
        body: dict[str, Any] | None = None,
        stream: bool = False,
        kind: Callable[..., K],
    ) -> K:
        """The call of an operation.

        `response_id` is the stored response that its path names, `continues` that of its body.
        """
        row = OPERATIONS[name]
        # The one name of a call whose reply, and with it Azure's request id, never arrived.
        headers = {"x-ms-client-request-id": str(self._new_id()), **self._headers[stream]}
        if options.extra_headers:
            headers = merge_headers(headers, options.extra_headers)
        content = None
        if body is not None or options.extra_body:
            content = encode_body(body, options.extra_body)
            headers.setdefault("content-type", "application/json")
        reads = response_id or continues
        # A response of an agent names no model.
        deployment = body.get("model") if body else None
        return kind(
            model,
            Request(row.method, self._url(row, response_id, query, options), headers, content),
            self._context(name, deployment, response_id),
            options.policy(self.policy) if options.patience is not None else self.policy,
            can_refresh_token=self._can_refresh,
            born=self.recent.born(reads) if reads else None,
            parameters=_overlay(body or {}, options.extra_body),
            api_type=self._api_type,
            pricer=self._pricer_of(deployment) if self._pricer_of else None,
        )

    def _call_stored(
        self,
        name: str,
        model: type[Result],
        response_id: str,
        options: Options,
        *,
        query: _Query | None = None,
        stream: bool = False,
        kind: Callable[..., K],
    ) -> K:
        """The call of an operation on a stored response, of the service or on our side."""
        call = self._call(
            name, model, options, response_id=response_id, query=query, stream=stream, kind=kind
        )
        if is_stored_here(response_id):
            call.stored_id = response_id
        return call

    def _url(
        self, row: APIOperation, response_id: str | None, query: _Query | None, options: Options
    ) -> str:
        endpoint = self.settings.endpoint
        if None in row.upstream or query or options.extra_query:
            # An id is checked where it is written into the URL; None is refused there as well.
            segments: list[Any] = [part or response_id for part in row.upstream]
            added = {**(query or {}), **query_of(options.extra_query)}
            return endpoint.url(*segments, query={**self._query, **added})
        url = self._urls.get(row.name)
        if url is None:
            constant = [part for part in row.upstream if part is not None]
            url = self._urls[row.name] = endpoint.url(*constant, query=self._query)
        return url

    def _context(
        self, name: str, deployment: str | None, response_id: str | None
    ) -> RequestContext:
        found = self._contexts.get((name, deployment)) if response_id is None else None
        if found is not None:
            return found
        endpoint = self.settings.endpoint
        context = RequestContext(
            operation=name,
            surface=endpoint.surface,
            api_version=endpoint.api_version,
            deployment=deployment,
            response_id=response_id,
            instead=OPERATIONS[name].instead,
            scope=self.settings.scope,
            uses_key=self.settings.secret.kind == "api_key",
        )
        # A context with a response id serves one call only.
        if response_id is None and len(self._contexts) < _MOST_CONTEXTS:
            self._contexts[name, deployment] = context
        return context


# The bytes as they are stored: only then does the reply's length say whether all of them came.
_DOWNLOAD_HEADERS = {"accept": "*/*", "accept-encoding": "identity"}


def _names_agent(model: Any) -> bool:
    return isinstance(model, str) and model.startswith("azure_ai/agents/")


def _check_streaming(stream: bool, extra_body: Mapping[str, Any] | None) -> None:
    """Raise ConfigurationError where the body would ask for what the caller does not read."""
    said = (extra_body or {}).get("stream")
    if said is not None and bool(said) is not stream:
        raise ConfigurationError(
            f"stream={said!r} in extra_body contradicts the call itself.",
            hint="Pass stream=True or stream=False to the call.",
        )


def including(include: Sequence[str] | None) -> dict[str, str | list[str]]:
    """The parameter of a URL that asks for more of items; raises ConfigurationError for a text."""
    # A single name would be sent letter by letter: to Python a string is a list too.
    given: object = include
    if isinstance(given, str):
        raise ConfigurationError(
            f"include is {given!r}, not a list.", hint=f"Pass include=[{given!r}]."
        )
    return {"include[]": list(include)} if include else {}


def _own_headers(accepts_stream: bool) -> dict[str, str | None]:
    return {
        "accept": "text/event-stream" if accepts_stream else "application/json",
        # A proxy that compresses a stream holds its events back until a block is full.
        "accept-encoding": "identity" if accepts_stream else "gzip, deflate",
    }


def _overlay(body: Mapping[str, Any], extra: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {**body, **extra} if extra else body


def _id_in(body: Mapping[str, Any]) -> str | None:
    value = body.get("previous_response_id")
    return value if isinstance(value, str) else None


def query_of(values: Mapping[str, Any] | None) -> dict[str, str | list[str]]:
    """Values as parameters of a URL; None is left out."""
    query: dict[str, str | list[str]] = {}
    for name, value in (values or {}).items():
        if isinstance(value, bool):
            query[name] = "true" if value else "false"
        elif isinstance(value, list | tuple):
            query[name] = [str(part) for part in value]
        elif value is not None:
            query[name] = str(value)
    return query
