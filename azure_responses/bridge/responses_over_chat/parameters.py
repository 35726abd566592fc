"""The parameters of a response → those of a chat completion."""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.function_tools import Function, FunctionTools
from azure_responses.bridge.refused_parameters import ELSEWHERE, responses_only, take_parameter
from azure_responses.bridge.unsupported import Unsupported, invalid
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.families import FamilyFacts

__all__ = ["write_parameters", "write_tools"]

_LOGPROBS = "message.output_text.logprobs"
_REFUSED = responses_only("chat completions")
# What the conversion itself does, or what matters only for tools that the service runs.
_DONE_ELSEWHERE = frozenset(
    {
        "input",
        "instructions",
        "max_tool_calls",
        "metadata",
        "model",
        "previous_response_id",
        "store",
        "stream_options",
        "tool_choice",
        "tools",
        "truncation",
        "parallel_tool_calls",
    }
)


class _ChatRequestDraft:
    def __init__(self, context: ConversionContext, unsupported: Unsupported) -> None:
        self.body: dict[str, Any] = {}
        self.facts: FamilyFacts = context.facts
        self.unsupported = unsupported


def write_parameters(
    parameters: Mapping[str, Any], context: ConversionContext, unsupported: Unsupported
) -> dict[str, Any]:
    """The body of a chat completion, without messages and tools.

    Parameters that neither API is known to have are sent as they are: the service says whether it
    takes them.

    Raises:
        BadRequestError: a parameter has a value that the Responses API refuses.
        ConfigurationError: the deployment cannot do what a parameter asks for.
    """
    draft = _ChatRequestDraft(context, unsupported)
    draft.body["model"] = context.deployment
    for name, value in parameters.items():
        if value is not None and name not in _DONE_ELSEWHERE:
            take_parameter(draft, name, value, _CHANGED, _REFUSED)
    _take_storage(draft, parameters)
    _take_stream(draft, parameters)
    return draft.body


def _take_max_tokens(draft: _ChatRequestDraft, value: Any) -> None:
    draft.body[draft.facts.max_tokens_name] = value


def _take_reasoning(draft: _ChatRequestDraft, value: Any) -> None:
    for name, setting in _fields(value, "reasoning").items():
        if name == "effort":
            _take_effort(draft, str(setting))
        elif name not in ("summary", "generate_summary") and setting != _NEUTRAL.get(name):
            draft.unsupported.leave_out(
                f"reasoning.{name}", "Chat completions has no place for it.", ELSEWHERE
            )


_NEUTRAL = {"context": "auto", "mode": "standard"}


def _take_effort(draft: _ChatRequestDraft, effort: str) -> None:
    sent = draft.facts.effort_for(effort)
    if sent is None:
        draft.unsupported.warn("reasoning.effort was left out. The model takes no effort.")
        return
    if sent != effort:
        draft.unsupported.warn(
            f"reasoning.effort was sent as {sent!r}. The model does not know {effort!r}."
        )
    draft.body["reasoning_effort"] = sent


def _take_text(draft: _ChatRequestDraft, value: Any) -> None:
    for name, setting in _fields(value, "text").items():
        if name == "format":
            _take_format(draft, _fields(setting, "text.format"))
        elif name == "verbosity":
            draft.body["verbosity"] = setting
        else:
            draft.unsupported.leave_out(
                f"text.{name}", "Chat completions has no place for it.", ELSEWHERE
            )


def _take_format(draft: _ChatRequestDraft, form: Mapping[str, Any]) -> None:
    kind = form.get("type")
    if kind == "json_schema":
        schema = {name: value for name, value in form.items() if name != "type"}
        draft.body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif kind == "json_object":
        draft.body["response_format"] = {"type": "json_object"}
    elif kind != "text":
        draft.unsupported.leave_out(
            "text.format",
            f"Chat completions has no format {kind!r}.",
            "Use 'json_schema' or 'json_object'.",
        )


def _take_top_logprobs(draft: _ChatRequestDraft, value: Any) -> None:
    if value:
        draft.body |= {"logprobs": True, "top_logprobs": value}


def _take_include(draft: _ChatRequestDraft, value: Any) -> None:
    if not isinstance(value, list):
        raise invalid("Invalid type for 'include': expected an array.", "include", "invalid_type")
    # The other values name output of tools that only the service runs; there is none of it.
    if _LOGPROBS in value:
        draft.body["logprobs"] = True


def _take_storage(draft: _ChatRequestDraft, parameters: Mapping[str, Any]) -> None:
    """`store` and `metadata`.

    What the Responses API would store is stored on our side. OpenAI's chat completions have a store
    of their own, off unless asked for, and take metadata only with it.
    """
    facts, metadata = draft.facts, _fields(parameters.get("metadata") or {}, "metadata")
    is_openai = facts.takes_developer_role or not facts.family
    if not is_openai or parameters.get("store") is False:
        return
    if metadata:
        draft.body["metadata"] = metadata
    if metadata or parameters.get("store"):
        draft.body["store"] = True


def _take_stream(draft: _ChatRequestDraft, parameters: Mapping[str, Any]) -> None:
    if not parameters.get("stream"):
        return
    if draft.facts.takes_stream_usage:
        draft.body["stream_options"] = {"include_usage": True}
    # `include_obfuscation` pads events against the measuring of lengths; there is nothing to pad.
    for name in _fields(parameters.get("stream_options") or {}, "stream_options"):
        if name not in ("include_obfuscation", "include_usage"):
            draft.unsupported.leave_out(
                f"stream_options.{name}", "Chat completions has no place for it.", "Leave it out."
            )


def _fields(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"Invalid type for '{path}': expected an object.", path, "invalid_type")
    return {name: given for name, given in value.items() if given is not None}


_CHANGED: Mapping[str, Callable[[_ChatRequestDraft, Any], None]] = {
    "max_output_tokens": _take_max_tokens,
    "reasoning": _take_reasoning,
    "text": _take_text,
    "top_logprobs": _take_top_logprobs,
    "include": _take_include,
}


def write_tools(
    parameters: Mapping[str, Any],
    tools: FunctionTools,
    facts: FamilyFacts,
    unsupported: Unsupported,
) -> dict[str, Any]:
    """`tools`, `tool_choice` and `parallel_tool_calls`; nothing where there are no tools.

    The service refuses the other two without tools.
    """
    choice = parameters.get("tool_choice")
    is_allowed = isinstance(choice, dict) and choice.get("type") == "allowed_tools"
    sends_allowed = is_allowed and facts.takes_allowed_tools
    offered = tools.declared if sends_allowed else tools.functions
    if not offered or not _takes_tools(facts, parameters, unsupported):
        return {}
    body: dict[str, Any] = {"tools": [_write_tool(function) for function in offered]}
    if sends_allowed:
        mode = tools.choice.mode if tools.choice is not None else "auto"
        allowed = {"mode": mode, "tools": [_reference(function) for function in tools.functions]}
        body["tool_choice"] = {"type": "allowed_tools", "allowed_tools": allowed}
    elif tools.choice is not None:
        named = tools.choice.function
        body["tool_choice"] = tools.choice.mode if named is None else _reference(named)
    if parameters.get("parallel_tool_calls") is not None:
        body["parallel_tool_calls"] = parameters["parallel_tool_calls"]
    return body


def _takes_tools(
    facts: FamilyFacts, parameters: Mapping[str, Any], unsupported: Unsupported
) -> bool:
    effort = (parameters.get("reasoning") or {}).get("effort")
    has_effort = effort not in (None, "none")
    if facts.chat_tools == "always" or (facts.chat_tools == "without_effort" and not has_effort):
        return True
    unsupported.leave_out(
        "tools",
        "On chat completions this model takes no functions while it reasons.",
        "Call it over the Responses API: set api='responses'.",
    )
    return False


def _write_tool(function: Function) -> dict[str, Any]:
    about: dict[str, Any] = {"name": function.name}
    if function.description is not None:
        about["description"] = function.description
    if function.kind == "custom":
        if function.format is not None:
            about["format"] = _write_grammar(function.format)
        return {"type": "custom", "custom": about}
    about["parameters"] = function.parameters
    if function.strict is not None:
        about["strict"] = function.strict
    return {"type": "function", "function": about}


def _write_grammar(form: Mapping[str, Any]) -> dict[str, Any]:
    if form.get("type") != "grammar":
        return dict(form)
    return {"type": "grammar", "grammar": {name: form[name] for name in form if name != "type"}}


def _reference(function: Function) -> dict[str, Any]:
    return {"type": function.kind, function.kind: {"name": function.name}}
