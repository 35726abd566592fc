"""The parameters of a chat completion → those of Messages, without the conversation itself."""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.tools import (
    read_function,
    read_function_choice,
    read_tool,
    read_tool_choice,
)
from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.refused_parameters import take_parameter
from azure_responses.bridge.responses_over_messages.blocks import without_scope
from azure_responses.bridge.responses_over_messages.parameters import (
    CACHE_AND_CONFIG,
    MessagesDraft,
    drop_sampling,
    read_limit,
    write_format,
)
from azure_responses.bridge.responses_over_messages.thinking import write_thinking
from azure_responses.bridge.unsupported import Unsupported, invalid
from azure_responses.protocol.conversion import ConversionContext

__all__ = ["ChatUnsupported", "describe_tools", "mark_tools", "write_parameters"]

_Fields = Mapping[str, Any]
_Body = dict[str, Any]
_SAMPLING = "Claude's sampling has no such setting."
_STEER = "Leave it out, and steer the answer by instructions."
# name → (values that ask for nothing, why it is not sent, what to do instead)
_REFUSED: Mapping[str, tuple[tuple[Any, ...], str, str]] = {
    "n": ((1,), "Claude gives one answer to a call.", "Make one call for each answer."),
    "seed": ((), _SAMPLING, "Leave it out: nothing makes Claude's answers repeatable."),
    "logit_bias": (({},), _SAMPLING, _STEER),
    "frequency_penalty": ((0,), _SAMPLING, _STEER),
    "presence_penalty": ((0,), _SAMPLING, _STEER),
    "logprobs": ((False,), "Claude gives no log probabilities.", "Leave it out."),
    "top_logprobs": ((0,), "Claude gives no log probabilities.", "Leave it out."),
    "prediction": (({},), "Claude takes no predicted output.", "Leave it out: it saves only time."),
    "audio": ((), "Claude does not speak.", "Ask for text, and have another model speak it."),
    "modalities": ((["text"], ("text",)), "Claude writes text only.", "Ask for ['text']."),
    "web_search_options": (
        (),
        "Claude on Azure does not search the web.",
        "Offer a function that searches, or use a deployment that speaks the Responses API.",
    ),
    "data_sources": (([],), "Claude has no such sources.", "Offer a function that searches them."),
    "verbosity": (
        ("medium",),
        "Claude has no such setting.",
        "Ask for the length that you want in the instructions.",
    ),
    "service_tier": (
        ("auto", "default"),
        "Claude in Foundry has one service tier.",
        "Leave it out, or set it to 'auto'.",
    ),
    "store": ((False,), "Messages are not stored.", "Leave it out, and keep them yourself."),
    "moderation": ((), "Messages moderates nothing on request.", "Check the text yourself."),
    "user_security_context": (
        ({},),
        "Only Azure's own models report to Defender.",
        "Leave it out.",
    ),
}
# What the conversion itself does, or what says nothing to the model.
_DONE_ELSEWHERE = frozenset(
    {
        "messages",
        "model",
        "max_tokens",
        "max_completion_tokens",
        "reasoning",
        "reasoning_effort",
        "thinking",
        "stream_options",
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "parallel_tool_calls",
        "drop_params",
        "user",
        "safety_identifier",
    }
)


# What the parts that responses and chat completions share call by the names of the former.
_NAMES = {"reasoning.effort": "reasoning_effort", "max_output_tokens": "max_completion_tokens"}


class ChatUnsupported(Unsupported):
    """What Claude cannot do, in the words of chat completions."""

    def leave_out(self, param: str, reason: str, alternative: str) -> None:
        """As of every `Unsupported`."""
        super().leave_out(_rename(param), _rename(reason), _rename(alternative))

    def warn(self, sentence: str) -> None:
        """As of every `Unsupported`."""
        super().warn(_rename(sentence))


def _rename(text: str) -> str:
    for name, own in _NAMES.items():
        text = text.replace(name, own)
    return text


def write_parameters(
    parameters: _Fields, context: ConversionContext, unsupported: Unsupported
) -> tuple[_Body, list[str]]:
    """The body without messages, system prompt and tools; and what the system prompt has to ask.

    A parameter that chat completions do not have is sent as it is: callers use those of Messages,
    such as `thinking`, `top_k` and `stop_sequences`.

    Raises:
        ConfigurationError: a parameter that Claude does not take.
        BadRequestError: a parameter of a wrong type.
    """
    draft = MessagesDraft(context, unsupported)
    draft.body["max_tokens"] = _read_limit(parameters, context, unsupported)
    _add_thinking(draft, parameters)
    user = parameters.get("safety_identifier") or parameters.get("user")
    if user:
        draft.body["metadata"] = {"user_id": str(user)}
    for name, value in parameters.items():
        if value is not None and name not in _DONE_ELSEWHERE:
            take_parameter(draft, name, value, _TAKERS, _REFUSED)
    drop_sampling(draft.body, draft.facts, unsupported)
    return draft.body, draft.instructions


def _read_limit(parameters: _Fields, context: ConversionContext, unsupported: Unsupported) -> int:
    names = ("max_completion_tokens", "max_tokens")
    given = {name: parameters[name] for name in names if parameters.get(name) is not None}
    # Programs that call several families send one limit under both names: Mistral takes only the
    # older one (pydantic-ai #6593), OpenAI's reasoning models only the newer one.
    if len(set(given.values())) > 1:
        raise invalid(f"{' and '.join(given)} differ: they name the same limit.", "max_tokens")
    name = next(iter(given), "max_completion_tokens")
    return read_limit(given.get(name), name, context, unsupported)


def _add_thinking(draft: MessagesDraft, parameters: _Fields) -> None:
    own = parameters.get("thinking")
    if own is not None:
        # In Claude's words it is the caller's to know what the model takes.
        draft.body["thinking"] = dict(_fields(own, "thinking"))
        return
    # Programs that ask for reasoning look for it in reasoning_content.
    reasoning = {"summary": "auto", **_fields(parameters.get("reasoning") or {}, "reasoning")}
    effort = parameters.get("reasoning_effort") or reasoning.get("effort")
    if effort is None:
        return
    asked = {"effort": str(effort), "summary": reasoning["summary"]}
    limit = int(draft.body["max_tokens"])
    draft.body |= write_thinking(asked, draft.facts, limit, draft.unsupported)


def _take_format(draft: MessagesDraft, value: Any) -> None:
    form = _fields(value, "response_format")
    kind, schema = form.get("type"), None
    if kind == "json_schema":
        described = _fields(form.get("json_schema", form), "response_format.json_schema")
        schema = _fields(described.get("schema"), "response_format.json_schema.schema")
    write_format(draft, "response_format", kind, schema)


def _take_stop(draft: MessagesDraft, value: Any) -> None:
    sequences = [value] if isinstance(value, str) else list(value)
    kept = [sequence for sequence in sequences if sequence]
    if kept:
        draft.body["stop_sequences"] = kept


def _take_metadata(draft: MessagesDraft, value: Any) -> None:
    given = dict(_fields(value, "metadata"))
    if "user_id" in given:
        draft.body["metadata"] = {"user_id": given.pop("user_id")}
    if given:
        draft.unsupported.warn("metadata was left out: it labels completions that are stored.")


def _take_stream(draft: MessagesDraft, value: Any) -> None:
    if value:
        draft.body["stream"] = True


def _fields(value: Any, path: str) -> _Fields:
    if not isinstance(value, Mapping):
        raise invalid(f"Invalid type for '{path}': expected an object.", path, "invalid_type")
    return value


_TAKERS: Mapping[str, Callable[[MessagesDraft, Any], None]] = {
    **CACHE_AND_CONFIG,
    "response_format": _take_format,
    "stop": _take_stop,
    "metadata": _take_metadata,
    "stream": _take_stream,
}


def describe_tools(parameters: _Fields) -> _Body:
    """The tools, and what may be called, as the parameters of a response that name them.

    Raises:
        BadRequestError: `tools` or `functions` is not a list.
    """
    tools = [*_read_tools(parameters, "tools"), *_read_tools(parameters, "functions")]
    described: _Body = {"tools": tools}
    if parameters.get("functions"):
        # A message has room for one function_call.
        described["parallel_tool_calls"] = False
    if parameters.get("parallel_tool_calls") is not None:
        described["parallel_tool_calls"] = parameters["parallel_tool_calls"]
    if parameters.get("tool_choice") is not None:
        described["tool_choice"] = read_tool_choice(parameters["tool_choice"])
    elif parameters.get("function_call") is not None:
        described["tool_choice"] = read_function_choice(parameters["function_call"])
    return described


def _read_tools(parameters: _Fields, name: str) -> list[_Body]:
    given = parameters.get(name)
    if given is None:
        return []
    if not isinstance(given, list | tuple):
        raise invalid(f"Invalid type for '{name}': expected an array.", name, "invalid_type")
    read = read_tool if name == "tools" else read_function
    described = [read(tool, f"{name}[{index}]") for index, tool in enumerate(given)]
    # A mark of the cache is no part of the function; `mark_tools` brings it back.
    return [
        {field: value for field, value in tool.items() if field != "cache_control"}
        for tool in described
    ]


def mark_tools(
    tools: list[_Body], names: FunctionTools, parameters: _Fields, unsupported: Unsupported
) -> None:
    """Give the tools the marks of the prompt cache that the caller put on them.

    Args:
        tools: as they are sent, and changed here.
        names: which tool each of them stands for.
        parameters: of the chat completion.
        unsupported: collects what is left out.
    """
    marks = {}
    for index, tool in enumerate(parameters.get("tools") or ()):
        inner = tool.get(str(tool.get("type")))
        about = inner if isinstance(inner, Mapping) else tool
        mark = tool.get("cache_control") or about.get("cache_control")
        if isinstance(mark, Mapping):
            path = f"tools[{index}].cache_control"
            marks[about.get("name")] = without_scope(mark, path, unsupported)
    for sent in tools:
        mark = marks.get(names.origin_of(sent["name"]).name)
        if mark is not None:
            sent["cache_control"] = mark
