"""Resource, deployment and API version → URL.

Azure serves the Responses API on three surfaces (Microsoft's api-version-lifecycle page; the URLs
are recorded by charmbracelet/fantasy for v1 and posit-dev/chatlas for the dated surface):

* v1: `/openai/v1/responses`, no `api-version` needed, or `?api-version=preview`;
* dated: `/openai/responses?api-version=2025-03-01-preview` and later;
* a Foundry project: `/api/projects/P/openai/v1/responses`, never an `api-version`.

A pasted URL is read first: which of the known shapes it has, and what stands before it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from azure_responses.errors import ConfigurationError

__all__ = [
    "Endpoint",
    "FIRST_DATED_VERSION",
    "PROJECT_SCOPE",
    "PUBLIC_SCOPE",
    "PastedURL",
    "Shape",
    "read_pasted_url",
    "resolve_endpoint",
]

Shape = Literal["root", "v1", "responses", "deployment", "project", "agent"]

_EXAMPLE = "Use the resource's URL, such as https://my-resource.openai.azure.com."

_HOST = re.compile(r"[\w.-]+|[0-9a-f:.%]+", re.IGNORECASE)
# What a path may hold as it is (RFC 3986 section 3.3); the rest is percent-encoded here, because
# the HTTP libraries under the two clients differ in what they make of it.
_IN_PATH = "/%!$&'()*+,;=:@-._~"

_PORTALS = frozenset({"portal.azure.com", "ai.azure.com", "oai.azure.com"})

# Matched against the path without its trailing slashes, first match wins. `prefix` is what is
# kept; everything after it is the operation, which each call chooses for itself.
_PATTERNS: tuple[tuple[Shape, str], ...] = (
    ("agent", r"(?P<prefix>.*/api/projects/[^/]+/.*/protocols/openai)(/responses)?"),
    ("project", r"(?P<prefix>.*/api/projects/[^/]+)(/openai(/.*)?)?"),
    ("deployment", r"(?P<prefix>.*)/openai/deployments/(?P<deployment>[^/]+)(/.*)?"),
    ("v1", r"(?P<prefix>.*)/openai/v1(?P<preview>/preview)?(/.*)?"),
    ("responses", r"(?P<prefix>.*)/openai/responses(/.*)?"),
    ("root", r"(?P<prefix>.*?)(/openai)?"),
)
_SHAPES = [(shape, re.compile(pattern, re.IGNORECASE)) for shape, pattern in _PATTERNS]


@dataclass(frozen=True)
class PastedURL:
    """A URL taken apart.

    Attributes:
        origin: scheme, host and port; host: the host alone, lower case.
        shape: what kind of URL it is.
        prefix: the path to keep, without a trailing slash.
        api_version: the `api-version` it carried, or None.
        query: its other query parameters, kept on every call.
        deployment: the deployment it named, or None.
        warnings: about the URL, one sentence each, for the user.
    """

    origin: str
    host: str
    shape: Shape
    prefix: str
    api_version: str | None
    query: dict[str, str] = field(repr=False)
    deployment: str | None
    warnings: tuple[str, ...]


def read_pasted_url(text: str) -> PastedURL:
    """Take a URL apart; the scheme may be missing.

    Raises:
        ConfigurationError: not an http(s) URL, or it holds a user name, a password, white space,
            a backslash, a `..`, or what no host name has.
    """
    url = _with_scheme(_require_text(text).strip())
    _refuse_unsafe(url)
    parts = _split(url)
    _refuse_unusable(parts)
    shape, match = _recognise(quote(parts.path, safe=_IN_PATH).rstrip("/"))
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    # Azure reads parameter names without regard to case.
    versions = [query.pop(name) for name in list(query) if name.lower() == "api-version"]
    version = versions[-1] if versions else None
    found = match.groupdict()
    is_preview_path = bool(found.get("preview"))
    prefix = found["prefix"] + ("/openai/v1" if shape == "project" else "")
    return PastedURL(
        origin=f"{parts.scheme.lower()}://{_to_ascii(parts.netloc.lower())}",
        host=(parts.hostname or "").lower(),
        shape=shape,
        prefix=prefix,
        api_version=version or ("preview" if is_preview_path else None),
        query=query,
        deployment=unquote(found["deployment"]) if found.get("deployment") else None,
        warnings=(_PREVIEW_PATH_WARNING,) if is_preview_path else (),
    )


_PREVIEW_PATH_WARNING = (
    "Azure has no path /openai/v1/preview; calling /openai/v1 with api-version=preview instead. "
    "Pass preview_path=True for a gateway that insists on that path."
)


def _recognise(path: str) -> tuple[Shape, re.Match[str]]:
    matches = ((shape, pattern.fullmatch(path)) for shape, pattern in _SHAPES)
    return next((shape, match) for shape, match in matches if match)


def _require_text(given: object) -> str:
    if not isinstance(given, str):
        raise ConfigurationError(
            f"The endpoint is a {type(given).__name__}, not a string.", hint=_EXAMPLE
        )
    return given


def _to_ascii(netloc: str) -> str:
    try:
        return netloc if netloc.isascii() else netloc.encode("idna").decode("ascii")
    except UnicodeError:
        raise ConfigurationError("The endpoint has no valid host name.", hint=_EXAMPLE) from None


def _with_scheme(text: str) -> str:
    return text if re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE) else f"https://{text}"


def _refuse_unsafe(url: str) -> None:
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise ConfigurationError(
            "The endpoint contains white space, a control character or a backslash.", hint=_EXAMPLE
        )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(f"The endpoint is not a URL: {error}.", hint=_EXAMPLE) from None
    return parts


def _refuse_unusable(parts: SplitResult) -> None:
    # No message shows more than scheme and host: a password stands before the @, and a gateway's
    # subscription key in the query.
    host = parts.hostname or ""
    if "@" in parts.netloc:
        raise ConfigurationError(
            "The endpoint contains a user name or password.",
            hint="Pass the key as api_key and remove it from the URL.",
        )
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise ConfigurationError(
            f"The endpoint {f'{parts.scheme}://{host}'!r} is not an https URL.", hint=_EXAMPLE
        )
    if not _HOST.fullmatch(host):
        raise ConfigurationError(
            f"The endpoint's host {host!r} holds what no host name has: quotes, brackets or "
            "something to be filled in?",
            hint=_EXAMPLE,
        )
    if {".", ".."} & set(parts.path.split("/")):
        raise ConfigurationError("The endpoint's path holds . or .. parts.", hint=_EXAMPLE)
    if host in _PORTALS:
        raise ConfigurationError(
            f"The endpoint is a page of the portal {host}, not a resource.", hint=_EXAMPLE
        )


Surface = Literal["v1", "dated", "project"]

FIRST_DATED_VERSION = "2025-03-01"
"""Older dated versions lack the Responses API. Versions compare as text: names come after dates."""
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|\[?::1\]?|.*\.localhost")

PROJECT_SCOPE = "https://ai.azure.com/.default"
_SCOPES = (
    (".azure.us", "https://cognitiveservices.azure.us/.default"),
    (".azure.cn", "https://cognitiveservices.azure.cn/.default"),
)
PUBLIC_SCOPE = "https://cognitiveservices.azure.com/.default"


@dataclass(frozen=True)
class Endpoint:
    """Where calls go, decided once per client.

    Attributes:
        origin: scheme, host and port.
        path: everything before the operation, such as `/openai/v1`; no trailing slash.
        query: what every URL carries (`api-version`, and whatever the pasted URL had besides).
        surface: which of Azure's three surfaces this is.
        scope: the Entra ID scope this host accepts.
        deployment: the deployment a pasted URL named, or None.
        warnings: about the choice, one sentence each, for the caller.
        prefix: what a gateway in front of several resources has before their paths.
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
        pairs = {**self.query, **(query or {})}
        suffix = f"?{urlencode(pairs, doseq=True)}" if pairs else ""
        return f"{self.origin}{path}{suffix}"


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
) -> Endpoint:
    """Turn any form of endpoint the portal or the docs show into an Endpoint.

    Args:
        endpoint: a resource URL, a v1 URL, a portal "Target URI", a chat-completions URL, a
            Foundry project URL or a gateway URL with any path prefix; the scheme may be missing.
        api_version: None, "v1", "latest", "preview" or a dated version.
        strict_api_version: refuse a dated version older than the Responses API instead of
            warning and using v1 with `preview`.
        preview_path: send `/openai/v1/preview/…`, for gateways that insist on that path; Azure
            itself has `preview` as a query value only.
        literal: `endpoint` is a complete v1 base URL; an unknown path is used exactly as given.
        version_source: names where `api_version` came from, for messages.

    Raises:
        ConfigurationError: the URL cannot be used, or it and the version contradict each other.
    """
    pasted = read_pasted_url(endpoint)
    version = _normalise_version(api_version or pasted.api_version, version_source)
    # 1. A Foundry project has one surface, and takes no version.
    if pasted.shape in ("project", "agent"):
        return _project(pasted, version)
    # 2. Some gateways insist on a path that Azure itself does not have.
    if preview_path:
        return _preview_path(pasted, version)
    # 3. Where URL and version contradict each other, only the caller knows which is meant.
    _refuse_contradiction(pasted, version, version_source)
    # 4. A base URL with a path of its own, as gateways have, is used as it was given.
    if literal and pasted.shape == "root" and pasted.prefix:
        return _build(pasted, pasted.prefix, "v1", version)
    return _by_version(pasted, version, strict_api_version, version_source)


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
    warning = f"{message} Calling /openai/v1/responses?api-version=preview instead."
    return _build(pasted, f"{pasted.prefix}/openai/v1", "v1", "preview", warning)


def _preview_path(pasted: PastedURL, version: str) -> Endpoint:
    if version not in ("v1", "preview"):
        raise ConfigurationError(
            f"preview_path=True contradicts api_version={version!r}.",
            hint="Use preview_path only with api_version='preview'.",
        )
    return _build(pasted, f"{pasted.prefix}/openai/v1/preview", "v1", "v1")


def _project(pasted: PastedURL, version: str) -> Endpoint:
    warning = None
    if version != "v1" and pasted.shape == "project":
        warning = (
            f"api_version {version!r} is not sent: a Foundry project endpoint takes no version."
        )
    # A published agent application is the one project path whose URL carries a version.
    query_version = version if pasted.shape == "agent" else "v1"
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
        pasted.origin, path, query, surface, scope, pasted.deployment, warnings, pasted.prefix
    )


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
