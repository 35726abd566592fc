"""Phrases that make the engine do what a model does only by chance.

Any of them, anywhere in what the user said last or in the instructions. They are listed in
docs/emulator.md, because tests of callers write them.
"""

import re
from types import MappingProxyType

from azure_responses.emulator.engine.transcript import Transcript

__all__ = ["FAILURE_CODES", "TRIGGERS", "find_trigger", "find_triggers"]

# Phrase (of which `NAME` stands for a word) and its effect.
TRIGGERS = MappingProxyType(
    {
        "[[azure:refuse]]": "the model refuses: the message's part is a refusal",
        "emulator: refuse": "the same, in plain words",
        "[[azure:block-prompt]]": "the content filter stops the prompt: HTTP 400 content_filter",
        "[[azure:block-output]]": "the content filter stops the output: incomplete/content_filter",
        "[[azure:fail:CODE]]": "the response fails with that error code, such as server_error",
        "[[azure:incomplete]]": "the output stops at max_output_tokens wherever that lies",
        "[[azure:reason:TEXT]]": "a reasoning model thinks this text, which its summary shows;"
        " written several times, it thinks in several steps",
        "[[azure:say:TEXT]]": "the model says this text before it calls tools",
        "[[azure:say-after:TEXT]]": "the model says this text after its calls",
        "[[azure:route:NAME]]": "a model router chooses this model",
        "[[azure:redact]]": "the last of Claude's thinking blocks is redacted",
        "[[azure:pause]]": "Claude pauses its turn (`pause_turn`) and goes on when it comes back",
        "[[azure:interleave]]": "a chat stream mixes the pieces of parallel calls",
        "[[azure:rounds:N]]": "the tools are called again until N rounds of calls are answered",
        "[[azure:length:N]]": "the answer is N tokens long",
        "[[azure:mcp-fail]]": "the call of a remote MCP tool fails",
    }
)

# The codes of `response.error` in the published description of the API.
FAILURE_CODES = (
    "server_error",
    "rate_limit_exceeded",
    "invalid_prompt",
    "data_residency_mismatch",
    "bio_policy",
    "misalignment_policy_violation",
    "vector_store_timeout",
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "image_content_policy_violation",
    "invalid_image_mode",
    "image_file_too_large",
    "unsupported_image_media_type",
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
)

_TRIGGER = re.compile(r"\[\[azure:([a-z-]+)(?::([^\]]*))?\]\]")
_PLAIN_REFUSAL = re.compile(r"\bemulator: ?refuse\b", re.IGNORECASE)


def find_trigger(transcript: Transcript, name: str) -> str | None:
    """What follows the trigger's name ("" where nothing does); None where it is not written."""
    return next(
        (
            found
            for text in (transcript.prompt, transcript.instructions)
            if (found := _find(text, name)) is not None
        ),
        None,
    )


def find_triggers(transcript: Transcript, name: str) -> list[str]:
    """What follows the trigger's name, as often as it is written."""
    text = f"{transcript.prompt}\n{transcript.instructions}"
    # Prompts may be megabytes long: the search for a word costs far less than the pattern.
    if "azure:" not in text:
        return []
    return [found[2] or "" for found in _TRIGGER.finditer(text) if found[1] == name]


def _find(text: str, name: str) -> str | None:
    # Prompts may be megabytes long: the search for a word costs far less than the pattern.
    if "azure:" in text:
        for found in _TRIGGER.finditer(text):
            if found[1] == name:
                return found[2] or ""
    if name == "refuse" and _PLAIN_REFUSAL.search(text):
        return ""
    return None
