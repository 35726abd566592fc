"""Resource, deployment and API version → URL.

Azure serves the Responses API on three surfaces (Microsoft's api-version-lifecycle page; the URLs
are recorded by charmbracelet/fantasy for v1 and posit-dev/chatlas for the dated surface):

* v1: `/openai/v1/responses`, no `api-version` needed, or `?api-version=preview`;
* dated: `/openai/responses?api-version=2025-03-01-preview` and later;
* a Foundry project: `/api/projects/P/openai/v1/responses`, never an `api-version`.

Chat completions stand beside Responses, and on the dated surface below their deployment. The older
model inference API (`/models`) and serverless endpoints have nothing else. Messages have a path of
their own, `/anthropic/v1/messages`, on the resource's host at `services.ai.azure.com`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.pasted_url import PastedURL, Shape, read_pasted_url

__all__ = [
    "Endpoint",
    "FIRST_DATED_VERSION",
    "PROJECT_SCOPE",
    "PUBLIC_SCOPE",
    "SERVERLESS_SCOPE",
    "Surface",
    "resolve_endpoint",
]

Surface = Literal["v1", "dated", "project", "models", "serverless"]

_API_HEADERS: Mapping[APIName, Mapping[str, str]] = {
    "responses": {},
    "chat": {},
    # The one version that Foundry's page on Claude names.
    "messages": {"anthropic-version": "2023-06-01"},
}
# The older inference API refuses what it does not know, such as max_completion_tokens, unless this
# asks it to pass that on to the model (Microsoft's reference of the API, "Extensibility").
_OLDER_HEADERS = {"extra-parameters": "pass-through"}


FIRST_DATED_VERSION = "2025-03-01"
"""Older dated versions lack the Responses API. Versions compare as text: names come after dates."""
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_AGENTS_PROJECT = re.compile(r"(.*/api/projects/[^/]+)/.*/protocols/openai$", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|\[?::1\]?|.*\.localhost")

PROJECT_SCOPE = "https://ai.azure.com/.default"
# The default of the package azure-ai-inference.
SERVERLESS_SCOPE = "https://ml.azure.com/.default"
_SCOPES = (
    # Microsoft's pages of 2026 on resources with Foundry models name the projects' audience.
    (".services.ai.azure.com", PROJECT_SCOPE),
    (".models.ai.azure.com", SERVERLESS_SCOPE),
    (".inference.ai.azure.com", SERVERLESS_SCOPE),
    (".azure.us", "https://cognitiveservices.azure.us/.default"),
    (".azure.cn", "https://cognitiveservices.azure.cn/.default"),
)
PUBLIC_SCOPE = "https://cognitiveservices.azure.com/.default"

_MODELS_VERSION = "2024-05-01-preview"
# Where a pasted URL is of one API.
_OF_ONE_API: Mapping[Shape, APIName] = {"messages": "messages", "agent": "responses"}
_FOUNDRY_HOST = ".services.ai.azure.com"
_OTHER_HOSTS = re.compile(r"\.(openai|cognitiveservices)\.azure\.com(?=$|:)")


@dataclass(frozen=True)
class Endpoint:
    """Where calls go, decided once per client.

    Attributes:
        origin: scheme, host and port.
        path: everything before the operation, such as `/openai/v1`; no trailing slash.
        query: what every URL carries (`api-version`, and whatever the pasted URL had besides).
        surface: which of Azure's surfaces this is.
        scope: the Entra ID scope this host accepts.
        deployment: the deployment a pasted URL named, or None.
        warnings: about the choice, one sentence each, for the caller.
        prefix: what a gateway in front of several resources has before their paths.
        api: the API that the pasted URL is of, where it is of one only; None leaves it open.
        messages_base: what stands before `/v1/messages`, where that is not Foundry's
            `/anthropic`.
        older_version: the version asked for, where it is older than the Responses API, which is
            called without it; other APIs of the resource have it.
    """

    origin: str
    path: str
    # Left out of the repr: gateways take their subscription key here.
    query: Mapping[str, str] = field(repr=False)
    surface: Surface
    scope: str
    deployment: str | None = None
    warnings: tuple[str, ...] = ()
    prefix: str = ""
    api: APIName | None = None
    messages_base: str | None = None
    older_version: str | None = None

    @property
    def api_version(self) -> str | None:
        """The `api-version` that is sent, or None on plain v1."""
        return self.query.get("api-version")

    @property
    def resource(self) -> str:
        """What tells this resource from every other, whatever version it is called in."""
        return self.origin + self.prefix

    @property
    def is_loopback(self) -> bool:
        """True for this machine's own addresses."""
        return bool(_LOOPBACK.fullmatch(urlsplit(self.origin).hostname or ""))

    @property
    def is_encrypted(self) -> bool:
        """True when a secret may travel: https, or a loopback address."""
        return self.origin.startswith("https://") or self.is_loopback

    def url(self, *segments: str, query: Mapping[str, str | list[str]] | None = None) -> str:
        """The URL of an operation: `url("responses", id, "cancel")`.

        Each segment is percent-encoded, so an id cannot leave its place in the path.
        Raises ConfigurationError for an empty segment and for `.` and `..`.
        """
        path = "/".join([self.path, *map(_encode_segment, segments)])
        return _join(self.origin, path, {**self.query, **(query or {})})

    def object_url(self, *segments: str, query: Mapping[str, str | list[str]] | None = None) -> str:
        """The URL of an operation on stored objects, which live beside what the endpoint names.

        The older inference API and the endpoint of one agent have none of their own: those of the
        resource and of the project serve.

        Raises ConfigurationError where the endpoint has no stored objects, or as `url` does.
        """
        if self.surface == "serverless":
            raise ConfigurationError(
                "A serverless endpoint stores nothing.",
                hint="Call https://<resource>.services.ai.azure.com or another resource.",
            )
        place = self
        if self.surface == "models":
            place = self._unversioned(f"{self.prefix}/openai/v1")
        elif found := _AGENTS_PROJECT.match(self.path):
            place = self._unversioned(f"{found[1]}/openai/v1")
        return place.url(*segments, query=query)

    def _unversioned(self, path: str) -> "Endpoint":
        query = {name: value for name, value in self.query.items() if name != "api-version"}
        return replace(self, path=path, query=query)

    def chat_url(self, deployment: str) -> str:
        """The URL of chat completions."""
        if self.surface != "dated":
            return self.url("chat", "completions")
        return self.url("deployments", deployment, "chat", "completions")

    def deployment_url(self, deployment: str, *segments: str) -> str:
        """The URL of embeddings, images or audio, which dated versions have below deployments."""
        if self.surface == "dated":
            return self.url("deployments", deployment, *segments)
        if self.older_version is None:
            return self.url(*segments)
        path = "/".join(map(_encode_segment, ("deployments", deployment, *segments)))
        query = {**self.query, "api-version": self.older_version}
        return _join(self.origin, f"{self.prefix}/openai/{path}", query)

    def websocket_url(self, *, is_undocumented_tried: bool = False) -> str | None:
        """The URL of the WebSocket that carries responses; None where there is none.

        It never has an `api-version` (Microsoft's page "WebSocket mode" of 2026-07-24).

        Args:
            is_undocumented_tried: take it for there on a project and on `services.ai.azure.com`
                too, of which that page says nothing.
        """
        host = urlsplit(self.origin).hostname or ""
        is_documented = self.surface == "v1" and not host.endswith(_FOUNDRY_HOST)
        is_tried = is_undocumented_tried and self.surface in ("v1", "project")
        if self.api not in (None, "responses") or not (is_documented or is_tried):
            return None
        query = {name: value for name, value in self.query.items() if name != "api-version"}
        scheme, _, rest = self.origin.partition("://")
        origin = f"{'wss' if scheme == 'https' else 'ws'}://{rest}"
        return _join(origin, f"{self.path}/responses", query)

    def headers_of(self, api: APIName) -> Mapping[str, str]:
        """The headers of every request of an API."""
        return _OLDER_HEADERS if self.surface in ("models", "serverless") else _API_HEADERS[api]

    def messages_url(self, *, counts_tokens: bool = False) -> str:
        """The URL of Messages, or of their token counting.

        Raises ConfigurationError where the endpoint has no Messages.
        """
        if self.surface == "serverless":
            raise ConfigurationError(
                "A serverless endpoint speaks chat completions only.",
                hint="Claude is called on https://<resource>.services.ai.azure.com.",
            )
        origin = _OTHER_HOSTS.sub(_FOUNDRY_HOST, self.origin)
        base = self.messages_base or f"{origin}{_without_project(self.prefix)}/anthropic"
        query = {name: value for name, value in self.query.items() if name != "api-version"}
        return _join(base, f"/v1/messages{'/count_tokens' if counts_tokens else ''}", query)


def _join(origin: str, path: str, query: Mapping[str, str | list[str]]) -> str:
    return f"{origin}{path}{f'?{urlencode(query, doseq=True)}' if query else ''}"


def _without_project(prefix: str) -> str:
    return re.sub(r"/api/projects/.*", "", prefix, flags=re.IGNORECASE)


def _encode_segment(segment: str) -> str:
    # The type is wider than declared: callers also pass None or a whole response.
    text: object = segment
    if not isinstance(text, str) or text in ("", ".", "..") or not _is_encodable(text):
        shown = repr(text) if isinstance(text, str) else f"type {type(text).__name__}"
        raise ConfigurationError(
            f"An id of {shown} cannot be part of a URL.", hint="Pass the id the service gave."
        )
    return quote(text, safe="")


def _is_encodable(text: str) -> bool:
    # Half of a surrogate pair is no character and has no UTF-8.
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def resolve_endpoint(
    endpoint: str,
    api_version: str | None = None,
    *,
    strict_api_version: bool = False,
    preview_path: bool = False,
    literal: bool = False,
    version_source: str = "api_version",
    models_path: bool = False,
    is_foundry: bool = False,
) -> Endpoint:
    """Turn any form of endpoint the portal or the docs show into an Endpoint.

    Args:
        endpoint: a resource URL, a v1 URL, a portal "Target URI", a chat-completions URL, a
            Foundry project URL or a gateway URL with any path prefix; the scheme may be missing.
        api_version: None, "v1", "latest", "preview" or a dated version.
        strict_api_version: refuse a dated version older than the Responses API instead of
            warning and using v1 with `preview`.
        preview_path: send `/openai/v1/preview/…`, for gateways that insist on that path.
        literal: `endpoint` is a complete v1 base URL; an unknown path is used exactly as given.
        version_source: names where `api_version` came from, for messages.
        models_path: call `/models/chat/completions` of the older model inference API, which
            speaks chat completions only, instead of v1 of the same resource.
        is_foundry: the deployment is not of OpenAI (`azure_ai/…`): a dated version is not sent.

    Raises:
        ConfigurationError: the URL cannot be used, or it and the version contradict each other.
    """
    pasted = read_pasted_url(endpoint)
    version = _normalise_version(api_version or pasted.api_version, version_source)
    if pasted.shape in ("project", "agent", "serverless"):
        return _sole_surface(pasted, version)
    if models_path:
        return _models_path(pasted, version)
    if preview_path:
        return _preview_path(pasted, version)
    if is_foundry or pasted.shape == "models":
        return _foundry(pasted, version, version_source)
    return _azure_openai(pasted, version, strict_api_version, literal, version_source)


def _sole_surface(pasted: PastedURL, version: str) -> Endpoint:
    # A Foundry project has one surface, and takes no version; a serverless endpoint likewise.
    if pasted.shape == "serverless":
        return _build(pasted, pasted.prefix, "serverless", pasted.api_version or "v1")
    return _project(pasted, version)


def _azure_openai(
    pasted: PastedURL, version: str, strict: bool, literal: bool, source: str
) -> Endpoint:
    # Where URL and version contradict each other, only the caller knows which is meant.
    _refuse_contradiction(pasted, version, source)
    # A base URL with a path of its own, as gateways have, is used as it was given.
    if literal and pasted.shape == "root" and pasted.prefix:
        return _build(pasted, pasted.prefix, "v1", version)
    return _by_version(pasted, version, strict, source)


def _refuse_contradiction(pasted: PastedURL, version: str, version_source: str) -> None:
    if pasted.shape == "v1" and version not in ("v1", "preview"):
        raise ConfigurationError(
            f"The endpoint is a v1 URL and {version_source} is {version!r}; the v1 surface takes "
            "no dated version.",
            hint=f"Drop {version_source}, or drop /openai/v1 from the endpoint.",
        )


def _by_version(pasted: PastedURL, version: str, strict: bool, source: str) -> Endpoint:
    if version in ("v1", "preview"):
        return _build(pasted, f"{pasted.prefix}/openai/v1", "v1", version)
    if version[:10] >= FIRST_DATED_VERSION:
        return _build(pasted, f"{pasted.prefix}/openai", "dated", version)
    message = (
        f"{source} {version!r} is older than the Responses API, and Azure refuses it; "
        "use api_version='v1' (or '2025-03-01-preview' or later)."
    )
    if strict:
        raise ConfigurationError(message, hint="Pass api_version='v1', or leave it out.")
    warning = (
        f"{message} Calling /openai/v1/responses?api-version=preview instead; embeddings, images "
        "and audio are called with the version itself."
    )
    built = _build(pasted, f"{pasted.prefix}/openai/v1", "v1", "preview", warning)
    return replace(built, older_version=version)


def _preview_path(pasted: PastedURL, version: str) -> Endpoint:
    # Some gateways insist on this path; Azure itself has `preview` as a query value only.
    if version not in ("v1", "preview"):
        raise ConfigurationError(
            f"preview_path=True contradicts api_version={version!r}.",
            hint="Use preview_path only with api_version='preview'.",
        )
    return _build(pasted, f"{pasted.prefix}/openai/v1/preview", "v1", "v1")


def _models_path(pasted: PastedURL, version: str) -> Endpoint:
    sent = version if _DATED.fullmatch(version) else _MODELS_VERSION
    return _build(pasted, f"{pasted.prefix}/models", "models", sent)


def _foundry(pasted: PastedURL, version: str, source: str) -> Endpoint:
    warning = None
    if pasted.shape == "models":
        warning = (
            "The /models API is the older one; calling /openai/v1 of the same resource, which "
            "serves the same deployments. Pass models_path=True to call /models."
        )
    elif _DATED.fullmatch(version):
        warning = (
            f"{source} {version!r} is not sent: dated versions serve OpenAI's models only; calling "
            "/openai/v1."
        )
    kept = "v1" if _DATED.fullmatch(version) else version
    return _build(pasted, f"{pasted.prefix}/openai/v1", "v1", kept, warning)


def _project(pasted: PastedURL, version: str) -> Endpoint:
    warning = None
    if version != "v1" and pasted.shape == "project":
        warning = (
            f"api_version {version!r} is not sent: a Foundry project endpoint takes no version."
        )
    # A published agent application is the one project path whose URL carries a version.
    query_version = version if pasted.shape == "agent" else "v1"
    is_agents_own = pasted.shape == "agent" and "/agents/" in pasted.prefix
    if is_agents_own and query_version == "v1":
        # The endpoint of an agent wants a version, also where it is v1 (azure-ai-projects 2.10.0).
        pasted = replace(pasted, query={**pasted.query, "api-version": "v1"})
    return _build(pasted, pasted.prefix, "project", query_version, warning)


def _build(
    pasted: PastedURL, path: str, surface: Surface, version: str, warning: str | None = None
) -> Endpoint:
    query = dict(pasted.query)
    if version != "v1":
        query["api-version"] = version
    warnings = (*pasted.warnings, *([warning] if warning else []))
    scope = PROJECT_SCOPE if surface == "project" else _scope_for(pasted.host)
    return Endpoint(
        origin=pasted.origin,
        path=path,
        query=query,
        surface=surface,
        scope=scope,
        deployment=pasted.deployment,
        warnings=warnings,
        prefix=pasted.prefix,
        api=_api_of(pasted.shape, surface),
    )


def _api_of(shape: Shape, surface: Surface) -> APIName | None:
    if surface in ("models", "serverless"):
        return "chat"
    return _OF_ONE_API.get(shape)


def _scope_for(host: str) -> str:
    return next((scope for suffix, scope in _SCOPES if host.endswith(suffix)), PUBLIC_SCOPE)


def _normalise_version(version: str | None, source: str) -> str:
    # YAML reads an unquoted 2024-10-21 as a date.
    text = str(version or "").strip().lower()
    if text in ("", "v1", "latest"):
        return "v1"
    if text == "preview" or _DATED.fullmatch(text):
        return text
    raise ConfigurationError(
        f"{source} {version!r} is not an Azure API version.",
        hint="Use None, 'v1', 'preview', 'latest' or a date such as '2025-04-01-preview'.",
    )
