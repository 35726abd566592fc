"""What a call used up, read from any form in which a result comes, and written to the log.

A gateway reads the use of every call, so the common case is kept short: plain JSON is read without
the detour that models need, and an answer without hosted tools shares one empty `ToolUse`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, NamedTuple

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.reply_terms import messages_usage
from azure_responses.types.model import Model
from azure_responses.types.result import Result
from azure_responses.types.tools import CHARGES
from azure_responses.types.tools.facts import Charge

__all__ = [
    "RECORD",
    "AudioUse",
    "ImageTokens",
    "Tokens",
    "ToolUse",
    "Use",
    "count",
    "read_image_tokens",
    "read_use",
    "to_record",
]

RECORD = "azure_responses.call"
"""The value of `record` in a line of the package's log."""

_Get = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class ImageTokens:
    """Tokens of the image generation tool, or of the API of images."""

    text_input: int = 0
    image_input: int = 0
    cached_text_input: int = 0
    cached_image_input: int = 0
    text_output: int = 0
    image_output: int = 0


@dataclass(frozen=True, slots=True)
class ToolUse:
    """How often each hosted tool was used.

    Attributes:
        uses: of tools that are billed by the use, by the name of their price.
        containers: ids of the containers in which code or commands ran, each once.
        sessions: 1 if code ran in a container whose id is not known, and in no other.
        images: calls of the image tool; their price is that of `image_tokens`.
        search_size: the `search_context_size` of the web searches, where the response names one.
    """

    uses: Mapping[str, int] = field(default_factory=dict)
    containers: frozenset[str] = field(default_factory=frozenset)
    sessions: int = 0
    images: int = 0
    image_tokens: ImageTokens | None = None
    image_model: str | None = None
    search_size: str | None = None

    def counts(self) -> dict[str, int]:
        """Uses by tool, as a log record has them; tools that were not used are left out."""
        counts = {
            **self.uses,
            _SESSION: self.sessions + len(self.containers),
            _IMAGES: self.images,
        }
        return {name: count for name, count in counts.items() if count}


_SESSION, _IMAGES = "code_interpreter", "image_generation"
# Of a container that names no limit.
_USUAL_MEMORY = "1g"
NO_TOOLS = ToolUse()
_BY_USE = [charge for charge in CHARGES.values() if charge.unit == "use"]


class Tokens(NamedTuple):
    """Token counts: `cached`, `cache_write` and `audio` are part of input (audio of both).

    `reasoning` is part of output, `audio_output` of output and of `audio`.
    """

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    audio: int = 0
    audio_output: int = 0


@dataclass(frozen=True, slots=True)
class AudioUse:
    """What the APIs of audio used: tokens, seconds or characters, as the model is billed."""

    text_input: int = 0
    audio_input: int = 0
    text_output: int = 0
    audio_output: int = 0
    seconds: Decimal = Decimal(0)
    characters: int = 0


class Use(NamedTuple):
    """What a call used up and who served it.

    `tokens` is None where the service has not counted them: it fails, or is not done.
    `is_spilled` says that `deployment` stood in for a full provisioned one, `spilled_from`.
    `recorded_cost` is that of a log record, in US dollars. `images` and `audio` are what the APIs
    of the same names used; prices of their own hold for them, and `tokens` only counts. `pictures`
    is the number of images that were made.
    """

    id: str | None = None
    model: str | None = None
    status: str | None = None
    tier: str | None = None
    tokens: Tokens | None = None
    tools: ToolUse = NO_TOOLS
    end_user: str | None = None
    created_at: float | None = None
    deployment: str | None = None
    region: str | None = None
    is_spilled: bool = False
    spilled_from: str | None = None
    recorded_cost: Decimal | None = None
    images: ImageTokens | None = None
    audio: AudioUse | None = None
    pictures: int = 0

    def in_container(self, name: str) -> "Use":
        """The same in one container of this id."""
        return self._replace(tools=replace(self.tools, containers=frozenset((name,))))


def read_use(result: Any, headers: Mapping[str, str] | None = None) -> Use:
    """Read a response, a chat completion, the event that ends a stream, or any of them as JSON.

    A reply of Messages is read as JSON too, and a container as a session of the code interpreter.
    JSON may also be a line of a batch's output, which is priced as batch, or of the package's log.
    What was read already comes back as it is, so that a call is read once for all its purposes.

    Args:
        result: what to read.
        headers: of the reply, names in lower case; None takes those that a result has.

    Raises:
        ConfigurationError: it is not one of these.
    """
    if isinstance(result, Use):
        return result
    # Asking whether something is a model, or a Mapping, takes longer than reading a field: the
    # common kind, a dict, is asked for first, here and in what follows.
    if type(result) is not dict and isinstance(result, Result):
        return _read_body(result, result.headers if headers is None else headers)
    if type(result) is not dict and not isinstance(result, Model | Mapping):
        raise ConfigurationError(
            f"A {type(result).__name__} has no cost.",
            hint="Pass a response, a chat completion, or the event that ended a stream.",
        )
    get = _getter(result)
    # An event that ends a stream and a line of a batch's output both hold the response; only the
    # line has a custom_id, and a further layer that stands for the HTTP reply.
    inner = get("response")
    if inner is not None and isinstance(inner, Model | Mapping):
        if _text(get("custom_id")):
            return _read_body(_getter(inner)("body") or {}, headers, tier="batch")
        return _read_body(inner, headers)
    return _read_record(get) if get("record") == RECORD else _read_body(result, headers)


def _read_container(get: _Get) -> Use:
    """The session that a container begins; without tokens where its size has no listed price."""
    created, name = get("created_at"), _text(get("id"))
    limit = get("memory_limit")
    return Use(
        id=name,
        status=_text(get("status")),
        tokens=Tokens() if limit is None or limit == _USUAL_MEMORY else None,
        tools=ToolUse(containers=frozenset((name,) if name else ())),
        created_at=created if isinstance(created, int | float) else None,
    )


def _getter(value: Any) -> _Get:
    """What reads the fields of a model or of the same thing as JSON; None for a missing one."""
    if type(value) is dict:
        return value.get
    if not isinstance(value, Model) and isinstance(value, Mapping):
        return value.get
    return partial(_attribute, value)


def _attribute(value: Any, name: str) -> Any:
    return getattr(value, name, None)


def _text(value: Any) -> str | None:
    """A text that says something, else None."""
    return value if isinstance(value, str) and value else None


def count(value: Any) -> int:
    """A count of a reply, or 0 for anything else in its place."""
    # True is an int to Python; in the place of a count it is a mistake of the sender.
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _read_body(body: Any, headers: Mapping[str, str] | None, tier: str | None = None) -> Use:
    if headers is None:
        headers = body.headers if isinstance(body, Result) else {}
    get = _getter(body)
    if get("object") == "container":
        return _read_container(get)
    # A response has the first, a chat completion the second.
    created = get("created_at") or get("created")
    spilled_from = headers.get("x-ms-spillover-from-deployment")
    return Use(
        id=_text(get("id")),
        model=_text(get("model")),
        status=_text(get("status")),
        tier=tier or _text(get("service_tier")),
        tokens=_read_tokens(_usage_of(get)),
        tools=count_tools(_items(get), get("tool_usage"), get("tools")),
        end_user=_text(get("safety_identifier")) or _text(get("user")),
        created_at=created if isinstance(created, int | float) else None,
        deployment=headers.get("x-ms-deployment-name"),
        region=headers.get("x-ms-region"),
        # A standard deployment stood in for a provisioned one. The first header is that of
        # Microsoft's page on spillover; recordings have the second too.
        is_spilled=bool(spilled_from) or headers.get("x-ms-is-spilled-over", "").lower() == "true",
        spilled_from=spilled_from,
    )


def _usage_of(get: _Get) -> Any:
    """The usage; that of a message of Claude under the names of a response."""
    return messages_usage(get("usage")) if get("type") == "message" else get("usage")


def _items(get: _Get) -> Sequence[Any]:
    """The output items of a response, or those that a completion keeps in its message."""
    output = get("output")
    if isinstance(output, list):
        return output
    # A completion has no output items: the bridge keeps the hosted calls in its message.
    messages = [_getter(choice)("message") for choice in get("choices") or ()]
    return [item for message in messages for item in _getter(message)("hosted_items") or ()]


def _read_tokens(usage: Any) -> Tokens | None:
    if usage is None:
        return None
    get = _getter(usage)
    # The two APIs count the same things under different names, down to those of the details.
    given, made = "input", "output"
    if get("prompt_tokens") is not None:
        given, made = "prompt", "completion"
    read, written = get(f"{given}_tokens"), get(f"{made}_tokens")
    if not (
        _is_count(usage, read, f"{given}_tokens") and _is_count(usage, written, f"{made}_tokens")
    ):
        # A price for half of the tokens would be a wrong one.
        return None
    of_read = _getter(get(f"{given}_tokens_details"))
    of_written = _getter(get(f"{made}_tokens_details"))
    spoken = count(of_written("audio_tokens"))
    return Tokens(
        input=count(read),
        # The second is DeepSeek's own name.
        cached=count(of_read("cached_tokens")) or count(get("prompt_cache_hit_tokens")),
        cache_write=count(of_read("cache_write_tokens")),
        output=count(written),
        reasoning=count(of_written("reasoning_tokens")),
        audio=count(of_read("audio_tokens")) + spoken,
        audio_output=spoken,
    )


def _is_count(usage: Any, value: Any, name: str) -> bool:
    """False where something else stands in the place of a count."""
    if type(usage) is not dict and isinstance(usage, Model):
        # A model keeps what does not fit a field under the field's name among its extra fields.
        extra = usage.model_extra or {}
        if name in extra:
            return isinstance(extra[name], int)
    return isinstance(value or 0, int)


def count_tools(items: Sequence[Any], tool_usage: Any, tools: Any) -> ToolUse:
    """Count the uses of hosted tools.

    Args:
        items: output items, as models or JSON.
        tool_usage: the response's `tool_usage`; its count of requests wins over the items.
        tools: the response's `tools`, which name the image model.
    """
    charged = [(charge, item) for item in items if (charge := _charge_of(item)) is not None]
    if not charged and not tool_usage:
        return NO_TOOLS
    reported = _getter(tool_usage)
    uses = {
        charge.price: count
        for charge in _BY_USE
        if (count := _count_uses(charge, charged, reported))
    }
    image_tokens = read_image_tokens(reported("image_gen"))
    if not charged and not uses and image_tokens is None:
        # Azure reports on tools that were not used, with zeros.
        return NO_TOOLS
    images = sum(charge.unit == "tokens" for charge, _ in charged)
    containers, sessions = _count_sessions(charged)
    model = _image_model(tools) if images or image_tokens else None
    size = _search_size(tools) if "web_search" in uses else None
    return ToolUse(uses, containers, sessions, images, image_tokens, model, size)


def _charge_of(item: Any) -> Charge | None:
    kind = _getter(item)("type")
    return CHARGES.get(kind) if isinstance(kind, str) else None


def _count_uses(charge: Charge, charged: list[tuple[Charge, Any]], reported: _Get) -> int:
    # 1. What the service reports wins: it bills searches, and one item may hold several.
    if charge.reported is not None:
        count = _getter(reported(charge.reported))("num_requests")
        if isinstance(count, int):
            return count
    if not charged:
        return 0
    # 2. Without a report the items are all there is to count.
    return sum(found is charge and _is_billed(charge, item) for found, item in charged)


def _is_billed(charge: Charge, item: Any) -> bool:
    """False for an action that is part of another's price, such as opening a page found."""
    if not charge.actions:
        return True
    action = _getter(_getter(item)("action"))("type")
    return action is None or action in charge.actions


def _count_sessions(charged: list[tuple[Charge, Any]]) -> tuple[frozenset[str], int]:
    """The containers that code or shell commands ran in, and whether any ran in one unnamed."""
    # A session is billed once, however many calls run in it: ids are counted, not items.
    containers: set[str] = set()
    is_unnamed = False
    for charge, item in charged:
        if charge.container is None:
            continue
        value = item
        for name in charge.container.split("."):
            value = _getter(value)(name)
        container = _text(value)
        if container is not None:
            containers.add(container)
        elif not charge.has_free_calls:
            is_unnamed = True
    return frozenset(containers), int(is_unnamed and not containers)


def read_image_tokens(usage: Any) -> ImageTokens | None:
    """The tokens of the image tool, or of the API of images; None where none were counted."""
    get = _getter(usage)
    # Azure sends this object with zeros where no image was made.
    if not count(get("total_tokens")):
        return None
    given, made = _getter(get("input_tokens_details")), _getter(get("output_tokens_details"))
    cached = _getter(get("cached_tokens_details"))
    # The totals hold both kinds, and each kind has a price of its own: text is what is left.
    images_given, text_output = count(given("image_tokens")), count(made("text_tokens"))
    return ImageTokens(
        text_input=count(get("input_tokens")) - images_given,
        image_input=images_given,
        cached_text_input=count(cached("cached_text_tokens")),
        cached_image_input=count(cached("cached_image_tokens")),
        text_output=text_output,
        image_output=count(get("output_tokens")) - text_output,
    )


def _image_model(tools: Any) -> str | None:
    offered = map(_getter, tools if isinstance(tools, list) else ())
    return next((_text(get("model")) for get in offered if get("type") == _IMAGES), None)


def _search_size(tools: Any) -> str | None:
    offered = map(_getter, tools if isinstance(tools, list) else ())
    sizes = (_text(get("search_context_size")) for get in offered)
    return next((size for size in sizes if size is not None), None)


def _read_record(get: _Get) -> Use:
    counts = _getter(get("tools"))
    spilled_from = _text(get("spillover_from"))
    return Use(
        id=_text(get("id")),
        model=_text(get("model")),
        status=_text(get("status")),
        tier=_text(get("service_tier")),
        tokens=_read_tokens(get("usage")),
        tools=ToolUse(
            uses={
                charge.price: used for charge in _BY_USE if (used := count(counts(charge.price)))
            },
            sessions=count(counts(_SESSION)),
            images=count(counts(_IMAGES)),
        ),
        end_user=_text(get("end_user")),
        deployment=_text(get("served_deployment")) or _text(get("deployment")),
        region=_text(get("region")),
        is_spilled=spilled_from is not None,
        spilled_from=spilled_from,
        recorded_cost=_read_cost(get("cost")),
    )


def _read_cost(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def to_record(
    result: Any,
    *,
    cost: Decimal | None = None,
    deployment: str | None = None,
    end_user: str | None = None,
) -> dict[str, Any]:
    """What `azure-responses cost --from-log` reads, for one line of a log.

    The keys are `record` ("azure_responses.call", by which a line is known), `id`, `model`,
    `deployment`, `served_deployment`, `spillover_from`, `region`, `service_tier`, `status`,
    `end_user`, `usage` (as the Responses API has it), `tools` (uses by tool), `cost` (text, or
    None where it is not known) and `currency`. A log may add others.

    Raises:
        ConfigurationError: `result` has no cost.
    """
    use = read_use(result)
    return {
        "record": RECORD,
        "id": use.id,
        "model": use.model,
        "deployment": deployment or use.deployment,
        "served_deployment": use.deployment,
        "spillover_from": use.spilled_from,
        "region": use.region,
        "service_tier": use.tier,
        "status": use.status,
        "end_user": end_user or use.end_user,
        "usage": _usage(use),
        "tools": use.tools.counts(),
        "cost": None if cost is None else format(cost, "f"),
        "currency": "USD",
    }


def _usage(use: Use) -> dict[str, Any] | None:
    if use.tokens is None:
        return None
    tokens: Tokens = use.tokens
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.cache_write,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }
