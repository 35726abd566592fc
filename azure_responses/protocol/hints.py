"""One sentence per failure that says what to change."""

from collections.abc import Mapping

from azure_responses.protocol.known_errors import Situation, find_known
from azure_responses.protocol.problem import Problem

__all__ = ["Situation", "hint_for"]


def hint_for(
    problem: Problem, status: int, headers: Mapping[str, str], situation: Situation
) -> str | None:
    """The sentence for a failure, or None where nothing better than the message is known."""
    if 300 <= status < 400:
        return "The service redirected, which Azure does not do; check the endpoint's host name."
    if situation.response_id and status == 404 and problem.code not in ("404", "unknown_url"):
        return (
            "The response lives on another resource, was deleted, was made with store=False, or is "
            "older than 30 days."
        )
    if status == 200 or "html" in headers.get("content-type", ""):
        return "This was not answered by Azure OpenAI; check the endpoint and any proxy between."
    for known in find_known(status, problem.code, problem.message):
        if known.hint is not None:
            return known.hint if isinstance(known.hint, str) else known.hint(situation)
    return None
