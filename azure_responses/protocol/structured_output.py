"""A Python type → the strict JSON schema of `text.format`, and the reply back to the type.

What strict mode does not have (`strict_schema`) is checked by the type itself when it reads.
"""

import re
from typing import Any, Generic, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.strict_schema import make_strict
from azure_responses.types.response import Response

__all__ = ["StructuredOutput"]

T = TypeVar("T")
_UNFINISHED = frozenset({"queued", "in_progress", "incomplete", "failed", "cancelled"})


class StructuredOutput(Generic[T]):
    """One output type: its schema for the request, and the reading of a reply.

    Args:
        output_type: a pydantic model, a dataclass, a TypedDict, or anything else that pydantic
            turns into the schema of a JSON object.

    Raises:
        ConfigurationError: strict mode cannot express the type; the message names the field.
    """

    def __init__(self, output_type: type[T]) -> None:
        self._name = _schema_name(output_type)
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(output_type)
            schema = self._adapter.json_schema(mode="validation")
        except PydanticUserError as error:
            raise ConfigurationError(
                f"text_format {output_type!r} has no JSON schema: {error.message}",
                hint="Pass a pydantic model class.",
            ) from error
        self.schema = make_strict(schema, self._name)
        if self.schema.get("type") != "object":
            raise ConfigurationError(
                f"text_format {self._name} is not an object.",
                hint="Structured output is always a JSON object; wrap the value in a model.",
            )

    def text_parameter(self, text: Any) -> dict[str, Any]:
        """The `text` parameter with the schema put into what the caller passed as `text`."""
        given = text.to_dict() if hasattr(text, "to_dict") else dict(text or {})
        if given.get("format") is not None:
            raise ConfigurationError(
                "Both text_format and text.format were given.", hint="Pass only one of them."
            )
        schema_format = {
            "type": "json_schema",
            "name": self._name,
            "schema": self.schema,
            "strict": True,
        }
        return {**given, "format": schema_format}

    def read(self, response: Response) -> T | None:
        """The value a response holds; None when the model refused, called tools or was cut short.

        Raises:
            pydantic.ValidationError: the text is complete but the type does not accept it (its
                own validators may ask for more than its schema says). Its `response` is the
                response, with text, usage, cost and the other items.
        """
        text = response.final_text
        if str(response.status) in _UNFINISHED or not text:
            return None
        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            if response.refusal is not None:
                # What stands beside a refusal is how it was begun, not an answer gone wrong.
                return None
            _attach(error, response)
            raise


def _attach(error: Any, response: Response) -> Any:
    """Let a validation error carry the response, and take it along into a copy or a pickle.

    Pydantic's errors cannot be derived from, and callers catch this one; so what was paid for rides
    along on it (openai-python#1763).
    """
    make, arguments = error.__reduce__()
    error.response = response
    error.add_note(f"in response {response.id}; error.response has the whole of it")
    error.__reduce_ex__ = lambda protocol: (_make_again, (make, arguments, response))
    return error


def _make_again(make: Any, arguments: tuple[Any, ...], response: Response) -> Any:
    return _attach(make(*arguments), response)


def _schema_name(output_type: Any) -> str:
    name = getattr(output_type, "__name__", None) or "output"
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]
