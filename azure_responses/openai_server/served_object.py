"""Reads requests about stored objects: files, vector stores, containers, conversations, …."""

from collections.abc import Mapping
from typing import Any

from azure_responses.errors import PermissionDeniedError
from azure_responses.openai_server.exchange import ApiRequest
from azure_responses.openai_server.request_json import (
    invalid_request,
    read_object,
    refuse_connection_fields,
)
from azure_responses.openai_server.route import ServedRoute
from azure_responses.protocol.form_reader import is_multipart
from azure_responses.protocol.object_request import ReceivedForm
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.protocol.received_form import HeldForm
from azure_responses.router.object_reader import ObjectReader
from azure_responses.router.routed_object import ObjectCall, RoutedObject
from azure_responses.routing.asked_object import asks_for_copies, named_model, named_models

__all__ = ["QueryPairs", "object_end_user", "read_object_request"]

_END_USER = "x-azr-end-user"

QueryPairs = list[tuple[str, str]]
"""Names and values of a URL's query, decoded, in order."""


def read_object_request(
    request: ApiRequest,
    route: ServedRoute,
    reader: ObjectReader,
    *,
    query: QueryPairs,
    options: Mapping[str, Any],
    call_id: str,
) -> RoutedObject:
    """What the router makes of a request.

    Raises:
        APIStatusError: it cannot be answered, whatever Azure thinks of it.
    """
    row = route.row
    body, form, content, content_type = _read_body(request, row)
    refuse_connection_fields(_without_endpoint(body or {}, row), request.headers)
    asked = _join(query)
    model = named_model(body or {}, asked, request.headers)
    models = named_models(body or {}, asked)
    for name in (model, *models):
        _check_model(request, name)
    return reader.read(
        ObjectCall(
            row,
            tuple(route.values.values()),
            asked,
            body,
            content,
            content_type or "application/json",
            model=model,
            owner=request.owner,
            # A caller uses ids that they got here, not ids that they found elsewhere.
            must_own=request.owner is not None,
            may_call=request.may_call,
            received=form,
            options=options,
            call_id=call_id,
            end_user=object_end_user(body or {}, request.headers),
            replicates=asks_for_copies(body or {}, asked, request.headers),
            models=models,
        )
    )


def _read_body(
    request: ApiRequest, row: APIOperation
) -> tuple[Mapping[str, Any] | None, ReceivedForm | None, bytes | None, str]:
    """The fields of the body, its form, its bytes where it is no form, and its content type."""
    content_type = request.headers.get("content-type", "")
    if row.method != "POST":
        return None, None, None, content_type
    if row.is_form and is_multipart(content_type):
        form = request.form or HeldForm(request.body, content_type)
        return form.values, form, None, content_type
    if request.body.strip():
        return read_object(request.body), None, request.body, "application/json"
    return None, None, request.body or None, content_type


def object_end_user(body: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """For whom an object is made or listed: a header says it, else its metadata."""
    named = headers.get(_END_USER)
    metadata = body.get("metadata")
    if not named and isinstance(metadata, Mapping):
        named = metadata.get("user_id")
    return named if isinstance(named, str) and named else None


def _without_endpoint(body: Mapping[str, Any], row: APIOperation) -> Mapping[str, Any]:
    """The fields that could say where a call goes: of a batch `endpoint` names an operation."""
    if row.name != "batches.create":
        return body
    return {name: value for name, value in body.items() if name != "endpoint"}


def _join(pairs: QueryPairs) -> dict[str, Any]:
    """The query as a mapping; a name that stands more than once has a list."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name.startswith("include"):
            # Clients write a list as include[], include[0] or by the name again and again.
            found.setdefault("include[]", []).append(value)
        elif name in found:
            # Which of the two counts could differ between the check here and Azure.
            raise invalid_request(f"{name[:100]} stands twice in the query.", param=name[:100])
        else:
            found[name] = value
    return found


def _check_model(request: ApiRequest, model: str | None) -> None:
    if model is None or request.may_call is None or request.may_call(model):
        return
    raise PermissionDeniedError(
        f"This API key may not call the model {model[:200]!r}.",
        status_code=403,
        code="key_model_access_denied",
        type="permission_denied",
        param="model",
        hint="GET /v1/models lists what it may call.",
    )
