"""OpenAI's descriptions of requests, completions and chunks, as JSON schemas."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from ..recordings import openapi

__all__ = ["validator"]

_NAMES = ("oneOf", "anyOf", "allOf")


@cache
def validator(name: str) -> Draft202012Validator:
    """A validator of one named schema.

    OpenAPI's `nullable` becomes a type, and `oneOf` becomes `anyOf`: the description's members
    overlap (a user's message fits two of them), which strict JSON Schema would refuse.
    """
    schemas = openapi("openai.openapi.json")["components"]["schemas"]
    return Draft202012Validator(
        {
            "$ref": f"#/components/schemas/{name}",
            "components": {"schemas": _translate(schemas)},
        }
    )


def _translate(node: Any) -> Any:
    if isinstance(node, list):
        return [_translate(member) for member in node]
    if not isinstance(node, dict):
        return node
    fields = {key: _translate(value) for key, value in node.items() if key != "discriminator"}
    if isinstance(fields.get("oneOf"), list):
        fields.setdefault("anyOf", fields.pop("oneOf"))
    if fields.pop("nullable", False) is True:
        return {"anyOf": [fields, {"type": "null"}]}
    return fields
