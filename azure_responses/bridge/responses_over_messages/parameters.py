"""The parameters of a response → those of Messages, without the conversation itself."""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.function_schemas import make_strict
from azure_responses.bridge.function_tools import Function, FunctionTools, ToolSupport
from azure_responses.bridge.refused_parameters import (
    ELSEWHERE,
    RefusedParameter,
    responses_only,
    take_parameter,
)
from azure_responses.bridge.responses_over_messages.blocks import without_scope
from azure_responses.bridge.responses_over_messages.thinking import thinks, write_thinking
from azure_responses.bridge.unsupported import Unsupported, invalid
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.families import FamilyFacts

__all__ = [
    "CACHE_AND_CONFIG",
    "MessagesDraft",
    "drop_sampling",
    "read_limit",
    "tool_support",
    "write_format",
    "write_parameters",
    "write_tools",
]

_Fields = Mapping[str, Any]
_Body = dict[str, Any]
# Half of what the smallest Claude of today writes, for a model of which nothing is known.
_MAX_TOKENS = 4_096
_REFUSED: Mapping[str, RefusedParameter] = {
    **responses_only("Messages"),
    "top_logprobs": RefusedParameter((0,), "Claude gives no log probabilities.", ELSEWHERE),
    "service_tier": RefusedParameter(
        ("auto", "default"),
        "Claude in Foundry has one service tier.",
        "Leave it out, or set it to 'auto'.",
    ),
    "frequency_penalty": RefusedParameter((0,), "Claude takes no penalties.", "Leave it out."),
    "presence_penalty": RefusedParameter((0,), "Claude takes no penalties.", "Leave it out."),
    "seed": RefusedParameter((), "Claude's sampling takes no seed.", "Leave it out."),
}
# What the conversion itself does, what only our own store uses, or what matters only for tools
# that the service runs.
_DONE_ELSEWHERE = frozenset(
    {
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "safety_identifier",
        "store",
        "tool_choice",
        "tools",
        "truncation",
        "user",
    }
)
# Values of `reasoning.context`, `reasoning.mode` and the like that ask for nothing.
_NEUTRAL = (None, "auto", "standard")
# Keywords that Claude refuses in a strict schema (Anthropic's page on structured outputs).
_NOT_STRICT = frozenset(
    {
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "uniqueItems",
    }
)


class MessagesDraft:
    """The body of a Messages request while its parameters are read, whatever API they are of.

    Attributes:
        facts: what the model accepts.
        unsupported: collects what is left out.
        body: the parameters as Messages has them.
        instructions: what the system prompt has to ask, since no parameter does.
    """

    def __init__(self, context: ConversionContext, unsupported: Unsupported) -> None:
        self.facts: FamilyFacts = context.facts
        self.unsupported = unsupported
        self.body: _Body = {"model": context.deployment}
        self.instructions: list[str] = []


def write_parameters(
    parameters: _Fields, context: ConversionContext, unsupported: Unsupported
) -> tuple[_Body, list[str]]:
    """The body without messages, system prompt and tools; and what the system prompt has to ask.

    A parameter that neither API has is sent as it is: callers use `extra_body` for those of
    Messages, such as `top_k` and `stop_sequences`.

    Raises:
        ConfigurationError: a parameter that Claude does not take.
        BadRequestError: a parameter of a wrong type.
    """
    draft = MessagesDraft(context, unsupported)
    limit = parameters.get("max_output_tokens")
    draft.body["max_tokens"] = read_limit(limit, "max_output_tokens", context, unsupported)
    reasoning = _fields(parameters.get("reasoning") or {}, "reasoning")
    max_tokens = int(draft.body["max_tokens"])
    draft.body |= write_thinking(reasoning, draft.facts, max_tokens, unsupported)
    for name, value in reasoning.items():
        if name not in ("effort", "summary", "generate_summary") and value not in _NEUTRAL:
            unsupported.leave_out(
                f"reasoning.{name}", "Claude has no such setting.", "Leave it out."
            )
    _fields(parameters.get("metadata") or {}, "metadata")
    user = parameters.get("safety_identifier") or parameters.get("user")
    if user:
        draft.body["metadata"] = {"user_id": str(user)}
    for name, value in parameters.items():
        if value is not None and name not in _DONE_ELSEWHERE:
            take_parameter(draft, name, value, _TAKERS, _REFUSED)
    drop_sampling(draft.body, draft.facts, unsupported)
    return draft.body, draft.instructions


def read_limit(value: Any, name: str, context: ConversionContext, unsupported: Unsupported) -> int:
    """`max_tokens`, which Claude wants: what is asked for as `name`, else all that it can write.

    Raises:
        BadRequestError: the value is not a number of tokens.
    """
    if value is not None:
        if type(value) is not int or value < 1:
            raise invalid(f"Invalid '{name}': expected an integer above 0.", name)
        return value
    # The limit is required, and one that is too small would cut answers that the caller did not
    # limit.
    known: int | None = context.max_output_tokens or context.facts.max_output_tokens
    if known is None:
        unsupported.warn(
            f"{name} was sent as {_MAX_TOKENS}. Claude wants a limit, and that of this model is "
            "not known."
        )
    return known or _MAX_TOKENS


def _take_text(draft: MessagesDraft, value: Any) -> None:
    for name, part in _fields(value, "text").items():
        if name == "format":
            _take_format(draft, _fields(part or {}, "text.format"))
        elif part is not None and (name, part) != ("verbosity", "medium"):
            draft.unsupported.leave_out(
                f"text.{name}", "Claude has no such setting.", "Ask for it in the instructions."
            )


def _take_format(draft: MessagesDraft, form: _Fields) -> None:
    kind = form.get("type", "text")
    schema = _fields(form.get("schema"), "text.format.schema") if kind == "json_schema" else None
    write_format(draft, "text.format", kind, schema)


def write_format(draft: MessagesDraft, name: str, kind: object, schema: _Fields | None) -> None:
    """The form of the answer, which the caller's API asks for under `name`.

    Args:
        draft: of the request.
        name: the caller's parameter.
        kind: "json_schema", "json_object", "text", or what neither API has.
        schema: of "json_schema".
    """
    if schema is not None:
        # Claude wants every object closed; name and description have no place.
        closed = make_strict(schema, marks_required=False)
        config = draft.body.setdefault("output_config", {})
        config["format"] = {"type": "json_schema", "schema": closed or dict(schema)}
    elif kind == "json_object":
        # Messages has only the format with a schema, so JSON without one has to be asked for in
        # words.
        draft.instructions.append("Answer with one JSON object and nothing else.")
    elif kind != "text":
        draft.unsupported.leave_out(name, f"Claude has no format {kind!r}.", "Use 'json_schema'.")


def _take_include(draft: MessagesDraft, value: Any) -> None:
    if not isinstance(value, list):
        raise invalid("Invalid type for 'include': expected an array.", "include", "invalid_type")
    if "message.output_text.logprobs" in value:
        draft.unsupported.leave_out(
            "include[message.output_text.logprobs]",
            "Claude gives no log probabilities.",
            ELSEWHERE,
        )


def _take_stream(draft: MessagesDraft, value: Any) -> None:
    if value:
        draft.body["stream"] = True


def _take_stream_options(draft: MessagesDraft, value: Any) -> None:
    # Usage always comes, and there is no obfuscation to leave out.
    for name in _fields(value, "stream_options"):
        if name not in ("include_obfuscation", "include_usage"):
            draft.unsupported.leave_out(
                f"stream_options.{name}", "Messages has no place for it.", "Leave it out."
            )


def _take_stop(draft: MessagesDraft, value: Any) -> None:
    if not isinstance(value, str | list):
        raise invalid("Invalid type for 'stop': expected an array.", "stop", "invalid_type")
    draft.body["stop_sequences"] = [value] if isinstance(value, str) else value


def _take_cache_key(draft: MessagesDraft, value: Any) -> None:
    """The whole prompt is cached: Claude finds it by itself and takes no key."""
    draft.body.setdefault("cache_control", {"type": "ephemeral"})


def _take_cache_time(draft: MessagesDraft, value: Any) -> None:
    """`prompt_cache_retention` and `prompt_cache_options`: Claude keeps a prompt for 5 minutes or,
    for a caller who wants more, an hour."""
    fields = value if isinstance(value, Mapping) else {"ttl": value}
    if fields.get("mode") == "explicit":
        # Only the marks in the input count.
        return
    _take_cache_key(draft, value)
    # OpenAI's longest time is a day, Anthropic's an hour: the nearest to what was asked for.
    if fields.get("ttl") in ("1h", "24h"):
        draft.body["cache_control"]["ttl"] = "1h"


def _take_cache_control(draft: MessagesDraft, value: Any) -> None:
    given = _fields(value, "cache_control")
    draft.body["cache_control"] = without_scope(given, "cache_control", draft.unsupported)


def _take_config(draft: MessagesDraft, value: Any) -> None:
    """`output_config` as Messages has it, which wins over what it was made of."""
    config = draft.body.get("output_config", {})
    draft.body["output_config"] = {**config, **_fields(value, "output_config")}


CACHE_AND_CONFIG: Mapping[str, Callable[[MessagesDraft, Any], None]] = {
    "prompt_cache_key": _take_cache_key,
    "prompt_cache_retention": _take_cache_time,
    "cache_control": _take_cache_control,
    "output_config": _take_config,
}
"""What callers of both other APIs may send, and in the same form."""

_TAKERS: Mapping[str, Callable[[MessagesDraft, Any], None]] = {
    **CACHE_AND_CONFIG,
    "text": _take_text,
    "include": _take_include,
    "stream": _take_stream,
    "stream_options": _take_stream_options,
    "stop": _take_stop,
    "prompt_cache_options": _take_cache_time,
}


def drop_sampling(body: _Body, facts: FamilyFacts, unsupported: Unsupported) -> None:
    """Take out sampling that Claude refuses, most of all while it thinks.

    Raises:
        ConfigurationError: it asks for something.
        BadRequestError: a value is not a number.
    """
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is not None and not isinstance(value, int | float):
            raise invalid(f"Invalid type for '{name}': expected a number.", name, "invalid_type")
    # Newer models refuse the two together, and 1 is the default of both.
    if body.get("temperature") is not None and body.get("top_p") == 1:
        del body["top_p"]
    for name in ("temperature", "top_p"):
        value, why = body.get(name), _why_not(body, facts, body.get(name))
        if value is None or why is None:
            continue
        del body[name]
        if value != 1:
            unsupported.leave_out(name, *why)


def _why_not(body: _Body, facts: FamilyFacts, value: Any) -> tuple[str, str] | None:
    """Why sampling by a value is refused, and what to do instead; None where it is not."""
    if not facts.takes_sampling:
        return "This model takes no sampling parameters.", "Leave it out."
    if thinks(body):
        return (
            "Claude refuses it while it thinks.",
            "Leave it out, or set reasoning.effort to 'none'.",
        )
    if value is not None and not 0 <= value <= 1:
        return "Claude takes values from 0 to 1.", "Send a value from 0 to 1."
    return None


def tool_support(facts: FamilyFacts) -> ToolSupport:
    """What Claude takes of tools: strict schemas may have optional properties."""
    return ToolSupport(
        strict=facts.takes_strict,
        marks_required=False,
        not_strict=_NOT_STRICT,
        references=not facts.inlines_refs,
    )


def write_tools(parameters: _Fields, tools: FunctionTools) -> _Body:
    """`tools` and `tool_choice`; empty where there are no tools."""
    body: _Body = {}
    if not tools.functions:
        return body
    body["tools"] = [_write_tool(function) for function in tools.functions]
    choice = _write_choice(tools, is_parallel=parameters.get("parallel_tool_calls") is not False)
    if choice is not None:
        body["tool_choice"] = choice
    return body


def _write_tool(function: Function) -> _Body:
    schema = function.parameters
    tool: _Body = {"name": function.name, "input_schema": {"type": "object", **schema}}
    if function.description:
        tool["description"] = function.description
    if function.strict is not None:
        tool["strict"] = function.strict
    return tool


_CHOICES = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}


def _write_choice(tools: FunctionTools, *, is_parallel: bool) -> _Body | None:
    choice = tools.choice
    if choice is None:
        # Messages has this setting only within a choice, so "auto", the default, is written out for
        # it.
        return None if is_parallel else {"type": "auto", "disable_parallel_tool_use": True}
    written: _Body = {"type": _CHOICES[choice.mode]}
    if choice.function is not None:
        written["name"] = choice.function.name
    if not is_parallel and choice.mode != "none":
        written["disable_parallel_tool_use"] = True
    return written


def _fields(value: Any, path: str) -> _Fields:
    if not isinstance(value, Mapping):
        raise invalid(f"Invalid type for '{path}': expected an object.", path, "invalid_type")
    return value
