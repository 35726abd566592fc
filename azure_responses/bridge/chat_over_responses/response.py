"""A response → a chat completion."""

from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.filters import choice_filters, prompt_filters
from azure_responses.bridge.chat_over_responses.finish import finish_reason
from azure_responses.bridge.chat_over_responses.message_draft import MessageDraft
from azure_responses.bridge.chat_over_responses.request import BridgedRequest
from azure_responses.bridge.chat_over_responses.usage import to_usage
from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.failure import failure_from_response
from azure_responses.protocol.hints import Situation
from azure_responses.types.chat import (
    ChatCompletion,
    ChatCompletionChoice,
    ChatCompletionMessage,
)
from azure_responses.types.model import Model
from azure_responses.types.response import Response
from azure_responses.types.usage import ToolUsage

__all__ = ["envelope", "failure_of_response", "to_chat_completion"]


def to_chat_completion(
    response: Response, request: BridgedRequest, *, created: float = 0
) -> ChatCompletion:
    """The completion that a response is, whatever its status but "failed".

    A response still queued or in progress becomes a completion marked so: its `status` says it,
    its `finish_reason` is None, and `responses.wait(completion.id)` fetches the rest.

    Args:
        response: what the service answered.
        request: what it answered to.
        created: unix seconds, for a response that does not say when it was created, and for the
            request's reasoning cache.

    Raises:
        AzureResponsesError: the response failed; its code decides which error that is.
    """
    if response.status == "failed":
        raise failure_of_response(response, created)
    draft = _draft_message(response, request)
    message = draft.build()
    for call in message.tool_calls or ():
        call.id = request.call_ids.restore(call.id) or call.id
    if request.reasoning_cache is not None:
        request.reasoning_cache.remember(message, created)
    values = {**envelope(response, request, created), "object": "chat.completion"}
    values["choices"] = [_choice(response, draft, message)]
    usage = to_usage(response.usage)
    if usage is not None:
        values["usage"] = usage
    completion = ChatCompletion.assemble(values)
    completion.take_headers(response)
    if isinstance(response.content_filters, list):
        completion.attach_filters(response.content_filters)
    return completion


def _choice(
    response: Response, draft: MessageDraft, message: ChatCompletionMessage
) -> ChatCompletionChoice:
    has_function_call = message.function_call is not None
    values = {
        "index": 0,
        "message": message,
        "finish_reason": finish_reason(response, bool(draft.tool_calls), has_function_call),
        "logprobs": draft.logprobs_object,
    }
    if response.content_filters:
        values |= choice_filters(response.content_filters)
    return ChatCompletionChoice.assemble(values)


def _draft_message(response: Response, request: BridgedRequest) -> MessageDraft:
    """The message a response's output makes."""
    draft = MessageDraft(request.resource_tag, request.legacy_functions)
    for item in response.output:
        draft.add(item)
    return draft


def envelope(response: Response, request: BridgedRequest, created: float) -> dict[str, Any]:
    """What stands around the choices: who answered, when, and how it ended."""
    asked = request.parameters.get("model")
    at = response.created_at
    values: dict[str, Any] = {
        "id": response.id,
        "created": int(at if isinstance(at, int | float) else created),
        "model": next((m for m in (response.model, asked) if isinstance(m, str)), ""),
    }
    for name, kind in _AROUND.items():
        # What a gateway put there in another shape has no place in a completion.
        value = _plain(getattr(response, name)) if kind is dict else getattr(response, name)
        if value and isinstance(value, kind):
            values[name] = value
    if response.status in ("completed", None):
        values.pop("status", None)
    verdicts = prompt_filters(response.content_filters) if response.content_filters else None
    return values if verdicts is None else {**values, "prompt_filter_results": verdicts}


_AROUND: dict[str, type] = {
    "service_tier": str,
    "metadata": dict,
    "moderation": dict,
    "tool_usage": ToolUsage,
    "conversation": dict,
    "status": str,
    "incomplete_details": dict,
}


def _plain(value: Any) -> Any:
    return value.to_dict() if isinstance(value, Model) else value


def failure_of_response(
    response: Response, created: float, headers: Mapping[str, str] | None = None
) -> AzureResponsesError:
    """The error that a failed response stands for."""
    return failure_from_response(
        response,
        _plain(response.error),
        response.headers if headers is None else headers,
        Situation("create", deployment=response.model),
        created,
    )
