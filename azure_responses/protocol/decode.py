"""The body of a successful reply → its model, and whether what it is for could be read.

What this version does not know is kept as unknown and is not an error. But an answer whose text or
calls came in a shape that cannot be read must not pass for an empty one (openai-python#3312).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from azure_responses.errors import UnreadableResponseError
from azure_responses.protocol.call import Call, TypedCall
from azure_responses.protocol.http_message import Reply
from azure_responses.types.content import OutputText, Refusal, UnknownPart, part_type
from azure_responses.types.items import ITEM_TYPES, OutputMessage, UnknownItem, is_callers
from azure_responses.types.mending import mend
from azure_responses.types.model import Model
from azure_responses.types.response import Response
from azure_responses.types.result import Result

__all__ = ["check_readable", "decode", "decode_as", "find_text", "has_answer"]

R = TypeVar("R", bound=Result)


def decode(call: TypedCall[R], reply: Reply, now: float) -> R:
    """The reply as the call's model, its headers attached; `now` is unix seconds.

    Raises:
        APIStatusError: the reply says 200 but is not such an object: HTML from a proxy, an empty
            body, cut or malformed JSON.
        UnreadableResponseError: it is one, but what it is for cannot be read.
    """
    return decode_as(call.model, call, reply, now)


def decode_as(model: type[R], call: Call, reply: Reply, now: float) -> R:
    """The reply of a call as `model`; see `decode`."""
    # 1. Nearly every reply fits its model. One with an odd field is read field by field, because an
    #    answer that was paid for must not be lost to a number that a gateway sends as text.
    try:
        result = model.model_validate_json(reply.body)
    except ValidationError:
        mended = _mend(reply.body, model)
        if mended is None:
            raise call.failure(reply.status, reply.headers, reply.body, now) from None
        result = mended
    if "error" not in model.model_fields and isinstance(
        (result.model_extra or {}).get("error"), dict
    ):
        # A list has no field that must be there, so an error would pass for an empty one.
        raise call.failure(reply.status, reply.headers, reply.body, now)
    # 2. Headers first: the error of an answer that cannot be read names the request id.
    result.attach(reply.headers, call.pricer)
    check_readable(result)
    return result


def _mend(body: bytes, model: type[R]) -> R | None:
    """The reply as far as it can be read; None where it is another kind of object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    if issubclass(model, Response) and not _is_response(value):
        return None
    return mend(model, value)


def _is_response(value: Mapping[str, Any]) -> bool:
    """True for a response with an odd field, False for a proxy's error or anything else."""
    return "output" in value or (value.get("object") == "response" and "status" in value)


# No answer is due yet, or any more.
_WITHOUT_ANSWER = frozenset({"queued", "in_progress", "failed", "cancelled"})
_LISTS = ("output", "data", "input_tokens")
_MOST_NAMED = 5
_HINT = "error.response has what arrived; its to_dict() gives every field back."


def check_readable(result: Result, lost: Sequence[str] | None = None) -> None:
    """Raise where what a reply is for stands in no field that could be read.

    Args:
        result: the reply, its headers attached.
        lost: of a stream, the types of the events that could not be read. The end of a stream
            need not repeat what came before.

    Raises:
        UnreadableResponseError: it names what could not be read and carries the result.
    """
    # Nearly every reply has a text, which is quickly seen.
    if isinstance(result, Response) and _has_text(result.output):
        return
    places = list(_unreadable_places(result, lost))
    if places:
        named = ", ".join(places[:_MOST_NAMED])
        raise UnreadableResponseError(
            f"The service answered, but its answer cannot be read: {named}.",
            response=result,
            request_id=result.request_id,
            hint=_HINT,
        )


def _unreadable_places(result: Result, lost: Sequence[str] | None) -> Iterator[str]:
    if not isinstance(result, Response):
        yield from _unreadable_fields(result)
    elif str(result.status) not in _WITHOUT_ANSWER and not has_answer(result):
        find_text(result)
        if not has_answer(result):
            yield from _unreadable_output(result, is_streamed=lost is not None)
            yield from (f"an event {kind} does not fit its type" for kind in lost or ())


def has_answer(response: Response) -> bool:
    """True where there is text, a refusal or a call for the caller."""
    return _has_text(response.output) or any(is_callers(item) for item in response.output)


def _has_text(items: Sequence[Any]) -> bool:
    """True where a message among the items has text or a refusal."""
    for item in items:
        if isinstance(item, OutputMessage):
            for part in item.content:
                if isinstance(part, Refusal) or (isinstance(part, OutputText) and part.text):
                    return True
    return False


def find_text(response: Response) -> None:
    """Read the text of an answer that stands in another place than a message's text part.

    A part or an item of tomorrow's type stays unknown beside an answer, but must not be all there
    was; and some gateways send the `output_text` that the openai package makes of the output. A
    dump gives back what arrived.
    """
    if has_answer(response):
        return
    response.output[:] = [_as_message(item) for item in response.output]
    text = (response.model_extra or {}).get("output_text")
    if isinstance(text, str) and text and not has_answer(response):
        _add_text(response, text)


def _add_text(response: Response, text: str) -> None:
    fields = {"type": "message", "id": "", "role": "assistant"}
    part = {"type": "output_text", "text": text}
    message = OutputMessage.model_validate({**fields, "content": [part]})
    is_given = "output" in response.model_fields_set
    given = {"output": response.to_dict()["output"]} if is_given else {}
    response.output = [*response.output, message]
    response.keep_odd(given, "output")


def _as_message(item: Any) -> Any:
    if isinstance(item, OutputMessage):
        item.content = [_as_text(part) for part in item.content]
        return item
    kind = item.type if isinstance(item, UnknownItem) else None
    # What a tool was asked, or gave back, is no answer.
    if not isinstance(kind, str) or kind in ITEM_TYPES or kind.endswith(("_call", "_output")):
        return item
    fields = item.to_dict()
    parts = fields.get("content") or [{"type": "output_text", "text": fields.get("text")}]
    message = mend(OutputMessage, {**fields, "type": "message", "content": parts})
    if message is None or not _has_text([_as_message(message)]):
        return item
    message.keep_odd({"type": kind})
    return message if "content" in fields else message.keep_odd({}, "content")


def _as_text(part: Any) -> Any:
    text = (part.model_extra or {}).get("text") if isinstance(part, UnknownPart) else None
    if not isinstance(text, str):
        return part
    fields = part.to_dict()
    kind = fields.pop("type", None)
    made = OutputText.model_validate({**fields, "type": "output_text"})
    return made.keep_odd({"type": kind})


def _unreadable_fields(result: Result) -> Iterator[str]:
    for name in _LISTS:
        if name in type(result).model_fields and name not in result.model_fields_set:
            yield f"{name} {_describe(result.model_extra, name)}"


def _unreadable_output(response: Response, *, is_streamed: bool) -> Iterator[str]:
    extra = response.model_extra or {}
    given = extra.get("output")
    is_missing = "output" not in response.model_fields_set and "output" not in extra
    if is_missing and not is_streamed and _says_it_answers(response):
        yield "output is missing"
    elif "output" in extra and not isinstance(given, list):
        yield f"output {_describe_value(given)}"
    for index, item in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(item, dict):
            yield f"output[{index}] {_describe_value(item)}"
    for index, item in _places(given, response.output):
        yield from _unreadable_item(item, f"output[{index}]")


def _places(given: Any, kept: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """The entries that were kept of a list, each with its index in the list as it arrived.

    Only objects are kept, so that the indexes differ after any other entry.
    """
    if not isinstance(given, list):
        return enumerate(kept)
    indexes = (index for index, entry in enumerate(given) if isinstance(entry, dict))
    return zip(indexes, kept, strict=False)


def _says_it_answers(response: Response) -> bool:
    """True for a response that has ended, and for an object that is no response at all."""
    return response.status is not None or response.object != "response"


def _unreadable_item(item: Any, path: str) -> Iterator[str]:
    if isinstance(item, OutputMessage):
        given = (item.model_extra or {}).get("content")
        for index, part in enumerate(given if isinstance(given, list) else ()):
            if not isinstance(part, dict):
                yield f"{path}.content[{index}] {_describe_value(part)}"
        for index, part in _places(given, item.content):
            if isinstance(part, UnknownPart):
                yield from _misfits(part_type(part.type), part, f"{path}.content[{index}]")
    elif isinstance(item, UnknownItem):
        kind = ITEM_TYPES.get(item.type) if isinstance(item.type, str) else None
        yield from _misfits(kind, item, path)


def _misfits(kind: type[Model] | None, unknown: Model, path: str) -> Iterator[str]:
    """The fields for which an object is not what its type says; nothing for an unknown type."""
    fields = unknown.to_dict()
    if kind is None:
        if not isinstance(fields.get("type"), str):
            yield f"{path}.type {_describe(fields, 'type')}"
        return
    try:
        kind.model_validate(fields)
    except ValidationError as error:
        for name in dict.fromkeys(str(detail["loc"][0]) for detail in error.errors()):
            if kind.model_fields[name].is_required():
                yield f"{path}.{name} {_describe(fields, name)}"


def _describe(fields: Any, name: str) -> str:
    return _describe_value(fields[name]) if fields and name in fields else "is missing"


def _describe_value(value: Any) -> str:
    kinds = {type(None): "null", bool: "a boolean", str: "a string", list: "a list"}
    return "is " + kinds.get(type(value), "an object" if isinstance(value, dict) else "a number")
