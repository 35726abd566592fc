"""The OpenAPI document of the gateway: what it serves, written by hand so that it is true.

Bodies are described loosely: what a response may hold is Azure's affair, and passes through.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic_core import to_json

from azure_responses.protocol.object_table import SERVED_OPERATIONS
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.version import __version__

__all__ = ["openapi_document"]

_PREFIXES = ("/v1", "", "/openai/v1", "/openai")
_ERRORS = {
    "400": "The request cannot be served as it is.",
    "401": "No key, or an unknown one.",
    "403": "The key may not do this.",
    "404": "There is no such response, model or path.",
    "408": "The request took too long to arrive.",
    "409": "What is named is being changed.",
    "413": "The body is too long.",
    "415": "The body is not declared as JSON.",
    "429": "A limit is reached, or a budget spent; Retry-After says when to come back.",
    "500": "The service failed.",
    "502": "Azure could not be reached, or broke off.",
    "503": "Saturated, all deployments in cooldown, or shutting down; see Retry-After.",
    "504": "Azure did not answer in time.",
}
_TEXT = {"type": "string"}
# Other spellings and parameters are accepted too, but not advertised.
_QUERY: Mapping[str, Mapping[str, Any]] = {
    "stream": {"type": "boolean"},
    "starting_after": {"type": "integer", "minimum": 0},
    "include[]": {"type": "array", "items": _TEXT},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "order": {"type": "string", "enum": ["asc", "desc"]},
    "after": _TEXT,
    "before": _TEXT,
    "filter": {"type": "string", "enum": ["in_progress", "completed", "failed", "cancelled"]},
    "purpose": _TEXT,
    "name": _TEXT,
}
_BYTES = {"type": "string", "format": "binary"}
# The name of a model, for requests without an id that belongs to a resource.
_PLACE = "x-azr-model"


@cache
def openapi_document() -> bytes:
    """The document as JSON."""
    return to_json(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "azure-responses gateway",
                "version": __version__,
                "description": "The Responses, chat and Messages APIs in front of Azure, with the "
                "files, vector stores, containers and conversations that responses refer to. "
                "Responses are also made over a WebSocket: a GET of `/v1/responses` with "
                "`Upgrade: websocket` opens it, and each frame `response.create` has the body of a "
                "POST.",
            },
            "security": [{"bearer": []}, {"apiKey": []}, {"anthropicKey": []}, {"litellmKey": []}],
            "paths": {**_api_paths(), **_own_paths()},
            "components": {
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer"},
                    "apiKey": {"type": "apiKey", "in": "header", "name": "api-key"},
                    "anthropicKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                    "litellmKey": {"type": "apiKey", "in": "header", "name": "x-litellm-api-key"},
                },
                "schemas": _schemas(),
                "responses": {
                    "Error": _json("An error.", "Error"),
                    "AnthropicError": _json("An error.", "AnthropicError"),
                },
            },
        }
    )


def _api_paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for prefix in _PREFIXES:
        for row in SERVED_OPERATIONS.values():
            # Claude in Foundry has a prefix of its own in place of Azure OpenAI's.
            if row.caller == "messages" and prefix.startswith("/openai"):
                continue
            shown = _operation(row, prefix or "/", row.path)
            paths.setdefault(prefix + row.path, {})[row.method.lower()] = shown
    for row in SERVED_OPERATIONS.values():
        if row.by_deployment:
            path = "/openai/deployments/{deployment}" + row.path
            paths[path] = {row.method.lower(): _operation(row, "deployment", path)}
    return paths


def _operation(row: APIOperation, prefix: str, path: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{row.name} below {prefix}",
        "summary": row.summary,
        "parameters": _parameters(row, path),
        "responses": _responses(row),
    }
    body = _request_body(row)
    if body is not None:
        described["requestBody"] = body
    return described


def _request_body(row: APIOperation) -> dict[str, Any] | None:
    """The schema of the body; None for rows without a body."""
    if row.is_form:
        form = {"type": "object", "additionalProperties": True}
        return {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    name = row.request or ("Object" if row.collection and row.method == "POST" else "")
    if not name:
        return None
    schema = {"$ref": f"#/components/schemas/{name}"}
    # What a cancellation or an empty conversation is sent, Azure says.
    return {"required": bool(row.request), "content": {"application/json": {"schema": schema}}}


def _parameters(row: APIOperation, path: str) -> list[dict[str, Any]]:
    named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    found = [_parameter(name, "path", {**_TEXT, "minLength": 1}) for name in named]
    if path.startswith("/openai/") or row.name == "create":
        found.append(_parameter("api-version", "query", _TEXT))
    found += [_parameter(name, "query", _QUERY[name]) for name in row.query if name in _QUERY]
    if row.collection:
        found.append(_parameter(_PLACE, "header", _TEXT))
    # Less would do, and end in a 504 that says so.
    found.append(_parameter("x-litellm-timeout", "header", {"type": "number", "minimum": 1}))
    return found


def _parameter(name: str, place: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _responses(row: APIOperation) -> dict[str, Any]:
    answer = _json("The answer.", "ItemList" if row.returns == "page" else row.answer)
    if row.returns == "bytes":
        answer["content"] = {"application/octet-stream": {"schema": _BYTES}}
    if row.streams:
        answer["content"]["text/event-stream"] = {"schema": _TEXT}
    answer["headers"] = {
        name: {"schema": _TEXT}
        for name in (
            "x-request-id",
            "x-litellm-call-id",
            "x-litellm-model-id",
            "x-litellm-model-group",
            "x-litellm-response-cost",
            "x-litellm-attempted-retries",
            "x-litellm-attempted-fallbacks",
            "x-litellm-overhead-duration-ms",
        )
    }
    name = "AnthropicError" if row.caller == "messages" else "Error"
    codes = [*_ERRORS, *(["529"] if row.caller == "messages" else [])]
    errors = {code: {"$ref": f"#/components/responses/{name}"} for code in codes}
    return {"200": answer, **errors}


def _json(text: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": text, "content": content}


def _own_paths() -> dict[str, Any]:
    draining = {"503": _json("It is shutting down.", "Object")}
    return {
        "/health/liveliness": {"get": _own("Whether the process lives.", "Text")},
        "/health/liveness": {"get": _own("Whether the process lives.", "Text")},
        "/health/readiness": {"get": _own("Whether it takes calls.", "Object", draining)},
        "/health": {
            "get": _own(
                "Whether it takes calls; with the master key also the state of the deployments.",
                "Object",
                draining,
            )
        },
        "/healthz": {"get": _own("Whether it takes calls.", "Object", draining)},
        "/openapi.json": {"get": _own("This document.", "Object")},
        "/metrics": {
            "get": {
                "summary": "Metrics for Prometheus.",
                "security": [],
                "responses": {
                    "200": {
                        "description": "Its text format.",
                        "content": {"text/plain": {"schema": _TEXT}},
                    }
                },
            }
        },
    }


def _own(summary: str, schema: str, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    responses = {"200": _json("The answer.", schema), **(more or {})}
    return {"summary": summary, "security": [], "responses": responses}


def _schemas() -> dict[str, Any]:
    return {
        "Text": _TEXT,
        "Object": {"type": "object"},
        "Error": _object(error=_object(message=_TEXT, type=_TEXT, code=_TEXT)),
        "AnthropicError": _object(
            type={"const": "error"}, error=_object(type=_TEXT, message=_TEXT)
        ),
        "Model": _object(id=_TEXT, object={"const": "model"}),
        "ModelList": _object(data={"type": "array", "items": {"type": "object"}}),
        "ItemList": _object(data={"type": "array"}),
        "Deleted": _object(id=_TEXT, deleted={"type": "boolean"}),
        "Response": _object(id=_TEXT, object=_TEXT),
        "ChatCompletion": _object(id=_TEXT, choices={"type": "array"}),
        "Message": _object(id=_TEXT, type={"const": "message"}, content={"type": "array"}),
        "TokenCount": _object(input_tokens={"type": "integer"}),
        **_request_schemas(),
    }


def _request_schemas() -> dict[str, Any]:
    items = {"type": "array", "items": {"type": "object"}}
    messages, either = {**items, "minItems": 1}, {"anyOf": [_TEXT, items]}
    limit = {"type": "integer", "minimum": 1}
    return {
        "MessagesRequest": {
            "required": ["messages"],
            **_request(messages=messages, max_tokens=limit),
        },
        "ResponseRequest": _request(
            input=either, previous_response_id={"type": ["string", "null"]}
        ),
        "ChatRequest": _request(messages=messages, input=either),
    }


def _request(**properties: Any) -> dict[str, Any]:
    model, stream = {"type": "string", "minLength": 1}, {"type": ["boolean", "null"]}
    return {
        "type": "object",
        "properties": {"model": model, **properties, "stream": stream},
        "additionalProperties": True,
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
