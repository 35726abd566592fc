"""Cassettes for vcrpy that may be committed: nothing secret in them, streams readable.

`vcr_config()` is a set of arguments for `vcr.VCR`; `make_vcr()` adds a serializer that writes
bodies as text blocks. Both work on the sync client (httpcore) and on the async client (aiohttp),
streams included.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from azure_responses.protocol.http_message import redact

__all__ = ["PLACEHOLDER_HOST", "Scrubber", "make_vcr", "vcr_config"]

PLACEHOLDER_HOST = "resource.openai.azure.com"
_NO_ID = "00000000-0000-0000-0000-000000000000"
_SCRUBBED = "scrubbed"

# Other headers of clients and services are left out: a list of all secrets would never be complete.
_KEPT_REQUEST_HEADERS = frozenset(
    {"accept", "content-type", "x-ms-oai-image-generation-deployment", "x-ms-spillover-deployment"}
)
_KEPT_RESPONSE_HEADERS = re.compile(
    r"content-type|retry-after(-ms)?|x-ratelimit-.*|x-ms-region|x-ms-spillover-error"
    r"|azureai-.*|openai-processing-ms"
)
# Kept with a placeholder, so that code that reads request ids finds one.
_ID_HEADERS = frozenset({"apim-request-id", "x-request-id", "x-ms-client-request-id"})
_SECRET_HEADERS = ("api-key", "authorization", "ocp-apim-subscription-key", "cookie")
_SECRET_QUERY = re.compile(r"(?<=[?&])(subscription-key|code|sig|api-key)=[^&]*&?", re.IGNORECASE)

_BOUNDARY = re.compile(r"multipart/form-data; *boundary=([\w-]+)")
_AZURE_HOST = re.compile(
    r"[a-z0-9][a-z0-9-]*(\.openai\.azure\.(?:com|us|cn)|\.cognitiveservices\.azure\.(?:com|us|cn)"
    r"|\.services\.ai\.azure\.com|\.azure-api\.net|\.api\.cognitive\.microsoft\.com)",
    re.IGNORECASE,
)
# In bodies: ciphertext, JSON Web Tokens, Fernet tokens (reasoning again), UUIDs, and hosts.
_REPLACEMENTS = (
    (re.compile(r'("encrypted_content"\s*:\s*")[^"]*'), rf"\g<1>{_SCRUBBED}"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), _SCRUBBED),
    (re.compile(r"gAAAA[\w=+/-]{20,}"), _SCRUBBED),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), _NO_ID),
    (_AZURE_HOST, PLACEHOLDER_HOST),
)


class Scrubber:
    """Removes from requests and replies what must not be committed.

    It remembers the hosts and secrets of the requests it has seen and removes them from replies
    too, because error messages repeat them.
    """

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def request(self, request: Any) -> Any:
        """A vcrpy request as it is recorded and matched."""
        self._remember(request)
        request.uri = self._uri(request.uri)
        request.headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in _KEPT_REQUEST_HEADERS
        }
        if request.body:
            request.body = self._text(_decode(request.body)).encode()
        _fix_boundary(request)
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        """A vcrpy response as it is recorded."""
        headers = {}
        for name, values in response["headers"].items():
            if name.lower() in _ID_HEADERS:
                headers[name] = [_NO_ID]
            elif _KEPT_RESPONSE_HEADERS.fullmatch(name.lower()):
                headers[name] = values
        body = response.get("body") or {}
        if body.get("string"):
            body = {**body, "string": self._text(_decode(body["string"])).encode()}
        return {**response, "headers": headers, "body": body}

    def _remember(self, request: Any) -> None:
        for name, value in request.headers.items():
            text = _decode(value[0] if isinstance(value, list) else value)
            if name.lower() in _SECRET_HEADERS and text:
                self._seen[text.removeprefix("Bearer ")] = _SCRUBBED
        host = urlsplit(request.uri).netloc
        if host and host != PLACEHOLDER_HOST:
            self._seen[host] = PLACEHOLDER_HOST
            resource = host.partition(".")[0]
            # A shorter name would be found inside ordinary words.
            if _AZURE_HOST.fullmatch(host) and len(resource) > 3:
                self._seen[resource] = "resource"

    def _uri(self, uri: str) -> str:
        parts = urlsplit(_SECRET_QUERY.sub("", uri).rstrip("?&"))
        return urlunsplit(("https", PLACEHOLDER_HOST, parts.path, parts.query, ""))

    def _text(self, text: str) -> str:
        # The longest first: a host before the name of the resource with which it begins.
        for seen in sorted(self._seen, key=len, reverse=True):
            if self._seen[seen] == _SCRUBBED:
                text = redact(text, [seen], _SCRUBBED)
            else:
                text = text.replace(seen, self._seen[seen])
        for pattern, replacement in _REPLACEMENTS:
            text = pattern.sub(replacement, text)
        return text


def _fix_boundary(request: Any) -> None:
    """Give a form the same boundary each time, so that its body matches the recorded one."""
    for name, value in request.headers.items():
        text = _decode(value[0] if isinstance(value, list) else value)
        found = _BOUNDARY.search(text)
        if name.lower() == "content-type" and found and request.body:
            request.headers[name] = text.replace(found[1], "boundary")
            request.body = request.body.replace(found[1].encode(), b"boundary")


def _decode(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def vcr_config() -> dict[str, Any]:
    """Arguments for `vcr.VCR`, or the `vcr_config` fixture of pytest-recording.

    Requests match on method, path, query (so on api-version) and JSON body.
    """
    scrubber = Scrubber()
    return {
        "match_on": ["method", "path", "query", "body"],
        "decode_compressed_response": True,
        "before_record_request": scrubber.request,
        "before_record_response": scrubber.response,
    }


def make_vcr(library: str, *, label: str | None = None, **options: Any) -> Any:
    """A `vcr.VCR` with `vcr_config()` that writes bodies as readable blocks of text.

    Args:
        library: the folder of the cassettes.
        label: written at the head of each cassette, such as where it was recorded.
        options: any other argument of `vcr.VCR`, such as `record_mode`.

    Raises:
        ModuleNotFoundError: vcrpy is not installed.
    """
    try:
        import vcr
    except ModuleNotFoundError:
        raise ModuleNotFoundError("Cassettes need vcrpy: pip install vcrpy", name="vcr") from None

    recorder = vcr.VCR(cassette_library_dir=library, **{**vcr_config(), **options})
    recorder.register_serializer("readable", _ReadableYAML(label))
    recorder.serializer = "readable"
    return recorder


class _ReadableYAML:
    """vcrpy's YAML, with text of several lines as a literal block."""

    def __init__(self, label: str | None) -> None:
        self._label = label

    def serialize(self, cassette: dict[str, Any]) -> str:
        labelled = {"recorded": self._label, **cassette} if self._label else cassette
        return _dump(labelled)

    def deserialize(self, text: str) -> Any:
        import yaml

        return yaml.safe_load(text)


def _dump(value: Any) -> str:
    import yaml

    # A class of its own, because representers are kept in the class.
    class Dumper(yaml.SafeDumper):
        pass

    represent: Callable[..., Any] = _represent_text
    Dumper.add_representer(str, represent)
    text: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return text


def _represent_text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
