"""What a Messages request asks for, as the parameters of a chat completion."""

from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import shorten
from azure_responses.bridge.message_request import (
    MessagesRequest,
    choose_effort,
    choose_limit,
    write_sampling,
)
from azure_responses.bridge.message_tools import ClientTool, fits_strict, write_function
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.families import FamilyFacts

__all__ = ["describe_tools", "own_stop_sequences", "write_parameters"]

_Object = dict[str, Any]
# OpenAI's reference of chat completions: up to four sequences. Messages has no such limit.
_MOST_STOPS = 4


def write_parameters(
    request: MessagesRequest, context: ConversionContext, unsupported: Unsupported
) -> _Object:
    """The body without messages and tools.

    Raises:
        ConfigurationError: the request asks for what the deployment cannot do.
    """
    facts: FamilyFacts = context.facts
    limit = choose_limit(request, context, unsupported)
    body: _Object = {"model": context.deployment, facts.max_tokens_name: limit}
    if request.stream:
        body["stream"] = True
        # Mistral answers 422 to `stream_options` (litellm #11696).
        if facts.takes_stream_usage:
            body["stream_options"] = {"include_usage": True}
    write_sampling(body, request, context, unsupported)
    _add_stop(body, request, facts, unsupported)
    effort = choose_effort(request, facts, unsupported)
    # A model that thinks in any case may refuse an effort for which the caller did not ask.
    is_known = facts.efforts is not None or not request.guesses_effort
    if effort is not None and is_known:
        body["reasoning_effort"] = effort
    if request.schema is not None:
        body["response_format"] = _write_format(request.schema, facts)
    _add_user(body, request, facts, unsupported)
    if request.service_tier is not None and facts.takes_developer_role:
        # Only OpenAI's models have tiers; the others serve all requests as this one asks.
        body["service_tier"] = request.service_tier
    return body


def own_stop_sequences(request: MessagesRequest, facts: FamilyFacts) -> tuple[str, ...]:
    """The stop sequences that the deployment does not take, so that the reply is cut here."""
    sequences = request.stop_sequences
    is_taken = len(sequences) <= _MOST_STOPS and "stop" not in facts.refused_by_chat
    return () if is_taken else sequences


def _add_stop(
    body: _Object, request: MessagesRequest, facts: FamilyFacts, unsupported: Unsupported
) -> None:
    if not request.stop_sequences:
        return
    if own_stop_sequences(request, facts):
        unsupported.warn(
            "stop_sequences end the text that you get, but not the work of the model: it does not "
            "take them, so what follows is still written and billed."
        )
        return
    body["stop"] = list(request.stop_sequences)
    unsupported.warn(
        "An answer that a stop sequence ended has the stop_reason 'end_turn': chat completions "
        "does not tell the two apart."
    )


def _write_format(schema: Any, facts: FamilyFacts) -> _Object:
    # Claude holds to every schema; OpenAI's strict mode takes only closed ones.
    strict = {"strict": True} if facts.takes_strict and fits_strict(schema) else {}
    described = {"name": "output", "schema": schema, **strict}
    return {"type": "json_schema", "json_schema": described}


def _add_user(
    body: _Object, request: MessagesRequest, facts: FamilyFacts, unsupported: Unsupported
) -> None:
    if request.user_id is None:
        return
    if "user" in facts.refused_by_chat:
        unsupported.warn("metadata.user_id was left out. The model refuses it.")
        return
    user = shorten(request.user_id, "")
    body["user"] = user
    if request.caches and facts.takes_developer_role:
        body["prompt_cache_key"] = user


def describe_tools(request: MessagesRequest, unsupported: Unsupported) -> _Object:
    """The tools, and what may be called, as the parameters of a response that name them."""
    tools = [
        write_function(tool, tool.name, unsupported)
        for tool in request.tools
        if isinstance(tool, ClientTool)
    ]
    if len(tools) < len(request.tools):
        unsupported.leave_out(
            "tools",
            "A deployment that speaks chat completions does not search the web.",
            "Offer a function that searches, or use a deployment that speaks the Responses API.",
        )
    described: _Object = {"tools": tools}
    choice = request.tool_choice
    if isinstance(choice, ClientTool):
        described["tool_choice"] = {"type": "function", "name": choice.name}
    elif isinstance(choice, str) and tools:
        described["tool_choice"] = choice
    if not request.allows_parallel:
        described["parallel_tool_calls"] = False
    return described
