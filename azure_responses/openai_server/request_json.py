"""The body of a request: bytes → a JSON object, or an error that says what is wrong with it."""

from collections.abc import Mapping
from math import isinf
from typing import Any

from pydantic_core import from_json

from azure_responses.errors import BadRequestError
from azure_responses.protocol.request_body import CONNECTION_FIELDS, ITEMS_WITHOUT_STATUS

__all__ = ["drop_status", "invalid_request", "read_object", "refuse_connection_fields"]

# Who would decide where a call goes, or as whom. Only the configuration does.
_CONNECTION = CONNECTION_FIELDS | {
    "extra_body",
    "extra_headers",
    "extra_query",
    # Options of a router's calls, which are the operator's to set.
    "history",
    "on_origin_down",
    "owner",
    "timeout",
}
_GAPS = (b'" ', b'"\t', b'"\n', b'"\r')
_CONNECTION_HEADERS = frozenset(
    prefix + name
    for prefix in ("", "x-", "x-litellm-")
    for name in ("api-base", "api_base", "base-url", "base_url", "azure-endpoint", "azure_endpoint")
)


def invalid_request(
    message: str,
    *,
    param: str | None = None,
    code: str = "invalid_request_error",
    hint: str | None = None,
) -> BadRequestError:
    """The error of a request that cannot be right whatever Azure thinks of it."""
    return BadRequestError(
        message,
        status_code=400,
        code=code,
        type="invalid_request_error",
        param=param,
        hint=hint,
    )


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds.

    Raises BadRequestError for what is not JSON, for another kind of value, for nesting deeper than
    200, for numbers without a finite value, and for a key that stands twice in one object: which
    of the two counts could differ between the check here and Azure.
    """
    if not body.strip():
        raise invalid_request("The body is empty.", code="invalid_json", hint="Send a JSON object.")
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise invalid_request(
            f"The body is not valid JSON: {_reason(error)}", code="invalid_json"
        ) from None
    if not isinstance(value, dict):
        raise invalid_request(
            f"The body is a JSON {_kind(value)}.", code="invalid_json", hint="Send a JSON object."
        )
    # Each key brings one `":`, strings may bring more: with as many as keys there is none twice,
    # as long as nothing stands between quote and colon.
    if _count_keys(value) != body.count(b'":') or any(gap in body for gap in _GAPS):
        _refuse_repeated_keys(body)
    return value


def refuse_connection_fields(body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """Raise BadRequestError for a request that names another host, key or version."""
    if not _CONNECTION.isdisjoint(body):
        name = next(name for name in body if name in _CONNECTION)
        raise _connection_refusal(name, "in the body")
    if not _CONNECTION_HEADERS.isdisjoint(headers):
        name = next(name for name in headers if name in _CONNECTION_HEADERS)
        raise _connection_refusal(name, "as a header")


def drop_status(body: Mapping[str, Any]) -> bool:
    """Take the read-only `status` off messages and reasoning items, in place.

    The result says whether there was any.
    """
    items = body.get("input")
    if not isinstance(items, list):
        return False
    found = [item for item in items if _has_status(item)]
    for item in found:
        del item["status"]
    return bool(found)


def _has_status(item: Any) -> bool:
    if not isinstance(item, dict) or "status" not in item:
        return False
    # A message may leave its type out; what is no name at all is Azure's to refuse.
    kind = item.get("type", "message")
    return isinstance(kind, str) and kind in ITEMS_WITHOUT_STATUS


def _connection_refusal(name: str, place: str) -> BadRequestError:
    return invalid_request(
        f"{name} cannot be given {place}: where a call goes, and how, is not the caller's to say.",
        param=name,
        code="forbidden_parameter",
        hint="Leave it out; name one of the models that GET /v1/models lists.",
    )


def _count_keys(value: Any) -> int:
    """The keys of all objects; raises for an infinite number, which JSON cannot repeat."""
    count = 0
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            count += len(each)
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
        elif isinstance(each, float) and isinf(each):
            raise invalid_request("A number is too large.", code="invalid_json")
    return count


def _refuse_repeated_keys(body: bytes) -> None:
    # Imported on use: most bodies show without a second reading that no key stands twice.
    import json

    json.loads(body, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise invalid_request(
                f"The key {name[:100]!r} stands twice in one object.", code="invalid_json"
            )
        names.add(name)


def _reason(error: ValueError) -> str:
    return str(error).replace("recursion limit exceeded", "it is nested too deeply")


def _kind(value: Any) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return kinds.get(type(value), "null")
