"""Token counts of a response as those of a completion."""

from collections.abc import Mapping
from typing import Any

from azure_responses.types.chat import (
    CompletionTokensDetails,
    CompletionUsage,
    PromptTokensDetails,
)
from azure_responses.types.mending import mend
from azure_responses.types.usage import InputTokensDetails, OutputTokensDetails, Usage

__all__ = ["to_usage"]

_NAMES = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}


def to_usage(usage: Usage | Mapping[str, Any] | None) -> CompletionUsage | None:
    """The counts, with every detail the service gave; None when it gave none."""
    if isinstance(usage, Usage) and not usage.model_extra:
        return _convert(usage)
    given: object = usage.to_dict() if isinstance(usage, Usage) else usage
    if not isinstance(given, Mapping):
        return None
    fields: Mapping[str, Any] = given
    named = {_NAMES.get(name, name): value for name, value in fields.items() if value is not None}
    # Counts that are no numbers must not cost the caller the answer.
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
