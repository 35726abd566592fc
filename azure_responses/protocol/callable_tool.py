"""A Python function as a tool: its schema for the request, its arguments from a call."""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, create_model
from pydantic_core import to_json

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.structured_output import make_strict
from azure_responses.types.model import Model

__all__ = ["CallableTool", "describe_failure", "write_output"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PARTS = frozenset({"input_text", "input_image", "input_file"})
_CLOSED = ConfigDict(extra="forbid", protected_namespaces=())


class CallableTool:
    """A function that a model may call.

    Args:
        function: its parameters have types that pydantic knows, such as `str`, a pydantic model or
            `Annotated[int, Field(ge=1, description="…")]`. It may be `async`.
        name: for the model; None takes the function's.
        description: for the model; None takes the function's docstring.
        strict: True for a strict schema; False for one that may leave parameters out; None for a
            strict one where strict mode has what the types need.

    Raises:
        ConfigurationError: a parameter without a type or with one that has no schema, `*args` or
            `**kwargs`, an invalid name, or a type that `strict=True` does not take.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        strict: bool | None = None,
    ) -> None:
        plain = function.func if isinstance(function, partial) else function
        self.function = function
        self.name = name or str(getattr(plain, "__name__", type(plain).__name__))
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"The name of the tool {self.name!r} is invalid.",
                hint="Pass CallableTool(function, name=…) of letters, digits, _ and -.",
            )
        self.description = inspect.getdoc(plain) if description is None else description
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(plain, "__call__", None)  # noqa: B004
        )
        self._parameters = _read_parameters(function, self.name)
        self._model, schema = _make_model(self._parameters, self.name)
        self._schema, self._is_strict = _choose_schema(schema, self.name, strict)

    def to_dict(self) -> dict[str, Any]:
        """The tool as a request has it."""
        described = {"description": self.description} if self.description else {}
        return {
            "type": "function",
            "name": self.name,
            **described,
            "parameters": self._schema,
            "strict": self._is_strict,
        }

    def bind(self, arguments: str) -> Callable[[], Any]:
        """The call of the function with the arguments that a model wrote as JSON.

        Raises:
            pydantic.ValidationError: the arguments do not fit the types.
        """
        read = self._model.model_validate_json(arguments or "{}")
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for field, parameter in zip(type(read).model_fields, self._parameters, strict=True):
            is_given = field in read.model_fields_set
            value = getattr(read, field) if is_given else parameter.default
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            elif is_given:
                named[parameter.name] = value
        return partial(self.function, *positional, **named)


def _read_parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, ValueError, TypeError) as error:
        raise ConfigurationError(f"The parameters of {name} cannot be read: {error}") from error
    bound = function.keywords if isinstance(function, partial) else {}
    found = [each for each in signature.parameters.values() if each.name not in bound]
    for parameter in found:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ConfigurationError(
                f"{name} takes {parameter}, which no schema can describe.",
                hint="Give the function named parameters.",
            )
        if parameter.annotation is parameter.empty:
            raise ConfigurationError(
                f"The parameter {parameter.name} of {name} has no type.",
                hint="Annotate it, so that the model knows what to write.",
            )
    return found


def _make_model(
    parameters: list[inspect.Parameter], name: str
) -> tuple[type[BaseModel], dict[str, Any]]:
    # Names of fields of our own: a parameter may be called `copy`, `json` or `_private`.
    fields: dict[str, Any] = {
        f"argument_{number}": (
            parameter.annotation,
            ... if parameter.default is parameter.empty else parameter.default,
        )
        for number, parameter in enumerate(parameters)
    }
    names = {f"argument_{number}": each.name for number, each in enumerate(parameters)}
    config: ConfigDict = {**_CLOSED, "alias_generator": names.__getitem__}
    try:
        model: type[BaseModel] = create_model(name, __config__=config, **fields)
        return model, model.model_json_schema(by_alias=True)
    except PydanticUserError as error:
        raise ConfigurationError(
            f"A parameter of {name} has no JSON schema: {error.message}",
            hint="Use types that pydantic knows.",
        ) from error


def _choose_schema(
    schema: dict[str, Any], name: str, strict: bool | None
) -> tuple[dict[str, Any], bool]:
    if strict is False:
        return schema, False
    try:
        return {"properties": {}, **make_strict(schema, name)}, True
    except ConfigurationError:
        if strict:
            raise
        # The arguments are checked when they arrive in any case.
        return schema, False


def write_output(value: Any) -> str | list[dict[str, Any]]:
    """What a function returned, as the output of its call: text, content parts, or JSON text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(map(_is_part, value)):
        return [each.to_dict() if isinstance(each, Model) else dict(each) for each in value]
    return to_json(value, fallback=str, bytes_mode="base64").decode()


def _is_part(value: Any) -> bool:
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    return isinstance(value, Mapping | Model) and kind in _PARTS


def describe_failure(error: Exception) -> str:
    """The output of a call that failed, for the model to do better."""
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return to_json({"error": "The arguments are invalid.", "details": found}).decode()
    return to_json({"error": f"{type(error).__name__}: {error}"}).decode()
