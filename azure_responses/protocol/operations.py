"""The operations of the Responses API → calls: method, URL, headers and body.

Both shells build their calls here, so that what is sent is decided once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Literal

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.call import ApiType, Call, Deletion
from azure_responses.protocol.http_message import Request, merge_headers
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.recent_responses import RecentResponses
from azure_responses.protocol.request_body import encode_body
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import Settings
from azure_responses.types.result import Pricer

__all__ = ["Operations", "Options"]

_Query = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Options:
    """What one call adds to the client's defaults; later wins, None removes a header.

    `patience` is how long this call waits for one hint, in seconds, `math.inf` for ever; None
    leaves it to the client's policy. Raises ConfigurationError for what is no mapping.
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
    """

    def __init__(
        self,
        settings: Settings,
        policy: RetryPolicy,
        recent: RecentResponses,
        new_id: Callable[[], str],
        *,
        default_headers: Mapping[str, str | None] | None = None,
        default_query: Mapping[str, Any] | None = None,
        api_type: ApiType = "responses",
        pricer_of: Callable[[str | None], Pricer] | None = None,
    ) -> None:
        _check_mapping("default_headers", default_headers)
        _check_mapping("default_query", default_query)
        self.settings = settings
        self.policy = policy
        self.recent = recent
        self._new_id = new_id
        self._api_type = api_type
        self._pricer_of = lru_cache(maxsize=128)(pricer_of) if pricer_of else None
        # Checked and merged once: what is left for each call is a copy of a small dict.
        self._headers = {
            accepts_stream: merge_headers(_own_headers(accepts_stream), default_headers)
            for accepts_stream in (False, True)
        }
        self._query = _query_of(default_query)
        self._can_refresh = settings.secret.kind in (
            "azure_ad_token_provider",
            "credential",
            "none",
        )

    def create(self, parameters: Mapping[str, Any], options: Options, *, stream: bool) -> Call:
        """`POST /responses`; `parameters` without the None values become the body."""
        _check_streaming(stream, options.extra_body)
        body = {name: value for name, value in parameters.items() if value is not None}
        body["model"] = self._deployment(body.get("model"))
        if stream:
            body["stream"] = True
        return self._call(
            "create",
            "POST",
            ("responses",),
            options,
            body=body,
            deployment=body["model"],
            accepts_stream=stream,
            reads=_id_in(body),
        )

    def compact(self, parameters: Mapping[str, Any], options: Options) -> Call:
        """`POST /responses/compact`."""
        body = {name: value for name, value in parameters.items() if value is not None}
        body["model"] = self._deployment(body.get("model"))
        return self._call(
            "compact",
            "POST",
            ("responses", "compact"),
            options,
            body=body,
            deployment=body["model"],
            reads=_id_in(body),
        )

    def retrieve(
        self,
        response_id: str,
        options: Options,
        *,
        stream: bool = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        include_obfuscation: bool | None = None,
    ) -> Call:
        """`GET /responses/{id}`, plainly or as a stream from after an event."""
        if starting_after is not None and not stream:
            raise ConfigurationError(
                "starting_after is for streams alone.", hint="Pass stream=True as well."
            )
        query = _including(include)
        if stream:
            query["stream"] = "true"
        if starting_after is not None:
            query["starting_after"] = str(starting_after)
        if include_obfuscation is not None:
            query["include_obfuscation"] = "true" if include_obfuscation else "false"
        return self._stored("retrieve", "GET", response_id, options, query, accepts_stream=stream)

    def cancel(self, response_id: str, options: Options) -> Call:
        """`POST /responses/{id}/cancel`; background responses only, idempotent."""
        return self._stored("cancel", "POST", response_id, options, part="cancel")

    def delete(self, response_id: str, options: Options) -> Call:
        """`DELETE /responses/{id}`."""
        kind = partial(Deletion, self.recent, response_id)
        return self._stored("delete", "DELETE", response_id, options, kind=kind)

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
    ) -> Call:
        """`GET /responses/{id}/input_items`; `limit` is 1 to 100, 20 if not said."""
        given = {"limit": limit, "order": order, "after": after, "before": before}
        query = _including(include)
        query |= {name: str(value) for name, value in given.items() if value is not None}
        return self._stored("input_items", "GET", response_id, options, query, part="input_items")

    def models(self, options: Options) -> Call:
        """`GET /models`."""
        return self._call("models", "GET", ("models",), options)

    def _deployment(self, model: Any) -> str:
        name = model or self.settings.deployment
        if not name:
            raise ConfigurationError(
                "No model was given.",
                hint="Pass model='<deployment name>', or set AZURE_OPENAI_DEPLOYMENT.",
            )
        if not isinstance(name, str):
            raise ConfigurationError(f"model is a {type(name).__name__}, not a string.")
        return name

    def _stored(
        self,
        name: str,
        method: str,
        response_id: str,
        options: Options,
        query: _Query | None = None,
        *,
        part: str | None = None,
        accepts_stream: bool = False,
        kind: Callable[..., Call] = Call,
    ) -> Call:
        segments = ("responses", response_id, part) if part else ("responses", response_id)
        return self._call(
            name,
            method,
            segments,
            options,
            query=query,
            accepts_stream=accepts_stream,
            reads=response_id,
            kind=kind,
        )

    def _call(
        self,
        name: str,
        method: str,
        segments: tuple[str, ...],
        options: Options,
        *,
        query: _Query | None = None,
        body: dict[str, Any] | None = None,
        deployment: str | None = None,
        accepts_stream: bool = False,
        reads: str | None = None,
        kind: Callable[..., Call] = Call,
    ) -> Call:
        endpoint = self.settings.endpoint
        headers = {"x-ms-client-request-id": self._new_id(), **self._headers[accepts_stream]}
        if options.extra_headers:
            headers = merge_headers(headers, options.extra_headers)
        content = encode_body(body, options.extra_body)
        if content is not None:
            headers.setdefault("content-type", "application/json")
        request = Request(method, self._url(segments, query, options), headers, content)
        context = RequestContext(
            operation=name,
            surface=endpoint.surface,
            api_version=endpoint.api_version,
            deployment=deployment,
            response_id=None if body is not None else reads,
            scope=self.settings.scope,
            uses_key=self.settings.secret.kind == "api_key",
        )
        return kind(
            request,
            context,
            options.policy(self.policy),
            can_refresh_token=self._can_refresh,
            born=self.recent.born(reads),
            parameters=_overlay(body or {}, options.extra_body),
            api_type=self._api_type,
            pricer=self._pricer_of(deployment) if self._pricer_of else None,
        )

    def _url(self, segments: tuple[str, ...], query: _Query | None, options: Options) -> str:
        added = {**(query or {}), **_query_of(options.extra_query)}
        return self.settings.endpoint.url(*segments, query={**self._query, **added})


def _check_mapping(name: str, value: object) -> None:
    if value is not None and not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{name} is a {type(value).__name__}, not a mapping.", hint="Pass a dict."
        )


def _check_streaming(stream: bool, extra_body: Mapping[str, Any] | None) -> None:
    """Raise ConfigurationError where the body would ask for what the caller does not read."""
    said = (extra_body or {}).get("stream")
    if said is not None and bool(said) is not stream:
        raise ConfigurationError(
            f"extra_body says stream={said!r}, and the call itself something else.",
            hint="Say it to the call: stream=True or stream=False.",
        )


def _including(include: list[str] | None) -> dict[str, str | list[str]]:
    # `object`: a name alone is a list of letters to Python.
    given: object = include
    if isinstance(given, str):
        raise ConfigurationError(
            f"include is {given!r}, not a list.", hint=f"Pass include=[{given!r}]."
        )
    return {"include[]": list(include)} if include else {}


def _own_headers(accepts_stream: bool) -> dict[str, str | None]:
    return {
        "accept": "text/event-stream" if accepts_stream else "application/json",
        # A compressed stream would be buffered by whatever compresses it.
        "accept-encoding": "identity" if accepts_stream else "gzip, deflate",
    }


def _overlay(body: Mapping[str, Any], extra: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {**body, **extra} if extra else body


def _id_in(body: Mapping[str, Any]) -> str | None:
    value = body.get("previous_response_id")
    return value if isinstance(value, str) else None


def _query_of(values: Mapping[str, Any] | None) -> dict[str, str | list[str]]:
    query: dict[str, str | list[str]] = {}
    for name, value in (values or {}).items():
        if isinstance(value, bool):
            query[name] = "true" if value else "false"
        elif isinstance(value, list | tuple):
            query[name] = [str(part) for part in value]
        elif value is not None:
            query[name] = str(value)
    return query
