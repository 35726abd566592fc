"""A chat completion's arguments → a response's.

Each sender (client, router, gateway) does the same three things, without I/O here:

    request = to_responses_request(chat, knowledge=knowledge, …)
    # Send request.parameters and request.options. On an error: raise it, or if
    # request.learn_from_error(error) is true, begin once more with to_responses_request.
    completion = to_chat_completion(response, request)      # of a whole response
    stream = ChatStream(request)                            # of events: feed each, then finish
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import (
    CallIds,
    ConversionState,
    as_mapping,
    refuse,
)
from azure_responses.bridge.chat_over_responses.messages import read_items, read_messages
from azure_responses.bridge.chat_over_responses.parameters import (
    PARAMETERS,
    RequestDraft,
    take_parameter,
)
from azure_responses.bridge.chat_over_responses.reasoning import (
    ReasoningCache,
    ReasoningKnowledge,
    drop_sampling,
    is_reasoning_model_name,
)
from azure_responses.bridge.chat_over_responses.tool_calls import declared_forms
from azure_responses.errors import AzureResponsesError, ConfigurationError
from azure_responses.protocol.reasoning_filter import ENCRYPTED_REASONING
from azure_responses.types.response import Response

__all__ = ["BridgedRequest", "to_responses_request"]

_OPTIONS = frozenset({"extra_headers", "extra_query", "timeout"})
_OF_ASKING = ("model", "messages", "input", "stream")
_TOP_LEVEL = frozenset({*_OF_ASKING, "extra_body", "drop_params"}) | _OPTIONS
# Azure's chat completions takes it in the body; no description of the Responses API names it.
_BODY_ONLY = frozenset({"user_security_context"})
# Each of these needs a stored response, earlier or later, so `store` must not become False.
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
        knowledge: learns from the reply whether the deployment reasons, or None.
        adds_reasoning: the bridge, not the caller, asks for encrypted reasoning.
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
    knowledge: ReasoningKnowledge | None = field(default=None, compare=False)
    adds_reasoning: bool = False

    @property
    def deployment(self) -> str | None:
        """What the request is sent to."""
        return self.parameters.get("model")

    def learn_from_error(self, error: AzureResponsesError) -> bool:
        """Take the error that sending the request ended with.

        The error names calls by the caller's ids from here on. The result is True when the
        deployment refused encrypted reasoning for which only the bridge asked: the chat is then to
        be bridged and sent once more. It will not ask again, since `knowledge` has learned.
        """
        self.call_ids.restore_error(error)
        if self.knowledge is None or not self.adds_reasoning:
            return False
        return self.knowledge.learn_from_refusal(self.deployment, error)

    def learn_from_answer(self, response: Response) -> None:
        """Note whether the deployment reasons; reading the answer does this."""
        if self.knowledge is not None:
            self.knowledge.learn_from_answer(self.deployment, response)


def to_responses_request(
    chat: Mapping[str, Any],
    *,
    drop_params: bool = False,
    default_store: bool | None = False,
    is_reasoning_model: bool | None = None,
    resource_tag: str | None = None,
    reasoning_cache: ReasoningCache | None = None,
    knowledge: ReasoningKnowledge | None = None,
    now: float = 0.0,
) -> BridgedRequest:
    """The Responses request that does what a chat completion's arguments ask for.

    Args:
        chat: the arguments of `chat.completions.create`: `messages` (or `input`), `model`, every
            parameter of chat completions or of the Responses API, `extra_body` and the like.
        drop_params: leave out, with a warning, parameters that would be refused;
            `chat["drop_params"]` says the same.
        default_store: `store` where the caller says nothing and needs no stored response.
        is_reasoning_model: whether encrypted reasoning is asked for; None decides by `knowledge`,
            the deployment's name, reasoning parameters and reasoning in the messages.
        resource_tag: names the resource that encrypts the reasoning (its host will do; no secret).
        reasoning_cache: restores the reasoning of messages whose client dropped it.
        knowledge: which deployments reason, as learned so far; the reply is learned from.
        now: unix seconds, for the cache.

    Raises:
        ConfigurationError: something the Responses API cannot do; nothing was sent. It names the
            parameter or the place in the messages, and its `hint` the alternative.
    """
    arguments, options = _split(chat)
    state = ConversionState(resource_tag, reasoning_cache, knowledge, now)
    draft = _read_parameters(arguments, drop_params or bool(chat.get("drop_params")))
    parameters = _assemble(draft, arguments.get("model"), default_store)
    _read_input(arguments, parameters, state)
    _settle_reasoning(is_reasoning_model, parameters, state, draft)
    return _build(draft, parameters, options, state, bool(arguments.get("stream")))


def _build(
    draft: RequestDraft,
    parameters: dict[str, Any],
    options: dict[str, Any],
    state: ConversionState,
    stream: bool,
) -> BridgedRequest:
    return BridgedRequest(
        parameters,
        options,
        stream=stream,
        include_usage=draft.include_usage,
        legacy_functions=draft.legacy_functions,
        warnings=(*draft.warnings, *state.warnings),
        resource_tag=state.resource_tag,
        reasoning_cache=state.cache,
        call_ids=state.call_ids,
        knowledge=state.knowledge,
        adds_reasoning=draft.adds_reasoning,
    )


def _split(chat: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments that say what to ask, and the options of the call that asks it."""
    arguments, extra_body = _merge_extra_body(chat)
    options = {name: chat[name] for name in _OPTIONS if chat.get(name) is not None}
    return arguments, {**options, "extra_body": extra_body} if extra_body else options


def _read_parameters(arguments: Mapping[str, Any], drop_params: bool) -> RequestDraft:
    draft = RequestDraft(drop_params=drop_params)
    name = ""
    try:
        for name, value in arguments.items():
            if name not in _TOP_LEVEL:
                take_parameter(draft, name, value)
    except _WRONG_KINDS as error:
        raise _refuse_kind(name, error) from error
    return draft


# Messages and tools come from anywhere, and any field of them may hold anything: what reading
# them fails with then is the caller's error, not ours.
_WRONG_KINDS = (TypeError, AttributeError, LookupError, ValueError)


def _refuse_kind(name: str, error: Exception) -> ConfigurationError:
    return refuse(
        f"{name} has a field of the wrong kind: {error}.",
        "Compare it with the reference of chat completions.",
    )


def _read_input(
    arguments: Mapping[str, Any], parameters: dict[str, Any], state: ConversionState
) -> None:
    """The input of the response: the messages, or what the caller gives as `input` itself.

    Some clients send a Responses body to the chat route and read chunks back (litellm#34029).
    """
    messages, given = arguments.get("messages"), arguments.get("input")
    state.is_stored = parameters.get("store") is not False
    if given is not None and messages:
        raise refuse("input and messages were both given.", "Give only one of them.")
    try:
        if "tools" in parameters:
            state.stand_ins = declared_forms(parameters["tools"])
        if given is None:
            parameters["input"] = read_messages(messages, state)
        else:
            parameters["input"] = given if isinstance(given, str) else read_items(given, state)
    except _WRONG_KINDS as error:
        raise _refuse_kind("messages", error) from error


def _settle_reasoning(
    said: bool | None, parameters: dict[str, Any], state: ConversionState, draft: RequestDraft
) -> None:
    """Ask a model that reasons for its encrypted reasoning, and leave out what it would refuse."""
    if not _reasons(said, parameters, state):
        return
    include = parameters.get("include", [])
    draft.adds_reasoning = ENCRYPTED_REASONING not in include
    if draft.adds_reasoning:
        parameters["include"] = [*include, ENCRYPTED_REASONING]
    if (parameters.get("reasoning") or {}).get("effort") == "none":
        return
    for name in ("temperature", "top_p"):
        # Clients send the default, 1, without being asked; a model that reasons refuses even that.
        if parameters.get(name) == 1:
            del parameters[name]
    if draft.drop_params:
        draft.warnings += drop_sampling(parameters)


def _merge_extra_body(chat: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments with the parameters of `extra_body` laid over, and the rest of it.

    Clients whose types lag behind put parameters there; the rest is sent as it is.
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


def _assemble(draft: RequestDraft, model: Any, default_store: bool | None) -> dict[str, Any]:
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


def _reasons(said: bool | None, parameters: dict[str, Any], state: ConversionState) -> bool:
    if said is None and state.knowledge is not None:
        said = state.knowledge.of(parameters.get("model"))
    if said is not None:
        return said
    if parameters.get("reasoning") or state.has_encrypted_reasoning:
        return True
    return is_reasoning_model_name(str(parameters.get("model") or ""))
