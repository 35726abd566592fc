"""The body of a successful reply → its model."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.call import Call
from azure_responses.protocol.exchange import Reply
from azure_responses.protocol.failure import failure_from_response
from azure_responses.protocol.readable import check_readable
from azure_responses.types.mending import mend
from azure_responses.types.model import Model
from azure_responses.types.response import Response
from azure_responses.types.result import Result

__all__ = ["decode", "failure_of"]

R = TypeVar("R", bound=Result)


def decode(call: Call, reply: Reply, model: type[R], now: float) -> R:
    """The reply as `model`, its headers attached; `now` is unix seconds.

    Raises:
        APIStatusError: the reply says 200 but is not such an object: HTML from a proxy, an empty
            body, cut or malformed JSON.
        UnreadableResponseError: it is one, but what it is for cannot be read.
    """
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
    result.attach(reply.headers, call.pricer)
    check_readable(result)
    return result


def _mend(body: bytes, model: type[R]) -> R | None:
    """The reply as far as it can be read; None where it is no such object."""
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


def failure_of(call: Call, response: Response, now: float) -> AzureResponsesError | None:
    """The error that a response with status "failed" stands for; None for any other."""
    if response.status != "failed":
        return None
    error = response.error
    fields: Any = error.to_dict() if isinstance(error, Model) else error
    return failure_from_response(response, fields, response.headers, call.situation, now)
