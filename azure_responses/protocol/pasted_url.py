"""A URL as people paste it, taken apart: which known shape it has, and what stands before it.

The portal, Microsoft's pages and other programs show a resource in many forms: its root, its v1
path, a "Target URI", a Foundry project, an agent, the older model inference API (`/models`), a
serverless endpoint, or Anthropic's API (`/anthropic`).
"""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from azure_responses.errors import ConfigurationError

__all__ = ["PastedURL", "Shape", "read_pasted_url"]

Shape = Literal[
    "root", "v1", "responses", "deployment", "project", "agent", "models", "messages", "serverless"
]

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
    ("project", r"(?P<prefix>.*/api/projects/[^/]+)(/(openai|models)(/.*)?)?"),
    # The portal shows the whole URL of a call as "Target URI", and users paste it (cline #7049).
    ("deployment", r"(?P<prefix>.*)/openai/deployments/(?P<deployment>[^/]+)(/.*)?"),
    ("v1", r"(?P<prefix>.*)/openai/v1(?P<preview>/preview)?(/.*)?"),
    ("responses", r"(?P<prefix>.*)/openai/responses(/.*)?"),
    # Messages are those of the resource: below a project one user's attempt failed (new-api #2270).
    ("messages", r"(?P<prefix>.*?)(/api/projects/[^/]+)?/anthropic(/v1(/.*)?)?"),
    ("models", r"(?P<prefix>.*)/models/chat/completions"),
    ("root", r"(?P<prefix>.*?)(/openai)?"),
)
# On Azure's own hosts `/models` cannot be the prefix of a gateway.
_AZURE_MODELS = re.compile(r"(?P<prefix>)/models(/.*)?", re.IGNORECASE)
_SERVERLESS_HOST = re.compile(r"[\w-]+\.[\w-]+\.(models|inference)\.ai\.azure\.com")
_SERVERLESS = re.compile(r"(?P<prefix>(/v1)?)(/.*)?", re.IGNORECASE)
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
    path = quote(parts.path, safe=_IN_PATH).rstrip("/")
    shape, match = _recognise(path, (parts.hostname or "").lower())
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


def _recognise(path: str, host: str) -> tuple[Shape, re.Match[str]]:
    if _SERVERLESS_HOST.fullmatch(host) and (found := _SERVERLESS.fullmatch(path)):
        return "serverless", found
    if host.endswith(".azure.com") and (found := _AZURE_MODELS.fullmatch(path)):
        return "models", found
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
    # Users paste the bare host; a key must never go out over plain HTTP by a guess.
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
