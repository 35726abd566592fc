"""A Messages request, read once for every API that may serve it.

Each parameter of the Messages API stands in one of the tables at the end: read, of no consequence,
or refused by name. What is read is kept in words that belong to neither API.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.bridge.chat_over_responses.reasoning import (
    drop_sampling,
    is_reasoning_model_name,
)
from azure_responses.bridge.message_blocks import read_parts
from azure_responses.bridge.message_entries import Entry, read_messages
from azure_responses.bridge.message_tools import ClientTool, ServerWebSearch, read_tools
from azure_responses.bridge.unsupported import Unsupported, invalid
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.families import FamilyFacts

__all__ = [
    "MessagesRequest",
    "choose_effort",
    "choose_limit",
    "read_request",
    "write_sampling",
]

_Fields = Mapping[str, Any]
# Claude Code begins its system prompt with this line, which differs in every request: with it no
# prompt cache would ever hit (anthropics/claude-code #68900).
_BILLING_LINE = "x-anthropic-billing-header:"
# What a thinking budget in tokens is worth as an effort: Claude Code's words for more thinking
# stand for 4000, 10000 and 31999 tokens.
_BUDGETS = ((4_096, "low"), (16_384, "medium"))


@dataclass(slots=True)
class MessagesRequest:
    """What a request asks for.

    Attributes:
        system: the system prompt.
        entries: the messages, in order.
        effort: the reasoning effort asked for, in the words of the Messages API.
        guesses_effort: it is made of a budget in tokens.
        shows_thinking: the answer has thinking blocks.
        summarizes: their text is wanted, not the signature alone.
        disables_thinking: thinking is forbidden.
        schema: the JSON schema of the answer.
        tool_choice: "auto", "required", "none", or the tool that has to be called.
        caches: a prompt cache is asked for.
    """

    max_tokens: int = 0
    stream: bool = False
    system: str | None = None
    entries: list[Entry] = field(default_factory=list)
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: tuple[str, ...] = ()
    user_id: str | None = None
    effort: str | None = None
    guesses_effort: bool = False
    shows_thinking: bool = False
    summarizes: bool = True
    disables_thinking: bool = False
    schema: _Fields | None = None
    service_tier: str | None = None
    tools: list[ClientTool | ServerWebSearch] = field(default_factory=list)
    tool_choice: str | ClientTool | ServerWebSearch | None = None
    allows_parallel: bool = True
    caches: bool = False


def read_request(parameters: _Fields, unsupported: Unsupported) -> MessagesRequest:
    """Read a request.

    Raises:
        BadRequestError: the Messages API would refuse it, too.
        ConfigurationError: it asks for what only Claude has.
    """
    request = MessagesRequest(stream=bool(parameters.get("stream")))
    for name in ("max_tokens", "messages"):
        if parameters.get(name) is None:
            raise invalid(f"{name}: Field required", name)
    try:
        for name, value in parameters.items():
            if value is not None:
                _take(request, name, value, unsupported)
        request.entries = list(read_messages(parameters["messages"], unsupported))
    except RecursionError:
        raise invalid("messages: the request is nested too deeply", "messages") from None
    _take_tool_choice(request, parameters.get("tool_choice"))
    request.caches = request.caches or _mentions_cache(parameters)
    return request


def choose_effort(
    request: MessagesRequest, facts: FamilyFacts, unsupported: Unsupported
) -> str | None:
    """The reasoning effort that is sent, or None to send none."""
    if request.effort is None:
        # The lowest that the model knows. Its thinking is not shown, which is what was asked for.
        return facts.effort_for("none") if request.disables_thinking and facts.efforts else None
    effort = facts.effort_for(request.effort)
    if effort != request.effort:
        became = f"became {effort!r}" if effort else "was left out"
        unsupported.warn(f"The effort {request.effort!r} {became}: the model does not have it.")
    return effort


def choose_limit(
    request: MessagesRequest, context: ConversionContext, unsupported: Unsupported
) -> int:
    """The most tokens of output that are asked for.

    Programs ask for what a Claude of today can write. A model that writes less refuses the request,
    although its own limit would cut the answer all the same.
    """
    most: int | None = context.max_output_tokens or context.facts.max_output_tokens
    if most is None or request.max_tokens <= most:
        return request.max_tokens
    unsupported.warn(
        f"max_tokens was lowered from {request.max_tokens} to {most}, the most that the model "
        "writes."
    )
    return most


def write_sampling(
    body: dict[str, Any],
    request: MessagesRequest,
    context: ConversionContext,
    unsupported: Unsupported,
) -> None:
    """Add `temperature` and `top_p`, which the other APIs have, too."""
    for name in ("temperature", "top_p"):
        value = getattr(request, name)
        # 1 is the default of all three APIs, and a model that reasons refuses even that.
        if value is not None and value != 1:
            body[name] = value
    reasons = context.facts.instructions_role == "developer"
    reasons = reasons or is_reasoning_model_name(context.deployment)
    if reasons and unsupported.drops_params and body.get("reasoning") != {"effort": "none"}:
        for warning in drop_sampling(body):
            unsupported.warn(warning)


def _take(request: MessagesRequest, name: str, value: Any, unsupported: Unsupported) -> None:
    if name in _READ:
        _READ[name](request, value, unsupported)
    elif name in _REFUSED:
        neutral, reason, alternative = _REFUSED[name]
        if value not in neutral:
            unsupported.leave_out(name, reason, alternative)
    elif name not in _WITHOUT_CONSEQUENCE:
        # The model would refuse it in words of another API, so it is refused here in the caller's.
        shown = name if len(name) <= 100 else f"{name[:100]}…"
        unsupported.leave_out(shown, "It is not a known parameter of Messages.", "Leave it out.")


def _mentions_cache(parameters: _Fields) -> bool:
    """True where a block of the system prompt, a tool or a message has `cache_control`."""
    system, tools = parameters.get("system"), parameters.get("tools")
    contents = [message.get("content") for message in parameters["messages"]]
    lists = [part for part in (system, tools, *contents) if isinstance(part, list | tuple)]
    return any(
        isinstance(block, Mapping) and bool(block.get("cache_control"))
        for blocks in lists
        for block in blocks
    )


def _take_max_tokens(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    if type(value) is not int or value < 1:
        raise invalid("max_tokens: Input should be a number greater than 0", "max_tokens")
    request.max_tokens = value


def _take_same(name: str) -> Callable[[MessagesRequest, Any, Unsupported], None]:
    def take(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise invalid(f"{name}: Input should be a number from 0 to 1", name)
        setattr(request, name, value)

    return take


def _take_stop(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    sequences: list[Any] = list(value) if isinstance(value, list | tuple) else [None]
    for index, sequence in enumerate(sequences):
        if not isinstance(sequence, str) or not sequence.strip():
            path = f"stop_sequences.{index}"
            raise invalid(f"{path}: each stop sequence must contain non-whitespace", path)
    request.stop_sequences = tuple(sequences)


def _take_system(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    texts = [part.value for part in read_parts(value, "system", unsupported)]
    kept = [text for text in map(_without_billing_line, texts) if text]
    request.system = "\n\n".join(kept) or None


def _without_billing_line(text: str) -> str:
    return text.partition("\n")[2] if text.startswith(_BILLING_LINE) else text


def _take_metadata(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    fields = _fields(value, "metadata")
    if fields.get("user_id") is not None:
        request.user_id = str(fields["user_id"])
    for name in fields.keys() - {"user_id"}:
        raise invalid(f"metadata.{name}: Extra inputs are not permitted", f"metadata.{name}")


def _take_thinking(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    fields = _fields(value, "thinking")
    kind = fields.get("type")
    if kind == "disabled":
        request.disables_thinking = True
        return
    if kind == "between_tools":
        unsupported.leave_out(
            "thinking.type",
            "Other models than Claude do not choose when they think.",
            "Ask for thinking of the type 'adaptive'.",
        )
    elif kind == "enabled":
        effort = _effort_of(fields.get("budget_tokens"))
        if request.effort is None:
            request.effort, request.guesses_effort = effort, True
    elif kind != "adaptive":
        expected = "'enabled', 'disabled' or 'adaptive'"
        raise invalid(f"thinking.type: Input should be {expected}", "thinking.type")
    request.shows_thinking = True
    request.summarizes = fields.get("display") != "omitted"


def _effort_of(budget: Any) -> str:
    if type(budget) is not int or budget < 1024:
        path = "thinking.budget_tokens"
        raise invalid(f"{path}: Input should be greater than or equal to 1024", path)
    return next((effort for most, effort in _BUDGETS if budget <= most), "high")


def _take_output(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    fields = _fields(value, "output_config")
    if fields.get("effort") is not None:
        # It says more than a budget does, which some clients send beside it.
        request.effort, request.guesses_effort = str(fields["effort"]), False
    if fields.get("format") is not None:
        _take_format(request, fields["format"], unsupported)
    for name in fields.keys() - {"effort", "format"}:
        unsupported.leave_out(
            f"output_config.{name}", "Other models than Claude do not have it.", "Leave it out."
        )


def _take_format(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    fields = _fields(value, "output_config.format")
    if fields.get("type") != "json_schema" or not isinstance(fields.get("schema"), Mapping):
        path = "output_config.format"
        raise invalid(f"{path}: Input should be a JSON schema", path)
    request.schema = fields["schema"]


def _take_tier(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    if value not in ("auto", "standard_only"):
        expected = "'auto' or 'standard_only'"
        raise invalid(f"service_tier: Input should be {expected}", "service_tier")
    # Anthropic's "auto" uses priority capacity where there is some, which is what the deployment
    # does when no tier is named.
    request.service_tier = "default" if value == "standard_only" else None


def _take_tools(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    request.tools = read_tools(value, unsupported)


def _take_cache(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    request.caches = True


def _take_management(request: MessagesRequest, value: Any, unsupported: Unsupported) -> None:
    # Claude Code always asks for this one (anthropics/claude-code #21612). It says which earlier
    # thinking Claude still reads; other models decide that for themselves.
    edits = _fields(value, "context_management").get("edits") or ()
    kinds = {str(edit.get("type")) for edit in edits if isinstance(edit, Mapping)}
    others = sorted(kind for kind in kinds if not kind.startswith("clear_thinking_"))
    if others:
        unsupported.leave_out(
            "context_management",
            f"Only Claude's service shortens a conversation ({', '.join(others)}).",
            "Remove old tool results before the request is sent.",
        )


def _take_tool_choice(request: MessagesRequest, value: Any) -> None:
    if value is None:
        return
    fields = _fields(value, "tool_choice")
    kind = fields.get("type")
    request.allows_parallel = not fields.get("disable_parallel_tool_use")
    if kind == "tool":
        name = fields.get("name")
        request.tool_choice = next((tool for tool in request.tools if tool.name == name), None)
        if request.tool_choice is None:
            raise invalid(f"Tool '{name}' not found in provided tools", "tool_choice")
    elif kind == "any" and not request.tools:
        path = "tool_choice"
        raise invalid(f"{path}: may only be specified while providing tools", path)
    elif kind in _CHOICES:
        request.tool_choice = _CHOICES[kind]
    else:
        expected = "'auto', 'any', 'tool' or 'none'"
        raise invalid(f"tool_choice.type: Input should be {expected}", "tool_choice.type")


def _fields(value: Any, path: str) -> _Fields:
    if not isinstance(value, Mapping):
        raise invalid(f"{path}: Input should be a valid dictionary", path)
    return value


_CHOICES = {"auto": "auto", "any": "required", "none": "none"}

_READ: dict[str, Callable[[MessagesRequest, Any, Unsupported], None]] = {
    "max_tokens": _take_max_tokens,
    "temperature": _take_same("temperature"),
    "top_p": _take_same("top_p"),
    "stop_sequences": _take_stop,
    "system": _take_system,
    "metadata": _take_metadata,
    "thinking": _take_thinking,
    "output_config": _take_output,
    # The name that it had in beta, before `output_config`; programs still send it.
    "output_format": _take_format,
    "service_tier": _take_tier,
    "tools": _take_tools,
    "cache_control": _take_cache,
    "context_management": _take_management,
}

# Beta names concern Claude alone; the SDK sends them as a header, other programs in the body.
_WITHOUT_CONSEQUENCE = frozenset(
    {"model", "messages", "stream", "tool_choice", "betas", "anthropic_beta", "anthropic_version"}
)

# name → (values that ask for nothing, why it cannot be sent, what to do instead)
_REFUSED: dict[str, tuple[tuple[Any, ...], str, str]] = {
    "top_k": ((), "Only Claude has top_k.", "Use temperature or top_p."),
    "container": (
        ({},),
        "Only Claude runs code in Anthropic's containers.",
        "Leave it out, and offer a tool that runs code.",
    ),
    "mcp_servers": (
        ([], ()),
        "Only Anthropic's service connects to MCP servers of a Messages request.",
        "Connect to the server in your program, and offer its tools as tools.",
    ),
    "inference_geo": (
        ("global",),
        "The deployment decides where the model runs.",
        "Leave it out, and call a deployment of that region.",
    ),
    "speed": (
        ("standard",),
        "Only Claude has a fast mode.",
        "Leave it out, and call a faster deployment.",
    ),
    "diagnostics": (
        ({},),
        "Only Anthropic's service compares prompt caches.",
        "Leave it out; usage.cache_read_input_tokens says what was cached.",
    ),
    "user_profile_id": (
        (),
        "It belongs to an organization at Anthropic.",
        "Name the user in metadata.user_id.",
    ),
    "workspace_id": ((), "It belongs to an organization at Anthropic.", "Leave it out."),
}
