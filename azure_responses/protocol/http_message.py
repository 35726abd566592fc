"""HTTP requests and replies as plain values, so that the pure part needs no HTTP library.

Secrets that were sent are taken out of what is said about a call.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from azure_responses.errors import ConfigurationError
from azure_responses.http_exchange import Headers, HttpRequest, HttpResponse, RequestURL
from azure_responses.protocol.object_request import Content
from azure_responses.types.result import request_id_of

__all__ = [
    "CREDENTIAL_HEADERS",
    "LARGEST_REPLY",
    "REDACTED",
    "RawResponse",
    "Reply",
    "Request",
    "merge_headers",
    "redact",
    "redact_all",
]

LARGEST_REPLY = 128 * 2**20
"""The bytes of a whole body, or of a stream between two events, that are read at most.

The service sends nothing of the kind; what comes from elsewhere must not fill the memory.
"""


_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """What to send: `url` is complete, `headers` hold everything except the credential.

    A `body` that is `Content` is sent piece by piece; its content type stands in the headers.
    """

    method: str
    # Neither is in the repr: a gateway's URL, and headers the caller adds, may hold a key.
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | Content | None = None


class Reply(NamedTuple):
    """What came back: header names in lower case, `body` decompressed."""

    status: int
    headers: Mapping[str, str] = _NO_HEADERS
    body: bytes = b""


CREDENTIAL_HEADERS = frozenset({"api-key", "authorization"})

# RFC 9110 section 5.6.2 (token) and 5.5 (field value, without the obsolete bytes above ASCII,
# which the HTTP library cannot encode).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
# The HTTP library says how long the body is. Another word for it would let the rest of the body
# pass for a request of its own (RFC 9112 section 11.2).
_FRAMING = frozenset({"content-length", "transfer-encoding"})


def merge_headers(*layers: Mapping[str, str | None] | None) -> dict[str, str]:
    """The layers as one, later over earlier; a value of None removes the header.

    Names come out in lower case, values without the white space around them. Raises
    ConfigurationError for a name or value that could end its line and smuggle in another header,
    and for headers that say where the body ends.
    """
    merged: dict[str, str] = {}
    for layer in layers:
        for name, value in (layer or {}).items():
            lower = _check_name(name)
            if value is None:
                merged.pop(lower, None)
                continue
            _check_value(name, value)
            merged[lower] = value.strip()
    return merged


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is not a header name.")
    lower = name.lower()
    if lower in _FRAMING:
        raise ConfigurationError(
            f"The header {name!r} is not for callers to set.", hint="Leave it out."
        )
    return lower


def _check_value(name: str, value: object) -> None:
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        # The value is left out of the message: it may be a secret.
        raise ConfigurationError(
            f"The value of header {name!r} is not a string that can stand in a header.",
            hint="Header values are ASCII text without line breaks.",
        )


R = TypeVar("R")


class RawResponse(Generic[R]):
    """Status, headers and body of a successful reply; `parse()` gives the typed result.

    Attributes:
        headers: by name, in any case.
        content: the body; empty of a stream, which `parse()` gives.
        is_stream: the reply is a stream of events.
        http_request: what was sent, without credentials; empty where that is not known.
        retries_taken: how often the call was tried again.
    """

    def __init__(
        self,
        reply: Reply,
        parse: Callable[[Reply], R],
        *,
        is_stream: bool = False,
        request: HttpRequest | None = None,
        retries: int = 0,
    ) -> None:
        self.status_code = reply.status
        self.headers = Headers(reply.headers)
        self.content = reply.body
        self.is_stream = is_stream
        self.http_request = request or HttpRequest()
        self.retries_taken = retries
        self._reply = reply
        self._parse = parse
        self._parsed: R | None = None

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`."""
        return request_id_of(self.headers)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def http_response(self) -> HttpResponse:
        """The reply with the attributes of an `httpx.Response`."""
        return HttpResponse(self.status_code, self.headers, self.content, self.http_request)

    @property
    def method(self) -> str:
        """Of the request; empty where that is not known."""
        return self.http_request.method

    @property
    def url(self) -> RequestURL:
        """Of the request; empty where that is not known."""
        return self.http_request.url

    def json(self) -> Any:
        """The body as a JSON value."""
        return self.http_response.json()

    def parse(self) -> R:
        """The typed result, the same object every time."""
        # Once only: the validators of the caller's type would otherwise run at each call.
        if self._parsed is None:
            self._parsed = self._parse(self._reply)
        return self._parsed

    def __repr__(self) -> str:
        return f"RawResponse(status_code={self.status_code}, request_id={self.request_id!r})"


REDACTED = "[redacted]"
# A shorter one is a placeholder ("x", "sk", "test"), which stands in ordinary words and numbers
# (openai-dotnet#90); no service gives out keys of such a length. A proxy's password may have six.
_SHORTEST = 8
_PASSWORD = re.compile(r"(?=.*\d)(?=.*[a-zA-Z]).{6,}")
# A shorter one may be part of an ordinary word; Azure's keys have 32 characters and more.
_LONG = 16


def redact(text: str, secrets: Iterable[str], replacement: str = REDACTED) -> str:
    """`text` with every secret replaced, for replies that echo what they were sent.

    Apply it to what was parsed, never to JSON: a replacement could change what it says.
    """
    # The longest first: one secret may begin with another.
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LONG:
            text = text.replace(secret, replacement)
        elif secret in text and (len(secret) >= _SHORTEST or _PASSWORD.fullmatch(secret)):
            text = re.sub(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", replacement, text)
    return text


def redact_all(value: Any, secrets: Iterable[str]) -> Any:
    """A parsed JSON value with every secret replaced in all its texts."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {redact_all(k, secrets): redact_all(v, secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [redact_all(each, secrets) for each in value]
    return value
