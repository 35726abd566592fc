"""What a call used up, read from any form in which a result comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.pricing.tool_use import (
    ToolUse,
    count_of,
    count_tools,
    field_of,
    text_of,
)
from azure_responses.types.model import Model
from azure_responses.types.result import Result

__all__ = ["RECORD", "Tokens", "Use", "read_use"]

RECORD = "azure_responses.call"
"""The value of `record` in a line of the package's log."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts: `cached`, `cache_write` and `audio` are part of input (audio of both).

    `reasoning` is part of output.
    """

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    audio: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """What a call used up and who served it.

    `tokens` is None where the service has not counted them: it fails, or is not done.
    `is_spilled` says that `deployment` stood in for a full provisioned one, `spilled_from`.
    `recorded_cost` is that of a log record, in US dollars.
    """

    id: str | None = None
    model: str | None = None
    status: str | None = None
    tier: str | None = None
    tokens: Tokens | None = None
    tools: ToolUse = field(default_factory=ToolUse)
    end_user: str | None = None
    created_at: float | None = None
    deployment: str | None = None
    region: str | None = None
    is_spilled: bool = False
    spilled_from: str | None = None
    recorded_cost: Decimal | None = None


def read_use(result: Any) -> Use:
    """Read a response, a chat completion, the event that ends a stream, or any of them as JSON.

    JSON may also be a line of a batch's output, which is priced as batch, or of the package's log.
    What was read already comes back as it is, so that a call is read once for all its purposes.

    Raises:
        ConfigurationError: it is none of these.
    """
    if isinstance(result, Use):
        return result
    if isinstance(result, Result):
        return _read_body(result)
    if not isinstance(result, Model | Mapping):
        raise ConfigurationError(
            f"A {type(result).__name__} has no cost.",
            hint="Pass a response, a chat completion, or the event that ended a stream.",
        )
    inner = field_of(result, "response")
    if isinstance(inner, Model | Mapping):
        if text_of(result, "custom_id"):
            return _read_body(field_of(inner, "body") or {}, tier="batch")
        return _read_body(inner)
    if text_of(result, "record") == RECORD:
        return _read_record(result)
    return _read_body(result)


def _read_body(body: Any, tier: str | None = None) -> Use:
    headers = body.headers if isinstance(body, Result) else {}
    created = field_of(body, "created_at") or field_of(body, "created")
    return Use(
        id=text_of(body, "id"),
        model=text_of(body, "model"),
        status=text_of(body, "status"),
        tier=tier or text_of(body, "service_tier"),
        tokens=_read_tokens(field_of(body, "usage")),
        tools=count_tools(_items(body), field_of(body, "tool_usage"), field_of(body, "tools")),
        end_user=text_of(body, "safety_identifier") or text_of(body, "user"),
        created_at=created if isinstance(created, int | float) else None,
        deployment=headers.get("x-ms-deployment-name"),
        region=headers.get("x-ms-region"),
        is_spilled=_is_spilled(headers),
        spilled_from=headers.get("x-ms-spillover-from-deployment"),
    )


def _is_spilled(headers: Mapping[str, str]) -> bool:
    """True where a standard deployment stood in for a provisioned one.

    The first header is that of Microsoft's page on spillover; recordings have the second too.
    """
    if headers.get("x-ms-spillover-from-deployment"):
        return True
    return headers.get("x-ms-is-spilled-over", "").lower() == "true"


def _items(body: Any) -> list[Any]:
    """The output items of a response, or those that a completion keeps in its message."""
    output = field_of(body, "output")
    if isinstance(output, list):
        return output
    choices = field_of(body, "choices")
    messages = [field_of(choice, "message") for choice in choices or []]
    return [item for message in messages for item in field_of(message, "hosted_items") or []]


def _read_tokens(usage: Any) -> Tokens | None:
    if usage is None:
        return None
    is_chat = field_of(usage, "prompt_tokens") is not None
    given, made = ("prompt", "completion") if is_chat else ("input", "output")
    if not (_is_count(usage, f"{given}_tokens") and _is_count(usage, f"{made}_tokens")):
        # A price for half of the tokens would be a wrong one.
        return None
    read = field_of(usage, f"{given}_tokens_details")
    written = field_of(usage, f"{made}_tokens_details")
    return Tokens(
        input=count_of(usage, f"{given}_tokens"),
        cached=count_of(read, "cached_tokens"),
        cache_write=count_of(read, "cache_write_tokens"),
        output=count_of(usage, f"{made}_tokens"),
        reasoning=count_of(written, "reasoning_tokens"),
        audio=count_of(read, "audio_tokens") + count_of(written, "audio_tokens"),
    )


def _is_count(usage: Any, name: str) -> bool:
    """False where something else stands in the place of a count."""
    extra = getattr(usage, "model_extra", None) or {}
    value = extra.get(name, 0) if isinstance(usage, Model) else field_of(usage, name) or 0
    return isinstance(value, int)


def _read_record(record: Any) -> Use:
    tools = field_of(record, "tools")
    return Use(
        id=text_of(record, "id"),
        model=text_of(record, "model"),
        status=text_of(record, "status"),
        tier=text_of(record, "service_tier"),
        tokens=_read_tokens(field_of(record, "usage")),
        tools=ToolUse(
            web_searches=count_of(tools, "web_search"),
            file_searches=count_of(tools, "file_search"),
            sessions=count_of(tools, "code_interpreter"),
            images=count_of(tools, "image_generation"),
        ),
        end_user=text_of(record, "end_user"),
        deployment=text_of(record, "served_deployment") or text_of(record, "deployment"),
        region=text_of(record, "region"),
        is_spilled=text_of(record, "spillover_from") is not None,
        spilled_from=text_of(record, "spillover_from"),
        recorded_cost=_read_cost(field_of(record, "cost")),
    )


def _read_cost(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
