"""The input of a Responses request as items with ids, for deployments that store nothing.

A follow-up may refer to the items by id, and `input_items` lists them. So they are made complete
here, as the service does: text becomes a message, a message gets its parts, each item its id.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from azure_responses.bridge.unsupported import invalid, missing
from azure_responses.errors import BadRequestError
from azure_responses.protocol.conversion import Sealer

__all__ = ["COMPACTED", "open_compactions", "read_input", "text_of"]

COMPACTED = "compaction"
"""In place of a family: what sealed compactions are bound to. Any model may read them."""

_Items = list[dict[str, Any]]
_PREFIXES: Mapping[str, str] = {
    "message": "msg_",
    "reasoning": "rs_",
    "compaction": "cmp_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
}
_TEXTS = {
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "text": "text",
    "refusal": "refusal",
}
_ROLES = ("user", "assistant", "system", "developer")


def read_input(parameters: Mapping[str, Any], new_id: Callable[[str], str]) -> _Items:
    """The items of `input`, complete and with ids.

    Raises:
        BadRequestError: the input is invalid by the rules of the Responses API, or refers to an
            item that was not found.
    """
    given = parameters.get("input")
    if given is None:
        # A stored prompt may stand for the input; that it cannot be sent is said by its own name.
        if not parameters.get("previous_response_id") and parameters.get("prompt") is None:
            raise missing("input")
        return []
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise _wrong_type("input", "one of a string or an array of input items", given)
    return [_complete(item, f"input[{index}]", new_id) for index, item in enumerate(given)]


def _complete(item: Any, path: str, new_id: Callable[[str], str]) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise _wrong_type(path, "an input item", item)
    kind = item.get("type") or ("message" if "role" in item else "item_reference")
    if not isinstance(kind, str):
        raise _wrong_type(f"{path}.type", "a string", kind)
    if kind == "item_reference":
        # Those that are stored were put into the input before; this one is not.
        if not item.get("id"):
            raise missing(f"{path}.id")
        raise invalid(f"Item with id '{item['id']}' not found.", "input")
    known = {"id": item.get("id") or new_id(_PREFIXES.get(str(kind), "item_")), "type": kind}
    if kind != "message":
        return {**item, **known}
    status = item.get("status") or "completed"
    return {**item, **known, "status": status, "content": _read_content(item, path)}


def _read_content(message: Mapping[str, Any], path: str) -> _Items:
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES:
        supported = ", ".join(f"'{name}'" for name in _ROLES)
        raise invalid(
            f"Invalid value: '{str(role)[:100]}'. Supported values are: {supported}.",
            f"{path}.role",
            "invalid_value",
        )
    if content is None:
        raise missing(f"{path}.content")
    if isinstance(content, str):
        kind = "output_text" if role == "assistant" else "input_text"
        return [{"type": kind, "text": content}]
    if not isinstance(content, list):
        raise _wrong_type(f"{path}.content", "a string or an array of content parts", content)
    for index, part in enumerate(content):
        if not isinstance(part, dict):
            raise _wrong_type(f"{path}.content[{index}]", "a content part", part)
    return [dict(part) for part in content]


def open_compactions(items: Iterable[Mapping[str, Any]], sealer: Sealer) -> _Items:
    """The items with each compaction replaced by what it stands for.

    Raises:
        BadRequestError: a compaction was not sealed here, or it is damaged.
    """
    opened: _Items = []
    for item in items:
        if item.get("type") != "compaction":
            opened.append(dict(item))
            continue
        sealed = str(item.get("encrypted_content") or "")
        content = sealer.open(COMPACTED, sealed)
        if content is None:
            raise invalid(
                f"The encrypted content {sealed[:4]}...{sealed[-4:]} could not be verified. "
                "Reason: Encrypted content could not be decrypted or parsed.",
                "input",
                "invalid_encrypted_content",
            )
        opened += content.get("items") or []
    return opened


def text_of(part: Mapping[str, Any]) -> str | None:
    """The text of a part; None of a part that is not text."""
    field = _TEXTS.get(str(part.get("type")))
    return None if field is None else str(part.get(field) or "")


_TYPE_NAMES = {str: "a string", dict: "an object", list: "an array", bool: "a boolean"}


def _wrong_type(path: str, expected: str, given: object) -> BadRequestError:
    got = _TYPE_NAMES.get(type(given), "null" if given is None else "a number")
    return invalid(
        f"Invalid type for '{path}': expected {expected}, but got {got} instead.",
        path,
        "invalid_type",
    )
