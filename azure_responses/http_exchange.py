"""Requests and replies as plain values, under the names that programs know from httpx.

They stand in errors, raw responses and streams: a handler written for the openai package reads
`error.response.headers` and `error.request.url`. They pickle, and hold no credential.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

__all__ = [
    "ErrorEnvelope",
    "Headers",
    "HttpRequest",
    "HttpResponse",
    "RequestURL",
    "without_secrets",
]

# Parameters of the API; the value of any other one may be a key of a gateway.
_SHOWN_PARAMETERS = frozenset(
    {"api-version", "stream", "starting_after", "limit", "order", "after", "before", "include"}
)
_SECRET_WORDS = ("key", "auth", "token", "secret", "cookie", "password", "credential")


class Headers(Mapping[str, str]):
    """Headers by name, in any case."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


class RequestURL(str):
    """A URL as text, with its parts."""

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self)

    @property
    def scheme(self) -> str:
        """Such as "https"."""
        return self._parts.scheme

    @property
    def host(self) -> str:
        """The host's name, in lower case."""
        return self._parts.hostname or ""

    @property
    def port(self) -> int | None:
        """The port, where the URL names one."""
        return self._parts.port

    @property
    def path(self) -> str:
        """The path, without the query."""
        return self._parts.path

    @property
    def query(self) -> bytes:
        """The query, without its question mark."""
        return self._parts.query.encode()

    @property
    def params(self) -> dict[str, str]:
        """The query parameters."""
        return dict(parse_qsl(self._parts.query))


@dataclass(frozen=True)
class HttpRequest:
    """What was sent, without its body and what may be a secret; all empty where nothing was."""

    method: str = ""
    url: RequestURL = field(default_factory=RequestURL)
    headers: Headers = field(default_factory=lambda: Headers({}), repr=False)


@dataclass(frozen=True)
class HttpResponse:
    """A reply; `content` is decompressed."""

    status_code: int
    headers: Headers = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    request: HttpRequest = field(default_factory=HttpRequest)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as a JSON value; raises ValueError where it is not JSON."""
        return json.loads(self.content)

    def read(self) -> bytes:
        """The body, which has arrived."""
        return self.content

    @property
    def url(self) -> RequestURL:
        """Of the request."""
        return self.request.url

    @property
    def reason_phrase(self) -> str:
        """The usual words for the status."""
        try:
            return HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    @property
    def is_success(self) -> bool:
        """True for a status of 2xx."""
        return 200 <= self.status_code < 300

    @property
    def is_client_error(self) -> bool:
        """True for a status of 4xx."""
        return 400 <= self.status_code < 500

    @property
    def is_server_error(self) -> bool:
        """True for a status of 5xx."""
        return 500 <= self.status_code < 600

    @property
    def is_error(self) -> bool:
        """True for a status of 4xx or 5xx."""
        return 400 <= self.status_code < 600


class ErrorEnvelope(dict[str, Any]):
    """The JSON body of an error, whose error object can be read without its envelope.

    The openai package gives `body["error"]` as the body of its errors: `body["message"]` reads it
    there, and `body["error"]["message"]` here; both work.
    """

    def __missing__(self, name: str) -> Any:
        inner = super().get("error")
        if isinstance(inner, dict) and name in inner:
            return inner[name]
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """A field of the body, or of the error object in it."""
        try:
            return self[name]
        except KeyError:
            return default


def without_secrets(method: str, url: str, headers: Mapping[str, str]) -> HttpRequest:
    """A request without what may be a secret in its URL and headers."""
    parts = urlsplit(url)
    query = [
        (name, value if name in _SHOWN_PARAMETERS else "redacted")
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    host = parts.netloc.rpartition("@")[2]
    shown = parts._replace(netloc=host, query=urlencode(query), fragment="").geturl()
    kept = {name: value for name, value in headers.items() if not _may_be_secret(name)}
    return HttpRequest(method, RequestURL(shown), Headers(kept))


def _may_be_secret(header: str) -> bool:
    return any(word in header.lower() for word in _SECRET_WORDS)
