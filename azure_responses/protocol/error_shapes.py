"""The shapes of error bodies of a Foundry resource → message, code, type and parameter.

Each family of models answers in a way of its own (bodies reported in the threads named):

* OpenAI: `{"error": {"message", "type", "param", "code"}}`, Azure's gateway in front of it
  `{"error": {"code", "message", "innererror"}}` or flat `{"statusCode", "message"}`;
* Grok: `{"code": "invalid-argument", "error": "Model … does not support presence_penalty"}`
  (promptfoo #10592);
* Mistral: `{"detail": [{"type": "extra_forbidden", "loc": ["body", "user"], "msg"}]}`, at times as
  JSON text inside `error.message` (pydantic-ai #6593, litellm #3899);
* Claude: `{"type": "error", "error": {"type", "message"}, "request_id"}`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["ErrorFields", "read_error_fields"]

# Where only the message names the parameter that is refused.
_NAMED_IN_MESSAGE = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i:unsupported (?:parameter|value)): '([\w.\[\]]+)'",
        r"(?i:unrecognized request arguments? supplied): ([\w.]+)",
        r"(?i:unknown parameter): '([\w.\[\]]+)'",
        # xAI writes names as they are in its own interface: presencePenalty.
        r"does not support (?:the )?(?:parameter )?[`'\"]?"
        r"([a-z]+_[a-z_]+|[a-z]+[A-Z]\w*|stop|seed|temperature|logprobs)[`'\"]?\.?$",
        r"(?i:argument not supported on this model): (\w+)",
        r"^([\w.]+): Extra inputs are not permitted",
    )
)
# Some gateways quote a whole request or page in the message; patterns must not run over all of it.
_LARGEST_MESSAGE = 20_000


class ErrorFields(NamedTuple):
    """What a body says, whatever its shape.

    `fields` is the object that held them, for what else it may hold.
    """

    message: str | None
    code: str | None
    type: str | None
    param: str | None
    fields: Mapping[str, Any]


def read_error_fields(body: Mapping[str, Any]) -> ErrorFields:
    """The fields of an error body, an `error` event or the error object itself."""
    given = body.get("error")
    error = given[0] if isinstance(given, list) and given else given
    # Grok's `error` is the text itself, with `code` beside it (promptfoo #10592).
    fields: Mapping[str, Any] = error if isinstance(error, dict) else body
    found = _read_detail(fields) or _read_detail(_read_json(fields.get("message")))
    if found is not None:
        return found._replace(fields=fields)
    message = _message(fields) or (error if isinstance(error, str) else None)
    kind = _text(fields.get("type"))
    code = _text(fields.get("code"))
    if body.get("type") == "error" and fields is error and "code" not in fields:
        # Claude has only a type, which serves as the code.
        code = kind
    param = _text(fields.get("param")) or _named_in(message or "")
    return ErrorFields(message, code, None if kind == "error" else kind, param, fields)


def _message(fields: Mapping[str, Any]) -> str | None:
    # Azure's specification says `inner_error`, its services write `innererror`.
    inner = fields.get("innererror") or fields.get("inner_error")
    said = _text(fields.get("message"))
    return said or (_text(inner.get("message")) if isinstance(inner, dict) else None)


def _read_json(message: Any) -> Mapping[str, Any]:
    """The object that a message is, or holds as JSON text; empty for any other message."""
    if isinstance(message, str) and message.lstrip()[:1] == "{" and len(message) < _LARGEST_MESSAGE:
        try:
            message = json.loads(message)
        except (ValueError, RecursionError):
            return {}
    if not isinstance(message, dict):
        return {}
    inner = message.get("error") or message.get("message")
    return inner if isinstance(inner, dict) else message


def _read_detail(fields: Mapping[str, Any]) -> ErrorFields | None:
    """The fields of a list that pydantic made, of which the first counts; None for no such list."""
    details = fields.get("detail") or fields.get("details")
    if isinstance(details, str) and _message(fields) is None:
        return ErrorFields(details, None, None, _named_in(details), fields)
    first = details[0] if isinstance(details, list) and details else None
    if not isinstance(first, dict) or not isinstance(first.get("msg"), str):
        return None
    place = first.get("loc")
    parts = [str(part) for part in place] if isinstance(place, list | tuple) else []
    # The place begins with `body`, which is not part of a parameter's name.
    param = ".".join(parts[1:] if parts[:1] == ["body"] else parts) or None
    message = f"{param}: {first['msg']}" if param else first["msg"]
    return ErrorFields(message, _text(first.get("type")), None, param, fields)


def _named_in(message: str) -> str | None:
    for pattern in _NAMED_IN_MESSAGE:
        if found := pattern.search(message[:_LARGEST_MESSAGE]):
            return re.sub(r"(?<=[a-z])([A-Z])", lambda c: f"_{c[0].lower()}", found[1])
    return None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    # A code may be a number, such as 429; `true` is no code.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
