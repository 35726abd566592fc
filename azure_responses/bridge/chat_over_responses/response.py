"""A response → a chat completion."""

from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.message_draft import MessageDraft
from azure_responses.bridge.chat_over_responses.request import BridgedRequest
from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.error_body import failure_from_response
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.types.chat import (
    ChatCompletion,
    ChatCompletionChoice,
    ChatCompletionMessage,
    CompletionTokensDetails,
    CompletionUsage,
    PromptFilterResult,
    PromptTokensDetails,
)
from azure_responses.types.filters import ContentFilter
from azure_responses.types.mending import mend
from azure_responses.types.model import Model
from azure_responses.types.response import IncompleteDetails, Response
from azure_responses.types.usage import InputTokensDetails, OutputTokensDetails, ToolUsage, Usage

__all__ = [
    "UNFINISHED",
    "choice_filters",
    "envelope",
    "failure_of_response",
    "finish_reason",
    "prompt_filters",
    "to_chat_completion",
    "to_usage",
]


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
    request.learn_from_answer(response)
    draft = _draft_message(response, request)
    message = draft.build()
    # The service knows calls by the short ids it was sent; the caller's may have been longer.
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
        value = getattr(response, name)
        if value and kind is dict and type(value) is not dict:
            value = _plain(value)
        # A gateway may have put another shape there, which has no place in a completion.
        if value and isinstance(value, kind):
            values[name] = value
    # Said only where it is news: other clients of chat completions have no such field.
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
        RequestContext("create", deployment=response.model),
        created,
    )


# A background response that is still at work has no reason yet.
UNFINISHED = frozenset({"queued", "in_progress"})


def finish_reason(response: Response, has_calls: bool, has_function_call: bool) -> str | None:
    """The finish reason, None while the response is unfinished.

    What cut an answer short comes first: calls in it may be cut as well. Chat completions has two
    words for that, "content_filter" and, for every other cause and for a cancelled response,
    "length"; the completion's `status` and `incomplete_details` have the rest.
    """
    # A gateway may put any JSON here; that must not cost the caller the answer.
    status = str(response.status)
    if status in UNFINISHED:
        return None
    # Checked before the calls: one that was cut off must not be carried out.
    if status in ("incomplete", "cancelled"):
        return "content_filter" if _was_filtered(response) else "length"
    # The deprecated form first: such a caller does not look for "tool_calls".
    if has_function_call:
        return "function_call"
    return "tool_calls" if has_calls else "stop"


def _was_filtered(response: Response) -> bool:
    details: object = response.incomplete_details
    reason = details.reason if isinstance(details, IncompleteDetails) else details
    return reason == "content_filter"


def prompt_filters(filters: Any) -> list[PromptFilterResult] | None:
    """`prompt_filter_results`: one entry for each verdict that is not on the completion."""
    verdicts = [verdict for verdict in _verdicts(filters) if verdict.source_type != "completion"]
    if not verdicts:
        return None
    return [
        PromptFilterResult.assemble({"prompt_index": index, **_fields(verdict)})
        for index, verdict in enumerate(verdicts)
    ]


def choice_filters(filters: Any) -> dict[str, Any]:
    """`content_filter_results` and `content_filter_offsets` of the choice, those there are.

    Several verdicts on one completion become one: a later one adds its categories.
    """
    merged: dict[str, Any] = {}
    for verdict in _verdicts(filters):
        if verdict.source_type == "completion":
            for name, value in _fields(verdict).items():
                merged[name] = {**merged.get(name, {}), **value}
    return merged


def _verdicts(filters: Any) -> list[ContentFilter]:
    # Null or an array by the descriptions; anything else is not a verdict.
    entries = filters if isinstance(filters, list) else []
    return [entry for entry in entries if isinstance(entry, ContentFilter)]


def _fields(verdict: ContentFilter) -> dict[str, Any]:
    results, offsets = verdict.content_filter_results, verdict.content_filter_offsets
    fields = {
        "content_filter_results": results.to_dict() if results is not None else None,
        "content_filter_offsets": offsets.to_dict() if offsets is not None else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


_NAMES = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}


def to_usage(usage: Usage | Mapping[str, Any] | None) -> CompletionUsage | None:
    """The counts, with every detail the service gave; None when it gave none."""
    # The usual counts are copied; a dump and its validation are for unusual ones.
    if isinstance(usage, Usage) and not usage.model_extra:
        return _convert(usage)
    given: object = usage.to_dict() if isinstance(usage, Usage) else usage
    if not isinstance(given, Mapping):
        return None
    fields: Mapping[str, Any] = given
    named = {_NAMES.get(name, name): value for name, value in fields.items() if value is not None}
    # Counts that are not numbers must not cost the caller the answer.
    return mend(CompletionUsage, named)


def _convert(usage: Usage) -> CompletionUsage:
    values: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    read, written = usage.input_tokens_details, usage.output_tokens_details
    # Details that were not sent are empty objects; null stays null.
    if isinstance(read, InputTokensDetails) and read.model_fields_set:
        values["prompt_tokens_details"] = _prompt_details(read)
    if isinstance(written, OutputTokensDetails) and written.model_fields_set:
        values["completion_tokens_details"] = _completion_details(written)
    return CompletionUsage.assemble(values)


def _prompt_details(details: InputTokensDetails) -> PromptTokensDetails | None:
    given = details.model_fields_set
    if given == {"cached_tokens"}:
        return PromptTokensDetails.assemble({"cached_tokens": details.cached_tokens})
    return mend(PromptTokensDetails, details.to_dict())


def _completion_details(details: OutputTokensDetails) -> CompletionTokensDetails | None:
    if details.model_fields_set == {"reasoning_tokens"}:
        return CompletionTokensDetails.assemble({"reasoning_tokens": details.reasoning_tokens})
    return mend(CompletionTokensDetails, details.to_dict())
