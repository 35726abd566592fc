"""Function tools whose parameters are a pydantic model, as the openai package makes them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from azure_responses.protocol.structured_output import make_strict

__all__ = [
    "ArgumentReaders",
    "PydanticTool",
    "pydantic_function_tool",
    "pydantic_responses_function_tool",
]


class PydanticTool(dict[str, Any]):
    """A tool as JSON that remembers the model of its parameters."""

    def __init__(self, fields: Mapping[str, Any], model: type[BaseModel]) -> None:
        super().__init__(fields)
        self.model = model


def pydantic_function_tool(
    model: type[BaseModel], *, name: str | None = None, description: str | None = None
) -> dict[str, Any]:
    """A tool for chat completions; `chat.completions.parse` makes its arguments a `model`.

    Args:
        model: of the arguments.
        name: of the function; None takes the class's.
        description: for the model; None takes the class's docstring.

    Raises:
        ConfigurationError: strict mode cannot express the model.
    """
    return {"type": "function", "function": _function(model, name, description)}


def pydantic_responses_function_tool(
    model: type[BaseModel], *, name: str | None = None, description: str | None = None
) -> dict[str, Any]:
    """A tool for responses; `responses.parse` makes its arguments a `model`.

    The arguments are those of `pydantic_function_tool`.
    """
    return PydanticTool({"type": "function", **_function(model, name, description)}, model)


def _function(model: type[BaseModel], name: str | None, description: str | None) -> "PydanticTool":
    named = name or model.__name__
    schema = make_strict(TypeAdapter(model).json_schema(), named)
    fields: dict[str, Any] = {"name": named, "strict": True, "parameters": schema}
    described = model.__doc__ if description is None else description
    if described is not None:
        fields["description"] = described
    return PydanticTool(fields, model)


class ArgumentReaders:
    """Reads the arguments of the functions among some tools, of either API.

    Args:
        tools: as they are sent; those of the openai package are known too.
    """

    def __init__(self, tools: Iterable[Any] | None) -> None:
        functions = [_function_of(tool) for tool in tools or ()]
        self._functions = {one.get("name"): one for one in functions if one is not None}

    @property
    def reads_any(self) -> bool:
        """True where the arguments of one of the functions are read."""
        return any(map(self.reads, self._functions))

    def reads(self, name: str) -> bool:
        """True where the arguments of a function are read: it is strict, or has a model."""
        function = self._functions.get(name)
        if function is None:
            return False
        return _model_of(function) is not None or function.get("strict") is True

    def read(self, name: str, arguments: str) -> Any:
        """The arguments: a model, a JSON value, or None where they are not read or no JSON.

        Raises:
            pydantic.ValidationError: they do not fit their model.
        """
        if not self.reads(name):
            return None
        model = _model_of(self._functions[name])
        if model is not None:
            return model.model_validate_json(arguments)
        try:
            return json.loads(arguments)
        except ValueError:
            # Not every deployment keeps to `strict`. The caller has the text, and a tool loop
            # tells the model.
            return None


def _function_of(tool: Any) -> Any:
    if not isinstance(tool, Mapping) or tool.get("type") != "function":
        return None
    function = tool.get("function", tool)
    return function if isinstance(function, Mapping) else None


def _model_of(function: Any) -> type[BaseModel] | None:
    model = getattr(function, "model", None)
    return model if isinstance(model, type) else None
