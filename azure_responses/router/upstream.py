"""The service behind a router's attempts: how a request is written for it, and its reply read.

The loop of a routed call and its attempts see requests and replies in the caller's API: Responses,
chat completions or Messages. A deployment may speak another one. The client's executor then
converts the call (`protocol.call_converter`), so that nothing here depends on what is spoken.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

from pydantic_core import from_json

from azure_responses.bridge.native_messages import fit_betas, refused_betas
from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.call import Call
from azure_responses.protocol.call_converter import counting_url
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.http_message import Reply, Request, merge_headers
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.object_request import Content, ObjectRequest
from azure_responses.protocol.object_table import PASSED_OPERATIONS
from azure_responses.protocol.operation_table import OPERATIONS
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.protocol.request_body import encode_body
from azure_responses.router.frames import EventRewriter, FrameStream, ShowEvent
from azure_responses.types.result import Pricer, Result

__all__ = ["ResponsesUpstream", "Upstream", "UpstreamRequest", "Warn"]

_NO_OPTIONS = Options()
# Only a token can be exchanged for a newer one; these stay what they are.
_FIXED_SECRETS = ("api_key", "azure_ad_token")
_MOST_TEMPLATES = 1000
_BETAS = "anthropic-beta"


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """What one attempt asks, in the terms of its caller's API and with the service's own ids.

    Attributes:
        operation: a name of the table of operations.
        deployment: the name of the deployment at the service; empty for a stored response.
        parameters: of a POST, `model` among them.
        content: the body as bytes, where the caller sent it so and nothing has to be changed.
        response_id: of the stored response that the operation is about.
        options: what the caller adds to headers, query and body.
        call_id: sent as `x-ms-client-request-id`; None makes one.
        is_stream: the answer is asked for as events.
        caller: the API whose terms the parameters are in, and the answer.
        drops_params: what the deployment's API cannot do is left out with a warning; None leaves it
            to the client.
        may_switch: False where a refusal of the API is raised, and not answered by another call.
        asked: a call on a stored object, whose body `content` or `pieces` may be.
        pieces: a body that is sent as it is read.
        content_type: of `content`.
    """

    operation: str
    deployment: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    response_id: str | None = None
    options: Options = _NO_OPTIONS
    call_id: str | None = None
    is_stream: bool = False
    caller: APIName = "responses"
    drops_params: bool | None = None
    may_switch: bool = True
    asked: ObjectRequest | None = None
    pieces: Content | None = None
    content_type: str = "application/json"


_Switch = Callable[[Call, AzureResponsesError], bool]
Warn = Callable[[str], None]
"""Takes what was left out of a request, one sentence each time."""


class Upstream(Protocol):
    """What an attempt needs of the service behind a deployment, whatever API it speaks.

    One class serves all of them: the executor converts, see the head of this module.
    """

    def write(self, request: UpstreamRequest, warn: Warn | None = None) -> Call:
        """The call that a request stands for; `warn` gets what is left out of it."""

    def read(self, call: Call, reply: Reply, now: float) -> dict[str, Any]:
        """The response (or page, or deletion) in a reply; `now` is unix seconds.

        Raises:
            APIStatusError: the reply says 200 but holds no such object.
        """

    def read_stream(
        self,
        ids: EventRewriter,
        *,
        model: str | None,
        is_background: bool,
        starting_after: int | None,
        show: ShowEvent | None = None,
    ) -> FrameStream:
        """The state of a stream that answers."""

    def api_of(self, deployment: str) -> APIName:
        """What a deployment speaks, as far as is known."""

    def websocket_url(self) -> str | None:
        """The URL of the WebSocket that carries responses; None where there is none."""

    def can_encrypt(self, deployment: str) -> bool:
        """True where reasoning comes encrypted if that is asked for; Claude's always does."""

    def learns_api(self, deployment: str, error: AzureResponsesError) -> bool:
        """True for a deployment that refused the Responses API: it speaks another one."""

    def note_created(self, response_id: str, now: float) -> None:
        """A response was made, at a monotonic second: it may not be readable at once."""

    def note_deleted(self, response_id: str) -> None:
        """A response is gone: not finding it is the right answer from now on."""


class _Template:
    """What the calls of one operation on one deployment have in common."""

    __slots__ = ("context", "headers", "pricer", "url")

    def __init__(self, call: Call, url: str, operation: str) -> None:
        self.url = url
        self.headers = dict(call.request.headers)
        self.context: RequestContext = replace(call.context, operation=operation)
        self.pricer: Pricer | None = call.pricer


class ResponsesUpstream:
    """The service behind the deployments of one client, called by the client's rules.

    A call is written as for the Responses API, or in its caller's own API, and made over by the
    client's converter for what its deployment speaks.

    Args:
        operations: the client's.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._can_refresh = operations.settings.secret.kind not in _FIXED_SECRETS
        self._templates: dict[tuple[str, str, bool], _Template] = {}
        self._refused_betas: frozenset[str] = frozenset()

    def write(self, request: UpstreamRequest, warn: Warn | None = None) -> Call:
        """The call that a request stands for.

        `warn` is called with what is left out, at once or when the executor converts the call.

        Raises:
            ConfigurationError: a value that JSON cannot hold, or options that are no mappings.
        """
        if request.response_id is not None:
            return self._write_stored(request, request.response_id)
        if request.asked is not None:
            return self._write_object(request, request.asked)
        if request.caller != "responses" or request.operation in PASSED_OPERATIONS:
            return self._write_for_caller(request, warn)
        options = request.options
        if options.extra_headers or options.extra_query or options.extra_body:
            return self._write_with_options(request)
        content = request.content
        if content is None:
            content = encode_body(_asked(request))
        call = self._made(request, content)
        self._convert(call, request, warn)
        return call

    def _convert(self, call: Call, request: UpstreamRequest, warn: Warn | None) -> None:
        """Make a call of the Responses API over for what its deployment speaks."""
        converter = self._operations.converter
        if converter is None:
            return
        # An agent speaks Responses, whatever its name says.
        if request.operation == "create" and "model" in call.parameters:
            converter.convert(
                call,
                request.deployment,
                drops_params=request.drops_params,
                warn=warn,
                may_switch=request.may_switch,
            )
        elif request.operation == "input_tokens":
            converter.count(call, call.parameters.get("model"), warn)
        else:
            converter.replay(call, warn)

    def _made(self, request: UpstreamRequest, content: bytes | None) -> Call:
        template = self._template(request)
        headers = {**template.headers, "x-ms-client-request-id": request.call_id or self.new_id()}
        if request.operation == "create":
            headers |= self._operations.image_headers(request.parameters)
        # What was made just now may not be readable yet: for half a minute, by the samples of
        # dotnet/extensions #7704. A 404 is waited out so long.
        previous = request.parameters.get("previous_response_id")
        born = self._operations.recent.born(previous) if isinstance(previous, str) else None
        policy = self._operations.policy
        return Call(
            Request("POST", template.url, headers, content),
            template.context,
            # How long to wait concerns only what was made just now: a router does not retry.
            policy if born is None else request.options.policy(policy),
            can_refresh_token=self._can_refresh,
            born=born,
            parameters=request.parameters,
            pricer=template.pricer,
        )

    def api_of(self, deployment: str) -> APIName:
        """What a deployment speaks, as far as is known."""
        converter = self._operations.converter
        return "responses" if converter is None else converter.api_of(deployment)

    def websocket_url(self) -> str | None:
        """The URL of the WebSocket that carries responses; None where there is none."""
        return self._operations.settings.endpoint.websocket_url(is_undocumented_tried=True)

    def can_encrypt(self, deployment: str) -> bool:
        """True where reasoning comes encrypted if that is asked for; Claude's always does."""
        converter = self._operations.converter
        if converter is None:
            return True
        api = converter.api_of(deployment)
        if api == "responses":
            return converter.conversions.facts(deployment).takes_encrypted_reasoning
        return api == "chat"

    def learns_api(self, deployment: str, error: AzureResponsesError) -> bool:
        """True for a deployment that refused the Responses API: it speaks another one.

        That is remembered: a deployment refuses so once.
        """
        converter = self._operations.converter
        return converter is not None and converter.learn(deployment, error, "responses")

    def new_id(self) -> str:
        """A name for a call that was given none."""
        return str(self._operations._new_id())

    def read(self, call: Call, reply: Reply, now: float) -> dict[str, Any]:
        """The JSON object of a successful reply; `now` is unix seconds.

        Raises:
            APIStatusError: the reply says 200 but holds no such object, or an error and nothing
                else.
        """
        answer = _parse(reply.body)
        # A failed response has an error too, but also an id and a status.
        if not isinstance(answer, dict) or (answer.get("error") and "object" not in answer):
            raise call.failure(reply.status, reply.headers, reply.body, now)
        return answer

    def read_stream(
        self,
        ids: EventRewriter,
        *,
        model: str | None,
        is_background: bool,
        starting_after: int | None,
        show: ShowEvent | None = None,
    ) -> FrameStream:
        """The events are those of the Responses API already: only ids are rewritten."""
        return FrameStream(
            ids,
            model=model,
            is_background=is_background,
            starting_after=starting_after,
            show=show,
        )

    def note_created(self, response_id: str, now: float) -> None:
        """A response was made, at a monotonic second: it may not be readable at once."""
        self._operations.recent.remember(response_id, now)

    def note_deleted(self, response_id: str) -> None:
        """A response is gone: not finding it is the right answer from now on."""
        self._operations.recent.forget(response_id)

    def _write_with_options(self, request: UpstreamRequest) -> Call:
        operations, parameters = self._operations, request.parameters
        if request.operation == "compact":
            return operations.compact(parameters, request.options)
        if request.operation == "input_tokens":
            return operations.count_input(parameters, request.options)
        return operations.create(parameters, request.options, stream=request.is_stream)

    def _write_for_caller(self, request: UpstreamRequest, warn: Warn | None) -> Call:
        """The call of another API: native, or converted by the executor."""
        if request.operation in PASSED_OPERATIONS:
            return self._write_passed(request)
        operations, options, template = self._operations, request.options, self._template(request)
        content = request.content
        if content is None or options.extra_body:
            content = encode_body(_asked(request), options.extra_body)
        own = {"x-ms-client-request-id": request.call_id or self.new_id()}
        headers = merge_headers(template.headers, own, self._headers_for(request, warn))
        url = template.url
        if options.extra_query:
            url += ("&" if "?" in url else "?") + urlencode(options.extra_query, doseq=True)
        call = Call(
            Request("POST", url, headers, content),
            template.context,
            operations.policy,
            can_refresh_token=self._can_refresh,
            parameters=request.parameters,
            api_type="messages" if request.caller == "messages" else "chat_completions",
            pricer=template.pricer,
        )
        assert operations.converter is not None
        operations.converter.convert(
            call,
            request.deployment,
            caller=request.caller,
            drops_params=request.drops_params,
            warn=warn,
            # Over Responses a chat needs the bridge, which is around the attempt.
            may_switch=request.caller == "messages",
        )
        if _BETAS in headers:
            call.switch = partial(self._drops_betas, warn, call.switch)
        if request.operation == "count_tokens":
            call.request = replace(call.request, url=counting_url(call.request.url))
        return call

    def _headers_for(self, request: UpstreamRequest, warn: Warn | None) -> Mapping[str, str | None]:
        """The headers that the caller adds; Anthropic's own go to Claude alone."""
        given = request.options.extra_headers or {}
        if not given or request.caller != "messages":
            return given
        if self.api_of(request.deployment) != "messages":
            return {n: v for n, v in given.items() if not n.lower().startswith("anthropic-")}
        betas = given.get(_BETAS)
        if betas is None:
            return given
        kept, warnings = fit_betas(betas, self._refused_betas)
        _tell(warn, warnings)
        return {**given, _BETAS: kept or None}

    def _drops_betas(
        self, warn: Warn | None, switch: "_Switch | None", call: Call, error: AzureResponsesError
    ) -> bool:
        """Leave out the beta values that a refusal names; they are not sent again."""
        refused = refused_betas(error.message)
        if not refused:
            return switch is not None and switch(call, error)
        self._refused_betas |= refused
        headers = dict(call.request.headers)
        kept, warnings = fit_betas(headers.pop(_BETAS, ""), refused)
        if kept:
            headers[_BETAS] = kept
        _tell(warn, warnings)
        call.request = replace(call.request, headers=headers)
        return bool(warnings)

    def _write_stored(self, request: UpstreamRequest, response_id: str) -> Call:
        operations, options = self._operations, _named(request.options, request.call_id)
        if request.parameters:
            query = {**request.parameters, **(options.extra_query or {})}
            options = replace(options, extra_query=query)
        if request.operation == "retrieve":
            return operations.retrieve(response_id, options, stream=request.is_stream)
        if request.operation == "cancel":
            return operations.cancel(response_id, options)
        if request.operation == "delete":
            return operations.delete(response_id, options)
        return operations.input_items(response_id, options)

    def _write_object(self, request: UpstreamRequest, asked: ObjectRequest) -> Call:
        """The call on a stored object; the body as it came where nothing in it has changed."""
        options = _named(request.options, request.call_id)
        call = self._operations.call_object(asked, Result, options, request.pieces)
        if request.content is not None:
            headers = {**call.request.headers, "content-type": request.content_type}
            call.request = replace(call.request, headers=headers, body=request.content)
        return call

    def _write_passed(self, request: UpstreamRequest) -> Call:
        """The call of another API, whose body is passed on as it came."""
        template, options = self._template(request), request.options
        own = {
            "x-ms-client-request-id": request.call_id or self.new_id(),
            "content-type": request.content_type,
            "accept": "*/*",
        }
        if request.is_stream or PASSED_OPERATIONS[request.operation].returns == "bytes":
            # What is passed on as it arrives is not decompressed in between.
            own["accept-encoding"] = "identity"
        url = template.url
        if options.extra_query:
            url += ("&" if "?" in url else "?") + urlencode(options.extra_query, doseq=True)
        return Call(
            Request(
                "POST",
                url,
                merge_headers(template.headers, own, options.extra_headers),
                request.content,
            ),
            template.context,
            self._operations.policy,
            can_refresh_token=self._can_refresh,
            parameters=request.parameters,
        )

    def _template(self, request: UpstreamRequest) -> _Template:
        key = request.operation, request.deployment, request.is_stream
        found = self._templates.get(key)
        if found is None:
            found = self._make_template(request)
            # Where any name is served, there is no end of names.
            if len(self._templates) < _MOST_TEMPLATES:
                self._templates[key] = found
        return found

    def _make_template(self, request: UpstreamRequest) -> _Template:
        """Made by the client's own rules, which know its default headers and query."""
        model = {"model": request.deployment}
        call = self._operations.create(model, _NO_OPTIONS, stream=request.is_stream)
        endpoint = self._operations.settings.endpoint
        passed = PASSED_OPERATIONS.get(request.operation)
        if passed is not None:
            url = endpoint.deployment_url(request.deployment, *filter(None, passed.upstream))
            return _Template(call, url, request.operation)
        url = endpoint.url(*filter(None, OPERATIONS[request.operation].upstream))
        # The query of the client's defaults stands only in what the client makes itself, which has
        # the URL of another API where the deployment speaks one.
        query = call.request.url.partition("?")[2]
        plain = url.partition("?")[0]
        return _Template(call, f"{plain}?{query}" if query else plain, request.operation)


def _named(options: Options, call_id: str | None) -> Options:
    """The options with the name that the call came with."""
    if call_id is None:
        return options
    # The caller's own headers win over ours.
    headers = {"x-ms-client-request-id": call_id, **(options.extra_headers or {})}
    return replace(options, extra_headers=headers)


def _tell(warn: Warn | None, warnings: Iterable[str]) -> None:
    if warn is not None:
        for text in warnings:
            warn(text)


def _asked(request: UpstreamRequest) -> Mapping[str, Any]:
    return {**request.parameters, "stream": True} if request.is_stream else request.parameters


def _parse(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError:
        pass
    try:
        # Half a surrogate pair is not JSON to everybody, and no reason to lose an answer.
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
