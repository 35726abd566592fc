"""Azure's content filter verdicts in the shape that its chat completions have."""

from typing import Any

from azure_responses.types.chat import PromptFilterResult
from azure_responses.types.filters import ContentFilter

__all__ = ["choice_filters", "prompt_filters"]


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
    entries = filters if isinstance(filters, list) else []
    return [entry for entry in entries if isinstance(entry, ContentFilter)]


def _fields(verdict: ContentFilter) -> dict[str, Any]:
    results, offsets = verdict.content_filter_results, verdict.content_filter_offsets
    fields = {
        "content_filter_results": results.to_dict() if results is not None else None,
        "content_filter_offsets": offsets.to_dict() if offsets is not None else None,
    }
    return {name: value for name, value in fields.items() if value is not None}
