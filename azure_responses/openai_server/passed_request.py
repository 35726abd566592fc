"""Reads requests of embeddings, images and audio, which the server passes on as they are."""

from collections.abc import Mapping
from typing import Any

from azure_responses.openai_server.exchange import ApiRequest
from azure_responses.openai_server.request_json import (
    invalid_request,
    read_object,
    refuse_connection_fields,
)
from azure_responses.protocol.form_reader import is_multipart
from azure_responses.protocol.received_form import FormFields, read_form

__all__ = ["read_passed_body"]

# What decides where a request goes, how it is answered or for whom: stands once.
_DECIDING = ("model", "stream", "user", "safety_identifier", "response_format")


def read_passed_body(
    request: ApiRequest, *, takes_form: bool
) -> tuple[dict[str, Any], FormFields | None]:
    """The JSON object of a request or the plain fields of its form, and where those stand.

    Raises:
        BadRequestError: the body is neither, or names another host or key.
    """
    content_type = request.headers.get("content-type", "")
    if not is_multipart(content_type):
        body = read_object(request.body)
        refuse_connection_fields(body, request.headers)
        return body, None
    if not takes_form:
        raise invalid_request("The body is a form.", hint="Send a JSON object.")
    form = read_form(request.body, content_type)
    form.refuse_repeated(_DECIDING)
    refuse_connection_fields(form.values, request.headers)
    return _typed(form.values), form


def _typed(values: Mapping[str, str]) -> dict[str, Any]:
    """The fields, with those that are flags as JSON has them."""
    flags = {"true": True, "false": False}
    return {name: flags.get(v, v) if name == "stream" else v for name, v in values.items()}
