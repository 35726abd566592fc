"""A whole reply of a chat deployment that is one text → a response, at once.

Most replies are one text. `reply.ChatReplyReader` reads them as well, and a test compares the two;
but it is made for what arrives in pieces, and building it takes longer than a short reply has time
for.
"""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.responses_over_chat.content_filters import FilterVerdicts
from azure_responses.bridge.responses_over_chat.reply import read_usage

__all__ = ["end_plain", "find_plain"]

_TEXT = ("role", "content")


def find_plain(completion: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The choice of a reply that is one text and nothing else; None for any other."""
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or choice.get("finish_reason") != "stop":
        return None
    message = choice.get("message")
    if not isinstance(message, dict) or choice.get("logprobs"):
        return None
    content = message.get("content")
    if not content or not isinstance(content, str):
        return None
    for name, value in message.items():
        if value and name not in _TEXT:
            return None
    return choice


def end_plain(
    response: dict[str, Any],
    completion: Mapping[str, Any],
    choice: Mapping[str, Any],
    new_id: Callable[[str], str],
) -> dict[str, Any]:
    """The response that was begun, with the text of a choice.

    Args:
        response: as `begin_response` makes it.
        completion: the reply.
        choice: what `find_plain` found in it.
        new_id: makes an id with a given prefix.
    """
    text = choice["message"]["content"]
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": new_id("msg_"), "type": "message", "role": "assistant"}
    response["output"] = [{**item, "status": "completed", "content": [part]}]
    response["status"] = "completed"
    usage, tier = completion.get("usage"), completion.get("service_tier")
    if usage and isinstance(usage, dict):
        response["usage"] = read_usage(usage)
    if tier and isinstance(tier, str):
        response["service_tier"] = tier
    filters = FilterVerdicts()
    filters.add_prompts(completion.get("prompt_filter_results"))
    filters.add_choice(choice)
    response["content_filters"] = filters.build()
    return response
