"""A chat completion for a deployment that speaks chat completions: what its model does not take.

The request passes as it is, but for what the table of families knows that the model refuses. It is
refused here by name, or left out with a warning; a value that is the service's default is left out
without one, because it changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from azure_responses.bridge.function_schemas import inline_references
from azure_responses.bridge.refused_parameters import take_refused
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.families import FamilyFacts
from azure_responses.protocol.request_body import OF_RESPONSES
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.protocol.tool_shapes import nested_tool

__all__ = ["with_reasoning", "chat_parameters", "fit_chat", "leave_out_refused"]

# What only our bridges add to the messages that they answer with, and understand: an earlier turn
# may have been served by a deployment that speaks another API.
_BRIDGE_FIELDS = frozenset(
    {"commentary", "hosted_items", "output_order", "reasoning_items", "thinking_blocks"}
)


def fit_chat(
    chat: Mapping[str, Any], facts: FamilyFacts, *, drops_params: bool
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The request as the model takes it, and what was left out.

    The same object comes back where nothing had to be changed.

    Args:
        chat: the request, as JSON.
        facts: what the model accepts.
        drops_params: what it does not accept is left out with a warning.

    Raises:
        ConfigurationError: a parameter that the model refuses.
    """
    unsupported = Unsupported(drops_params=drops_params)
    changed = dict(chat)
    leave_out_refused(changed, "chat", facts, unsupported)
    _fit_stream_options(changed, facts)
    _fit_limit(changed, facts)
    _fit_effort(changed, facts, unsupported)
    for name, fit in (("messages", _message), ("tools", _tool)):
        given = changed.get(name)
        if isinstance(given, list):
            fitted = [fit(one, facts, f"{name}[{place}]") for place, one in enumerate(given)]
            if any(new is not old for new, old in zip(fitted, given, strict=True)):
                changed[name] = fitted
    is_same = changed.keys() == chat.keys() and all(changed[name] is chat[name] for name in chat)
    return (chat if is_same else changed), tuple(unsupported.warnings)


def leave_out_refused(
    body: dict[str, Any], api: APIName, facts: FamilyFacts, unsupported: Unsupported
) -> None:
    """Take out of a native request what the model is known to refuse in this API.

    Raises:
        ConfigurationError: it asks for something.
    """
    for path in take_refused(body, api, facts):
        unsupported.leave_out(
            path,
            f"Models of the family {facts.family} refuse it in {_NAMES[api]}.",
            f"{_ALTERNATIVES.get((api, path), 'Leave it out')}, or pass drop_params=True; "
            f"facts={{…: {{'refused_by_{api}': …}}}} corrects the table.",
        )


_NAMES: Mapping[APIName, str] = {
    "responses": "the Responses API",
    "chat": "chat completions",
    "messages": "Messages",
}
# What serves such a request, where another API of the deployment does.
_ALTERNATIVES: Mapping[tuple[APIName, str], str] = {
    ("responses", "reasoning.effort"): "Call the deployment over chat completions (api='chat')",
}


def _fit_stream_options(chat: dict[str, Any], facts: FamilyFacts) -> None:
    options = chat.get("stream_options")
    if facts.takes_stream_usage or not isinstance(options, Mapping):
        return
    # No warning: such a model reports the usage of a stream without being asked.
    rest = {name: value for name, value in options.items() if name != "include_usage"}
    if rest:
        chat["stream_options"] = rest
    else:
        del chat["stream_options"]


def _fit_limit(chat: dict[str, Any], facts: FamilyFacts) -> None:
    if facts.max_tokens_name == "max_tokens" and "max_completion_tokens" in chat:
        limit = chat.pop("max_completion_tokens")
        if chat.get("max_tokens") is None:
            chat["max_tokens"] = limit


def _fit_effort(chat: dict[str, Any], facts: FamilyFacts, unsupported: Unsupported) -> None:
    asked = chat.get("reasoning_effort")
    if isinstance(asked, Mapping):
        # LiteLLM's form, of which chat completions have a place for the effort alone.
        if asked.get("summary"):
            unsupported.warn("reasoning_effort.summary was left out. Chat completions have none.")
        asked = chat["reasoning_effort"] = asked.get("effort")
    if not isinstance(asked, str):
        return
    effort = facts.effort_for(asked)
    if effort is None:
        unsupported.warn(f"reasoning_effort was left out. The family {facts.family} takes none.")
        del chat["reasoning_effort"]
    elif effort != asked:
        known = ", ".join(facts.efforts or ())
        unsupported.warn(
            f"reasoning_effort {asked!r} was sent as {effort!r}. The family {facts.family} knows "
            f"{known}."
        )
        chat["reasoning_effort"] = effort


def _message(message: Any, facts: FamilyFacts, path: str) -> Any:
    if not isinstance(message, Mapping):
        return message
    fitted = message
    # Of a family that is not known, it is not known either whether it wants its reasoning back.
    is_refused = bool(facts.family) and not facts.takes_reasoning_content
    dropped = _BRIDGE_FIELDS | {"reasoning_content"} if is_refused else _BRIDGE_FIELDS
    if not dropped.isdisjoint(message):
        fitted = {name: value for name, value in message.items() if name not in dropped}
    if fitted.get("role") == "developer" and not facts.takes_developer_role:
        fitted = {**fitted, "role": "system"}
    return with_reasoning(fitted, facts)


def with_reasoning(message: Mapping[str, Any], facts: FamilyFacts) -> Mapping[str, Any]:
    """The message, with a stand-in where its model insists on reasoning that is lost.

    Kimi refuses a call without the reasoning before it, also one that another model made, or whose
    reasoning the caller's program lost. An empty text is refused as well by some of its versions
    (gemini-cli-pro #36); a full stop is taken (opencode #10996).
    """
    is_missing = bool(message.get("tool_calls")) and not message.get("reasoning_content")
    if facts.needs_reasoning_content and is_missing:
        return {**message, "reasoning_content": "."}
    return message


def _tool(tool: Any, facts: FamilyFacts, path: str) -> Any:
    # Cursor sends tools of the Responses API among those of chat completions.
    tool = nested_tool(tool)
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping):
        return tool
    fitted = function
    if not facts.takes_strict and "strict" in fitted:
        fitted = {name: value for name, value in fitted.items() if name != "strict"}
    schema = fitted.get("parameters")
    if facts.inlines_refs and isinstance(schema, Mapping) and "$defs" in schema:
        inlined = inline_references(schema, f"{path}.function.parameters")
        fitted = {**fitted, "parameters": inlined}
    return tool if fitted is function else {**tool, "function": fitted}


_LISTS = ("messages", "tools", "functions")


def chat_parameters(
    given: Mapping[str, Any], *, drops_params: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The arguments of a typed chat completion as a request, and what was left out.

    Parameters that only the Responses API has are refused by name; where the bridge serves the
    call, they are sent.

    Raises:
        ConfigurationError: such a parameter.
    """
    unsupported = Unsupported(drops_params=drops_params)
    chat: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name not in OF_RESPONSES:
            chat[name] = _as_sent(name, value)
        elif value is not False:
            unsupported.leave_out(
                name,
                "It is a parameter of the Responses API, and this deployment speaks another one.",
                "Leave it out, pass drop_params=True, or call client.responses.create.",
            )
    return chat, tuple(unsupported.warnings)


def _as_sent(name: str, value: Any) -> Any:
    if name == "response_format" and isinstance(value, type):
        # A pydantic class, as the openai package's `parse` takes it.
        made = StructuredOutput(value).text_parameter(None)["format"]
        schema = {field: made[field] for field in ("name", "schema", "strict")}
        return {"type": "json_schema", "json_schema": schema}
    # A generator would be empty at the second attempt.
    is_many = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    return list(value) if name in _LISTS and is_many else value
