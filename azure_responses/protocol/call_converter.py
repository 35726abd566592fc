"""Makes calls over for what their deployments speak.

A call is first built as for a deployment that speaks the Responses API. Here it gets the URL of
another API and the conversion to it, at once where the deployment is known to speak that one, or
when the deployment refuses the API that was assumed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from azure_responses.errors import AzureResponsesError, ConfigurationError
from azure_responses.protocol.agents import AGENT_PREFIX, AgentConversion
from azure_responses.protocol.call import Call
from azure_responses.protocol.call_conversion import (
    CallConversion,
    Replay,
    needs_replay,
    read_json,
)
from azure_responses.protocol.conversion import APIName, Conversion
from azure_responses.protocol.deployment_apis import DeploymentAPIs
from azure_responses.protocol.endpoint import Endpoint
from azure_responses.protocol.families import FamilyFacts
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.known_errors import refused_api
from azure_responses.protocol.request_body import encode_body
from azure_responses.protocol.stored_response import SEALED

__all__ = ["CallConverter", "MakesConversions", "StoredReads", "counting_url"]

_MOST_URLS = 1000
# In every request that holds what only we know: in the ids of what is stored here, and in front of
# what was sealed here.
_MARKS = (b"_bridged_", SEALED.encode())


class MakesConversions(Protocol):
    """What makes conversions: `bridge.conversions`, which this layer cannot see."""

    def make(
        self,
        caller: APIName,
        upstream: APIName,
        parameters: Mapping[str, Any],
        deployment: str,
        now: float,
        *,
        drops_params: bool,
    ) -> Conversion:
        """The conversion of one request, which is JSON; `now` is unix seconds."""

    def fit(
        self, api: APIName, parameters: Mapping[str, Any], deployment: str, *, drops_params: bool
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """A request of the deployment's own API without what its model does not take.

        The same object where nothing had to be changed; and what was left out.
        """

    def restricts_responses(self, deployment: str) -> bool:
        """True where a request of the Responses API has to be fitted to the model."""

    def facts(self, deployment: str) -> FamilyFacts:
        """What the model of a deployment accepts."""


class StoredReads(Protocol):
    """Makes the calls that read what the service stores: an `Operations`, or its like."""

    def read_response(self, response_id: str) -> Call:
        """The call that retrieves a response."""

    def read_input(self, response_id: str, after: str | None) -> Call:
        """The call that lists a response's input, the oldest items first."""


@dataclass(frozen=True)
class CallConverter:
    """Makes the calls of one client over.

    Attributes:
        endpoint: where the calls go.
        apis: what each deployment speaks.
        conversions: makes the conversions.
        drops_params: what a deployment cannot do is left out with a warning, not refused.
        reading: makes the calls that read a response which the service stores.
    """

    endpoint: Endpoint
    apis: DeploymentAPIs
    conversions: MakesConversions
    drops_params: bool = False
    reading: StoredReads | None = None
    # Nearly every call of a client has the same URL.
    _urls: dict[tuple[str, str, str], str] = field(default_factory=dict, repr=False, compare=False)

    def convert(
        self,
        call: Call,
        deployment: str,
        *,
        caller: APIName = "responses",
        drops_params: bool | None = None,
        warn: Callable[[str], None] | None = None,
        may_switch: bool = True,
    ) -> None:
        """Make a new call over for what its deployment speaks; nothing for nearly every call.

        Args:
            call: as for the Responses API, but with the body of the caller's API.
            deployment: the name of the deployment.
            caller: the API of the caller.
            drops_params: in place of the client's setting.
            warn: told what was left out.
            may_switch: False where the caller itself makes a refused call over.
        """
        spoken = self.apis.of(deployment)
        content = call.request.body
        if not isinstance(content, bytes):
            return
        drops = self.drops_params if drops_params is None else drops_params
        if spoken.may_be_wrong or spoken.name != "responses" or caller != "responses":
            speak = partial(self._speak, deployment, caller, content, drops, warn)
            if spoken.may_be_wrong and may_switch:
                call.switch = partial(self._switch, deployment, speak)
            if spoken.name != "responses" or caller != "responses":
                speak(call, spoken.name)
                return
        if self.conversions.restricts_responses(deployment):
            content = self._fit(deployment, "responses", content, drops, warn)
            call.put_body(content)
        self.replay(call, warn)

    def replay(self, call: Call, warn: Callable[[str], None] | None = None) -> None:
        """Let a call in the Responses API do without what only we know; nothing for most calls.

        Args:
            call: to a deployment or an agent that speaks Responses.
            warn: told what was left out.
        """
        content = call.request.body
        # Reading a long body takes longer than searching it.
        if not isinstance(content, bytes) or not any(mark in content for mark in _MARKS):
            return
        if needs_replay(read_json(content)):
            call.conversion = CallConversion("responses", "responses", content, _replay, warn)

    def url_of(self, deployment: str) -> str:
        """The URL that a deployment is called by, as far as is known."""
        return self._url(self.apis.of(deployment).name, deployment, "")

    def refuse_compaction(self, deployment: str | None) -> None:
        """Raise ConfigurationError where a deployment is known to have no compaction."""
        self._refuse(
            deployment,
            "compaction",
            "Compact with a deployment that speaks Responses, or leave out the oldest items of the "
            "conversation.",
        )

    def count(
        self, call: Call, deployment: str | None, warn: Callable[[str], None] | None = None
    ) -> None:
        """Make a count of input tokens over for a deployment that speaks Messages.

        Args:
            call: as for the Responses API.
            deployment: None for an agent, which speaks Responses.
            warn: told what was left out.
        """
        content = call.request.body
        if deployment is None or self.api_of(deployment) != "messages":
            self.replay(call, warn)
        elif isinstance(content, bytes):
            self._speak(deployment, "responses", content, self.drops_params, warn, call, "messages")
            assert call.conversion is not None
            call.conversion.counts_only()
            call.request = replace(call.request, url=counting_url(call.request.url))

    def api_of(self, deployment: str) -> APIName:
        """What a deployment speaks, as far as is known; an agent speaks Responses."""
        if deployment.startswith(AGENT_PREFIX):
            return "responses"
        return self.apis.of(deployment).name

    def _refuse(self, deployment: str | None, what: str, hint: str) -> None:
        spoken = "responses" if deployment is None else self.apis.of(deployment).name
        if spoken != "responses":
            raise ConfigurationError(
                f"The deployment {deployment!r} speaks {spoken}, which has no {what}.", hint=hint
            )

    def learn(self, deployment: str, error: AzureResponsesError, spoken: APIName) -> bool:
        """True where an error has taught what a deployment speaks instead of `spoken`.

        For callers who make a refused call over themselves.
        """
        known = self.apis.of(deployment)
        api = refused_api(error, spoken) if known.may_be_wrong else None
        if api is not None:
            self.apis.learn(deployment, api)
            return True
        # Another call may have learned it meanwhile.
        return known.name != spoken and refused_api(error, spoken) is not None

    def _switch(
        self,
        deployment: str,
        speak: Callable[[Call, APIName], None],
        call: Call,
        error: AzureResponsesError,
    ) -> bool:
        """Make a refused call over for the API that the refusal names; False for other errors."""
        api = refused_api(error, call.api)
        if api is None:
            return False
        self.apis.learn(deployment, api)
        speak(call, api)
        return True

    def _speak(
        self,
        deployment: str,
        caller: APIName,
        content: bytes,
        drops_params: bool,
        warn: Callable[[str], None] | None,
        call: Call,
        api: APIName,
    ) -> None:
        """Make a call over for an API."""
        call.api, call.conversion = api, None
        if api != caller:
            make = partial(self._make, deployment, caller, api, drops_params)
            call.conversion = CallConversion(caller, api, content, make, warn, self.reading)
        elif api != "responses":
            content = self._fit(deployment, api, content, drops_params, warn)
        url = self._url(api, deployment, call.request.url)
        headers = {**self.endpoint.headers_of(api), **call.request.headers}
        # Without `dataclasses.replace`, which takes longer than all the rest of this.
        call.request = Request(call.request.method, url, headers, content)

    def _fit(
        self,
        deployment: str,
        api: APIName,
        content: bytes,
        drops_params: bool,
        warn: Callable[[str], None] | None,
    ) -> bytes:
        """The body without what the deployment's model does not take; nearly always the same."""
        body = read_json(content)
        fitted, warnings = self.conversions.fit(api, body, deployment, drops_params=drops_params)
        if warn is not None:
            for text in warnings:
                warn(text)
        return content if fitted is body else encode_body(fitted) or content

    def _make(
        self,
        deployment: str,
        caller: APIName,
        api: APIName,
        drops_params: bool,
        parameters: Mapping[str, Any],
        now: float,
    ) -> Conversion:
        conversion = self.conversions.make(
            caller, api, parameters, deployment, now, drops_params=drops_params
        )
        if not deployment.startswith(AGENT_PREFIX):
            return conversion
        agent = deployment.removeprefix(AGENT_PREFIX)
        return AgentConversion(conversion, agent, drops_params=drops_params)

    def _url(self, api: APIName, deployment: str, url: str) -> str:
        """The URL of an API, with the query that the call has besides the endpoint's own."""
        key = api, deployment, url
        found = self._urls.get(key)
        if found is None:
            found = self._make_url(api, deployment, url)
            if len(self._urls) < _MOST_URLS:
                self._urls[key] = found
        return found

    def _make_url(self, api: APIName, deployment: str, url: str) -> str:
        endpoint = self.endpoint
        if api == "responses":
            made = endpoint.url("responses")
        elif api == "chat":
            made = endpoint.chat_url(deployment)
        else:
            made = endpoint.messages_url()
        own = parse_qsl(urlsplit(endpoint.url("responses")).query, keep_blank_values=True)
        given = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        added = urlencode([pair for pair in given if pair not in own])
        return f"{made}{'&' if '?' in made else '?'}{added}" if added else made


def counting_url(url: str) -> str:
    """The URL that counts the tokens of what is sent to a URL of Messages."""
    path, mark, query = url.partition("?")
    return f"{path}/count_tokens{mark}{query}"


def _replay(parameters: Mapping[str, Any], now: float) -> Conversion:
    return Replay(parameters)
