"""Error bodies → one shape.

Azure answers with three families of envelope (verbatim bodies collected in issue threads and
recordings; the specification's own `inner_error` is not what the service sends):

* `{"error": {"code", "message"}}` from the gateway in front of the service;
* `{"error": {"message", "type", "param", "code", "content_filters", "innererror"}}`;
* `{"statusCode", "message"}`, flat, from its authentication layer.

Streams carry the error object nested (`{"type": "error", "error": {…}}`) or flat.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.protocol.known_errors import STATUS_IN_STREAM
from azure_responses.protocol.redaction import redact

__all__ = ["Problem", "problem_from_object", "problem_from_reply"]

_SHOWN = 500


@dataclass(frozen=True)
class Problem:
    """An error the service reported.

    `status` is the HTTP status, or the one an in-stream error stands for, or None where an
    in-stream error stands for none. `body` is the parsed JSON, or shortened text.
    """

    status: int | None
    message: str
    code: str | None = None
    type: str | None = None
    param: str | None = None
    body: Any = None
    content_filters: list[dict[str, Any]] = field(default_factory=list)


def problem_from_reply(
    status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str] = ()
) -> Problem:
    """Read an error reply, whatever its body is: JSON, HTML, text or nothing.

    `secrets` are taken out of text, which is shortened; of JSON the caller does it.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        # Before it is shortened, which could cut a secret in two and hide it.
        text = redact(body.decode("utf-8", "replace"), secrets)
        return Problem(status, _describe_text(status, headers, text), body=_shorten(text) or None)
    if not isinstance(parsed, dict):
        return Problem(status, f"HTTP {status} with an unexpected JSON body.", body=parsed)
    # A proxy may answer 200 with an error inside: the error then says which status it is.
    says_yes = 200 <= status < 300 and isinstance(parsed.get("error"), dict)
    return problem_from_object(parsed, None if says_yes else status)


def problem_from_object(body: Mapping[str, Any], status: int | None = None) -> Problem:
    """Read an error object: an HTTP error body, an `error` event or a failed response's error.

    Without `status`, the error's code or type decides which HTTP status it stands for.
    """
    given = body.get("error")
    error = given[0] if isinstance(given, list) and given else given
    fields: Mapping[str, Any] = error if isinstance(error, dict) else body
    code, kind = _text(fields.get("code")), _text(fields.get("type"))
    message = _text(fields.get("message")) or (error if isinstance(error, str) else None)
    inner = fields.get("innererror") or fields.get("inner_error")
    if status is None:
        status = _status_of(code, kind, message or "", {**body, **fields})
    return Problem(
        status=status,
        message=message or f"The service reported {code or kind or 'an error'} without a message.",
        code=code,
        type=None if kind == "error" else kind,
        param=_text(fields.get("param")),
        body=dict(body),
        content_filters=_content_filters(fields, inner),
    )


def _status_of(
    code: str | None, kind: str | None, message: str, fields: Mapping[str, Any]
) -> int | None:
    names = [name.lower() for name in (code, kind) if name]
    for name in names:
        if name in STATUS_IN_STREAM:
            return STATUS_IN_STREAM[name]
    for key in ("status", "status_code", "statusCode"):
        status = fields.get(key)
        if isinstance(status, int) and 400 <= status < 600:
            return status
    if "user_error" in names:
        # Reported with HTTP 404 on a plain reply, and with no status inside a stream.
        return 404 if "existing deployment" in message else 400
    return None


def _content_filters(fields: Mapping[str, Any], inner: Any) -> list[dict[str, Any]]:
    filters = fields.get("content_filters")
    if isinstance(filters, list):
        return [entry for entry in filters if isinstance(entry, dict)]
    if isinstance(inner, dict):
        # Chat completions put one verdict, without its envelope, in the inner error.
        result = inner.get("content_filter_result") or inner.get("content_filter_results")
        if isinstance(result, dict):
            return [{"blocked": True, "source_type": "prompt", "content_filter_results": result}]
    return []


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _describe_text(status: int, headers: Mapping[str, str], body: str) -> str:
    kind = headers.get("content-type", "")
    if not body.strip():
        return f"HTTP {status} with an empty body."
    if "html" in kind or body.lstrip()[:1] == "<":
        title = re.search(r"<title[^>]*>\s*(.*?)\s*</title>", body, re.IGNORECASE | re.DOTALL)
        said = _shorten(title.group(1)).removeprefix(f"{status} ") if title else ""
        shown = f" ({said})" if said else ""
        return f"HTTP {status} with an HTML page{shown} instead of JSON."
    return (
        f"HTTP {status} with a body that is not JSON: {_shorten(body).removeprefix(f'{status} ')}"
    )


def _shorten(body: str) -> str:
    text = " ".join(body[: _SHOWN * 4].split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
