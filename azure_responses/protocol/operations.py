"""The operations of the Responses API → calls: what is sent, and what the reply is read as.

Both sides of the client build their calls here, so that this is decided once.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Literal, TypeVar, cast

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.agents import body_for_agent, is_agents_own, names_agent
from azure_responses.protocol.call import (
    ApiType,
    Call,
    Creation,
    Deletion,
    RecentResponses,
    TypedCall,
)
from azure_responses.protocol.call_address import CallAddresses, Query, own_headers
from azure_responses.protocol.call_conversion import is_stored_here
from azure_responses.protocol.call_converter import CallConverter
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.http_message import Request, merge_headers
from azure_responses.protocol.image_deployment import ImageDeployment, image_headers
from azure_responses.protocol.model_name import read_deployment, without_provider
from azure_responses.protocol.object_calls import ObjectCalls
from azure_responses.protocol.object_request import Content, ObjectRequest
from azure_responses.protocol.operation_table import OPERATIONS
from azure_responses.protocol.options import (
    NO_OPTIONS,
    Options,
    check_mapping,
    including,
    query_of,
    retrieve_query,
)
from azure_responses.protocol.pydantic_tools import ArgumentReaders
from azure_responses.protocol.request_body import (
    COMPACT_PARAMETERS,
    check_names,
    check_streaming,
    encode_body,
    overlay,
)
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

__all__ = ["Operations"]

R = TypeVar("R", bound=Result)
C = TypeVar("C", bound=Response)
T = TypeVar("T")
K = TypeVar("K", bound=Call)


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
        image_deployment: draws the images of the tool `image_generation`.
        warn: tells the caller what was left out.
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
        image_deployment: ImageDeployment | None = None,
        warn: Callable[[str], None] = warn_caller,
    ) -> None:
        check_mapping("default_headers", default_headers)
        check_mapping("default_query", default_query)
        self.settings = settings
        self._is_agents_own = is_agents_own(settings.endpoint)
        self.policy = policy
        self.recent = recent
        self._new_id = new_id
        self._warn = warn
        self.converter = None if converter is None else replace(converter, reading=self)
        self._api_type = api_type
        self._image_deployment = image_deployment
        self._pricer_of = lru_cache(maxsize=128)(pricer_of) if pricer_of else None
        # Checked and merged once: what is left for each call is a copy of a small dict.
        self._headers = {
            accepts_stream: merge_headers(own_headers(accepts_stream), default_headers)
            for accepts_stream in (False, True)
        }
        self._query = query_of(default_query)
        self._addresses = CallAddresses(settings, self._query)
        self._can_refresh = settings.secret.kind in (
            "azure_ad_token_provider",
            "credential",
            "none",
        )
        self._objects = ObjectCalls(
            settings,
            policy,
            new_id,
            headers=self._headers[False],
            default_headers=default_headers,
            query=self._query,
            api_type=api_type,
            can_refresh=self._can_refresh,
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
        self, parameters: Mapping[str, Any], options: Options, text_format: type[T] | None
    ) -> "Creation[ParsedResponse[T]]":
        """`POST /responses` for an output of the given type; raises what `create` raises."""
        kind = cast("type[ParsedResponse[T]]", ParsedResponse)
        output = None if text_format is None else StructuredOutput(text_format)
        tools = parameters.get("tools")
        if tools is not None:
            # Read here and when they are sent.
            parameters = {**parameters, "tools": list(tools)}
        call = self._create(kind, parameters, options, output=output)
        call.argument_readers = ArgumentReaders(parameters.get("tools"))
        return call

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
            self.converter.replay(call, self._warn)
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
            self.converter.count(call, body.get("model"), self._warn)
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
        query = retrieve_query(stream, starting_after, include, include_obfuscation)
        return self._call_stored(
            "retrieve", Response, response_id, options, query=query, stream=stream, kind=TypedCall
        )

    def retrieve_stream(
        self,
        response_id: str,
        options: Options,
        starting_after: int | None,
        include: list[str] | None = None,
        text_format: type[Any] | None = None,
    ) -> ResponseStream:
        """`GET /responses/{id}?stream=true`."""
        output = StructuredOutput(text_format) if text_format is not None else None
        call = self.retrieve(
            response_id, options, stream=True, starting_after=starting_after, include=include
        )
        return ResponseStream(
            call,
            resumes=True,
            starting_after=starting_after,
            response_id=response_id,
            output=output,
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
        return self._objects.write(request, model, options, content)

    def image_headers(self, parameters: Mapping[str, Any]) -> dict[str, str]:
        """The header that names the image deployment, of a request that may need one.

        Raises:
            ConfigurationError: the setting has no deployment for the model that the tool names.
        """
        if self._image_deployment is None:
            return {}
        return image_headers(self._image_deployment, parameters.get("tools"))

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
            check_streaming(stream, options.extra_body)
        body = self._body(parameters, options.extra_body)
        if output is not None:
            body["text"] = output.text_parameter(body.get("text"))
        if stream:
            body["stream"] = True
        if self._image_deployment is not None:
            own = self.image_headers(overlay(body, options.extra_body))
            options = replace(options, extra_headers={**own, **(options.extra_headers or {})})
        kind = partial(Creation, self.recent, output)
        call: Creation[C] = self._call(
            "create", model, options, body=body, continues=_id_in(body), stream=stream, kind=kind
        )
        # The bridge has converted chat completions already, and one conversion carries a call.
        if self.converter is not None and self._api_type == "responses":
            if "model" in body:
                self.converter.convert(call, body["model"], warn=self._warn)
            else:
                # An agent speaks Responses.
                self.converter.replay(call, self._warn)
        return call

    def _body(
        self, parameters: Mapping[str, Any], extra: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = {name: value for name, value in parameters.items() if value is not None}
        model = body.get("model")
        if self._is_agents_own or not AGENT_PARAMETERS.isdisjoint(body) or names_agent(model):
            drops = self.converter is not None and self.converter.drops_params
            body, warnings = body_for_agent(body, self.settings.endpoint, drops_params=drops)
            for text in warnings:
                self._warn(text)
            return body
        if model is None and extra and "agent_reference" in extra:
            return body
        body["model"] = self._deployment(model)
        return body

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
        query: Query | None = None,
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
            Request(
                row.method, self._addresses.url(row, response_id, query, options), headers, content
            ),
            self._addresses.context(name, deployment, response_id),
            options.policy(self.policy) if options.patience is not None else self.policy,
            can_refresh_token=self._can_refresh,
            born=self.recent.born(reads) if reads else None,
            parameters=overlay(body or {}, options.extra_body),
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
        query: Query | None = None,
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


def _id_in(body: Mapping[str, Any]) -> str | None:
    value = body.get("previous_response_id")
    return value if isinstance(value, str) else None
