"""Why a completion ended, in chat completions' words."""

from azure_responses.types.response import IncompleteDetails, Response

__all__ = ["UNFINISHED", "finish_reason"]

# A background response that is still at work has no reason yet.
UNFINISHED = frozenset({"queued", "in_progress"})


def finish_reason(response: Response, has_calls: bool, has_function_call: bool) -> str | None:
    """The finish reason, None while the response is unfinished.

    What cut an answer short comes first: calls in it may be cut as well. Chat completions has two
    words for that, "content_filter" and, for every other cause and for a cancelled response,
    "length"; the completion's `status` and `incomplete_details` have the rest.
    """
    # Whatever a gateway put there, it must not cost the caller the answer.
    status = str(response.status)
    if status in UNFINISHED:
        return None
    if status in ("incomplete", "cancelled"):
        return "content_filter" if _was_filtered(response) else "length"
    if has_function_call:
        return "function_call"
    return "tool_calls" if has_calls else "stop"


def _was_filtered(response: Response) -> bool:
    details: object = response.incomplete_details
    reason = details.reason if isinstance(details, IncompleteDetails) else details
    return reason == "content_filter"
