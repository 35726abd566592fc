"""A chat completion's arguments → a response's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from azure_responses.bridge.chat_over_responses.call_ids import CallIds
from azure_responses.bridge.chat_over_responses.calls import STAND_INS
from azure_responses.bridge.chat_over_responses.dropping import drop_sampling
from azure_responses.bridge.chat_over_responses.history import History
from azure_responses.bridge.chat_over_responses.messages import read_items, read_messages
from azure_responses.bridge.chat_over_responses.parameters import (
    PARAMETERS,
    Draft,
    take_parameter,
)
from azure_responses.bridge.chat_over_responses.reasoning_cache import ReasoningCache
from azure_responses.bridge.chat_over_responses.reasoning_models import is_reasoning_model_name
from azure_responses.bridge.chat_over_responses.refusal import as_mapping, refuse

__all__ = ["BridgedRequest", "to_responses_request"]

_ENCRYPTED = "reasoning.encrypted_content"
_OPTIONS = frozenset({"extra_headers", "extra_query", "timeout"})
_OF_ASKING = ("model", "messages", "input", "stream")
_TOP_LEVEL = frozenset({*_OF_ASKING, "extra_body", "drop_params"}) | _OPTIONS
# Azure's chat completions takes it in the body; no description of the Responses API names it.
_BODY_ONLY = frozenset({"user_security_context"})
# Any of these names a response that has to have been stored, or will have to be.
_NEEDS_STORE = ("background", "previous_response_id", "conversation")


@dataclass(frozen=True)
class BridgedRequest:
    """What to send for a chat completion, and what is needed to read the reply.

    `responses.create(**request.parameters, **request.options, stream=request.stream)` sends it.

    Attributes:
        parameters: of `responses.create`, without `stream`.
        options: `extra_headers`, `extra_query`, `extra_body` and `timeout`, those given.
        stream: the caller wants chunks.
        include_usage: a stream ends with a chunk of usage.
        legacy_functions: the caller used `functions`, so calls come back as `function_call`.
        warnings: one sentence for each thing left out or changed.
        resource_tag: stamped on the reasoning that comes back.
        reasoning_cache: where the reasoning that comes back is kept, or None.
        call_ids: ids of calls that were too long to be sent, and what was sent for them.
    """

    parameters: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    stream: bool = False
    include_usage: bool = False
    legacy_functions: bool = False
    warnings: tuple[str, ...] = ()
    resource_tag: str | None = None
    reasoning_cache: ReasoningCache | None = None
    call_ids: CallIds = field(default_factory=CallIds, compare=False)


def to_responses_request(
    chat: Mapping[str, Any],
    *,
    drop_params: bool = False,
    default_store: bool | None = False,
    is_reasoning_model: bool | None = None,
    resource_tag: str | None = None,
    reasoning_cache: ReasoningCache | None = None,
    now: float = 0.0,
) -> BridgedRequest:
    """The Responses request that does what a chat completion's arguments ask for.

    Args:
        chat: the arguments of `chat.completions.create`: `messages` (or `input`), `model`, every
            parameter of chat completions or of the Responses API, `extra_body` and the like.
        drop_params: leave out, with a warning, parameters that would be refused;
            `chat["drop_params"]` says the same.
        default_store: `store` where the caller says nothing. It is not applied to a background
            response or to one that continues a stored one.
        is_reasoning_model: whether encrypted reasoning is asked for; None decides by the
            deployment's name, by reasoning parameters and by reasoning in the messages.
        resource_tag: names the resource the request goes to, the same string for all deployments
            that share its encryption (its host will do; no secret).
        reasoning_cache: restores the reasoning of messages whose client dropped it.
        now: unix seconds, for the cache.

    Raises:
        ConfigurationError: something the Responses API cannot do; nothing was sent. It names the
            parameter or the place in the messages, and its `hint` the alternative.
    """
    arguments, options = _split(chat)
    history = History(resource_tag=resource_tag, cache=reasoning_cache, now=now)
    draft = _read_parameters(arguments, drop_params or bool(chat.get("drop_params")))
    parameters = _assemble(draft, arguments.get("model"), default_store)
    with _wrong_kinds_refused("messages"):
        _read_input(arguments, parameters, history)
    _settle_reasoning(is_reasoning_model, parameters, history, draft)
    return _request(draft, parameters, options, history, bool(arguments.get("stream")))


def _split(chat: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments that say what to ask, and the options of the call that asks it."""
    arguments, extra_body = _merge_extra_body(chat)
    options = {name: chat[name] for name in _OPTIONS if chat.get(name) is not None}
    return arguments, {**options, "extra_body": extra_body} if extra_body else options


def _read_parameters(arguments: Mapping[str, Any], drop_params: bool) -> Draft:
    draft = Draft(drop_params=drop_params)
    for name, value in arguments.items():
        if name not in _TOP_LEVEL:
            with _wrong_kinds_refused(name):
                take_parameter(draft, name, value)
    return draft


@contextmanager
def _wrong_kinds_refused(name: str) -> Iterator[None]:
    """Messages and tools come from anywhere, and any field of them may hold anything."""
    try:
        yield
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        raise refuse(
            f"{name} has a field of the wrong kind: {error}.",
            "Compare it with the reference of chat completions.",
        ) from error


def _read_input(arguments: Mapping[str, Any], parameters: dict[str, Any], history: History) -> None:
    """The input of the response: the messages, or what the caller gives as `input` itself.

    Some clients send a Responses body to the chat route and read chunks back (litellm#34029).
    """
    messages, given = arguments.get("messages"), arguments.get("input")
    history.is_stored = parameters.get("store") is not False
    history.stand_ins = _declared_stand_ins(parameters.get("tools", []))
    if given is None:
        parameters["input"] = read_messages(messages, history)
    elif messages:
        raise refuse("input and messages were both given.", "Give only one of them.")
    elif isinstance(given, str):
        parameters["input"] = given
    else:
        parameters["input"] = read_items(given, history)


def _settle_reasoning(
    said: bool | None, parameters: dict[str, Any], history: History, draft: Draft
) -> None:
    reasons = _reasons(said, parameters, history)
    _ask_for_reasoning(parameters, reasons)
    if not reasons or (parameters.get("reasoning") or {}).get("effort") == "none":
        return
    for name in ("temperature", "top_p"):
        # Clients send the default, 1, without being asked; a model that reasons refuses even that.
        if parameters.get(name) == 1:
            del parameters[name]
    if draft.drop_params:
        draft.warnings += drop_sampling(parameters)


def _request(
    draft: Draft,
    parameters: dict[str, Any],
    options: dict[str, Any],
    history: History,
    stream: bool,
) -> BridgedRequest:
    return BridgedRequest(
        parameters,
        options,
        stream=stream,
        include_usage=draft.include_usage,
        legacy_functions=draft.legacy_functions,
        warnings=(*draft.warnings, *history.warnings),
        resource_tag=history.resource_tag,
        reasoning_cache=history.cache,
        call_ids=history.call_ids,
    )


def _merge_extra_body(chat: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments with the parameters of `extra_body` laid over, and the rest of it.

    Clients whose types lag behind put parameters there; what is none is sent as it is.
    """
    arguments = {name: value for name, value in chat.items() if name not in _BODY_ONLY}
    given = chat.get("extra_body")
    body = dict(as_mapping(given, "extra_body")) if given is not None else {}
    body |= {name: chat[name] for name in _BODY_ONLY if chat.get(name) is not None}
    rest = {}
    for name, value in body.items():
        if name in PARAMETERS or name in _OF_ASKING:
            arguments[name] = value
        else:
            rest[name] = value
    return arguments, rest


def _assemble(draft: Draft, model: Any, default_store: bool | None) -> dict[str, Any]:
    parameters: dict[str, Any] = {"model": model} if model is not None else {}
    parameters |= draft.parameters
    if draft.tools:
        parameters["tools"] = draft.tools
    if draft.text:
        parameters["text"] = draft.text
    if draft.reasoning:
        parameters["reasoning"] = draft.reasoning
    if draft.include:
        parameters["include"] = list(dict.fromkeys(draft.include))
    if draft.legacy_functions and "tools" not in parameters:
        raise refuse("functions is empty.", "Leave it out, or offer a function.")
    _set_store(parameters, default_store)
    return parameters


def _set_store(parameters: dict[str, Any], default: bool | None) -> None:
    if "store" in parameters or default is None:
        return
    if not any(parameters.get(name) for name in _NEEDS_STORE):
        parameters["store"] = default


def _declared_stand_ins(tools: list[dict[str, Any]]) -> frozenset[str]:
    """The names under which calls of declared hosted tools appear in messages."""
    functions = {tool.get("name") for tool in tools if tool.get("type") == "function"}
    types = {str(tool.get("type")) for tool in tools}
    if types & {"computer_use_preview", "computer-use-preview-2025-03-11"}:
        types.add("computer")
    if "mcp" in types:
        types.add("mcp_approval_request")
    names = {stand_in.name for stand_in in STAND_INS.values()}
    return frozenset(names & types - functions)


def _reasons(said: bool | None, parameters: dict[str, Any], history: History) -> bool:
    if said is not None:
        return said
    if parameters.get("reasoning") or history.has_encrypted_reasoning:
        return True
    return is_reasoning_model_name(str(parameters.get("model") or ""))


def _ask_for_reasoning(parameters: dict[str, Any], reasons: bool) -> None:
    include = parameters.get("include", [])
    if reasons and _ENCRYPTED not in include:
        parameters["include"] = [*include, _ENCRYPTED]
