"""The parameters of a chat completion, one by one: sent, sent in another shape, or refused.

Three tables name all of them. What none of them names is refused too, so that nothing a caller
asks for is lost in silence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import (
    LONGEST_ID,
    as_list,
    as_mapping,
    as_texts,
    refuse,
    shorten,
)
from azure_responses.bridge.chat_over_responses.tools import (
    read_function,
    read_function_choice,
    read_tool,
    read_tool_choice,
    read_web,
)
from azure_responses.protocol.request_body import FEWEST_OUTPUT_TOKENS, place_of
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.types.parameters import CREATE_PARAMETERS

__all__ = ["PARAMETERS", "RequestDraft", "take_parameter"]

_LONGEST_SHOWN = 100
_LOGPROBS = "message.output_text.logprobs"


@dataclass
class RequestDraft:
    """A Responses request in the making.

    Attributes:
        parameters: what is sent as it is.
        tools, include, text, reasoning: parameters that several chat parameters contribute to.
        drop_params: leave out, with a warning, what would be refused.
        warnings: what was left out or changed.
        adds_reasoning: the bridge asks for encrypted reasoning, the caller did not.
    """

    drop_params: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    tools: list[dict[str, Any]] = field(default_factory=list)
    include: list[str] = field(default_factory=list)
    text: dict[str, Any] = field(default_factory=dict)
    reasoning: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    max_tokens: dict[str, int] = field(default_factory=dict)
    legacy_functions: bool = False
    include_usage: bool = False
    adds_reasoning: bool = False

    def drop(self, name: str, what: str, alternative: str) -> None:
        """Leave a parameter out if the caller allows that.

        Raises:
            ConfigurationError: the caller does not.
        """
        if not self.drop_params:
            raise refuse(what, alternative)
        self.warnings.append(f"{what} {name} was dropped. {alternative}")


def take_parameter(draft: RequestDraft, name: str, value: Any) -> None:
    """Work one parameter into the draft; a value of None counts as not given.

    Raises:
        ConfigurationError: the Responses API has no such parameter; the message names what to do.
    """
    if value is None:
        return
    if name in _CHANGED:
        _CHANGED[name](draft, value)
    elif name in _REFUSED:
        neutral, alternative = _REFUSED[name]
        if value not in neutral:
            draft.drop(name, f"{name!r} has no counterpart in the Responses API.", alternative)
    elif name in _BOUNDED:
        _take_bounded(draft, name, value)
    elif name in _SENT:
        draft.parameters[name] = value
    else:
        _refuse_unknown(draft, name)


def _refuse_unknown(draft: RequestDraft, name: str) -> None:
    shown = name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…"
    what = f"{shown!r} is a parameter of neither chat completions nor the Responses API."
    draft.drop(shown, what, place_of(name) or "extra_body={…} sends it all the same.")


def _take_max_tokens(name: str) -> Callable[[RequestDraft, Any], None]:
    def take(draft: RequestDraft, value: Any) -> None:
        draft.max_tokens[name] = value
        if any(other != value for other in draft.max_tokens.values()):
            raise refuse(
                f"{' and '.join(draft.max_tokens)} differ.",
                "Give only max_completion_tokens; the others are names of the same limit.",
            )
        # The service refuses what is not a number of tokens, with its own words.
        if type(value) is int and 0 < value < FEWEST_OUTPUT_TOKENS:
            draft.warnings.append(
                f"{name} was raised from {value} to {FEWEST_OUTPUT_TOKENS}, the fewest that the "
                "Responses API takes."
            )
            value = FEWEST_OUTPUT_TOKENS
        draft.parameters["max_output_tokens"] = value

    return take


def _take_bounded(draft: RequestDraft, name: str, value: Any) -> None:
    """A text that the Responses API bounds and chat completions does not: a long one is hashed.

    It only has to be the same for the same user or the same beginning of a prompt.
    """
    sent = shorten(value, "") if isinstance(value, str) else value
    if sent != value:
        draft.warnings.append(
            f"{name} was sent as a hash of {len(sent)} characters: it is longer than {LONGEST_ID}."
        )
    draft.parameters[name] = sent


def _take_effort(draft: RequestDraft, value: Any) -> None:
    if isinstance(value, str):
        draft.reasoning["effort"] = value
    else:
        draft.reasoning |= _given(as_mapping(value, "reasoning_effort"))


def _take_reasoning(draft: RequestDraft, value: Any) -> None:
    # reasoning_effort, the parameter of chat completions, wins over the same field in here.
    draft.reasoning = _given(as_mapping(value, "reasoning")) | draft.reasoning


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _take_verbosity(draft: RequestDraft, value: Any) -> None:
    draft.text["verbosity"] = value


def _take_text(draft: RequestDraft, value: Any) -> None:
    draft.text = _given(as_mapping(value, "text")) | draft.text


def _take_format(draft: RequestDraft, value: Any) -> None:
    if isinstance(value, type):
        # A pydantic class, as the openai package's `parse` takes it.
        draft.text |= StructuredOutput(value).text_parameter(None)
        return
    fields = as_mapping(value, "response_format")
    kind = fields.get("type")
    if kind == "json_schema":
        schema = as_mapping(fields.get("json_schema", fields), "response_format.json_schema")
        # Chat completions' default is not strict; saying so settles what the other API's is.
        rest = _given({name: schema[name] for name in schema if name != "type"})
        draft.text["format"] = {"type": kind, "strict": False, **rest}
    elif kind in ("text", "json_object"):
        draft.text["format"] = {"type": kind}
    else:
        raise refuse(
            f"response_format is of type {kind!r}.", "Types are text, json_object and json_schema."
        )


def _take_tools(draft: RequestDraft, value: Any) -> None:
    draft.tools = [
        *(read_tool(tool, f"tools[{index}]") for index, tool in enumerate(as_list(value, "tools"))),
        *draft.tools,
    ]


def _take_web(draft: RequestDraft, value: Any) -> None:
    draft.tools.append(read_web(as_mapping(value, "web_search_options")))


def _take_functions(draft: RequestDraft, value: Any) -> None:
    draft.legacy_functions = True
    for index, function in enumerate(as_list(value, "functions")):
        path = f"functions[{index}]"
        draft.tools.append(read_function(as_mapping(function, path), path))
    # A message has room for one function_call.
    draft.parameters.setdefault("parallel_tool_calls", False)


def _take_tool_choice(draft: RequestDraft, value: Any) -> None:
    draft.parameters["tool_choice"] = read_tool_choice(value)


def _take_function_call(draft: RequestDraft, value: Any) -> None:
    draft.parameters["tool_choice"] = read_function_choice(value)


def _take_logprobs(draft: RequestDraft, value: Any) -> None:
    if value:
        draft.include.append(_LOGPROBS)


def _take_top_logprobs(draft: RequestDraft, value: Any) -> None:
    # The Responses API returns log probabilities only if they are included by name.
    draft.parameters["top_logprobs"] = value
    draft.include.append(_LOGPROBS)


def _take_include(draft: RequestDraft, value: Any) -> None:
    draft.include = [*as_texts(value, "include"), *draft.include]


def _take_stream_options(draft: RequestDraft, value: Any) -> None:
    fields = dict(as_mapping(value, "stream_options"))
    draft.include_usage = bool(fields.pop("include_usage", False))
    if fields:
        draft.parameters["stream_options"] = fields


_NO_SAMPLING = "Steer the answer with instructions, or with temperature and top_p."

# name → (values that ask for nothing, what to do instead)
_REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "n": ((1,), "Make one call for each answer."),
    "seed": ((), "No parameter makes answers repeatable; temperature=0 comes closest."),
    "stop": (("", []), "Cut the text after it arrives, or ask for an ending in the instructions."),
    "logit_bias": (({},), _NO_SAMPLING),
    "frequency_penalty": ((0,), _NO_SAMPLING),
    "presence_penalty": ((0,), _NO_SAMPLING),
    "prediction": ((), "Leave it out: it only saves time."),
    "audio": ((), "Ask for text and speak it with a text-to-speech deployment."),
    "modalities": ((["text"], ("text",)), "Only ['text'] is offered."),
    "data_sources": (
        ([],),
        "Put the documents into a vector store and offer the file_search tool: "
        "tools=[{'type': 'file_search', 'vector_store_ids': […]}].",
    ),
}

_BOUNDED = frozenset({"user", "safety_identifier", "prompt_cache_key"})

_CHANGED: dict[str, Callable[[RequestDraft, Any], None]] = {
    "max_tokens": _take_max_tokens("max_tokens"),
    "max_output_tokens": _take_max_tokens("max_output_tokens"),
    "max_completion_tokens": _take_max_tokens("max_completion_tokens"),
    "reasoning_effort": _take_effort,
    "reasoning": _take_reasoning,
    "verbosity": _take_verbosity,
    "text": _take_text,
    "response_format": _take_format,
    "tools": _take_tools,
    "web_search_options": _take_web,
    "functions": _take_functions,
    "tool_choice": _take_tool_choice,
    "function_call": _take_function_call,
    "logprobs": _take_logprobs,
    "top_logprobs": _take_top_logprobs,
    "include": _take_include,
    "stream_options": _take_stream_options,
}

# The same name in both APIs, or the Responses API's own.
_SENT = CREATE_PARAMETERS - _CHANGED.keys() - {"input", "stream", "model"}

# What take_parameter takes.
PARAMETERS = _CHANGED.keys() | _REFUSED.keys() | _SENT
