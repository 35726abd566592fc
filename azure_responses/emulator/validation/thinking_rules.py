"""What thinking allows beside it, and the blocks that must come back as they were."""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.messages_errors import messages_error, wrong
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.validation.message_content import Turn, merge_turns

__all__ = ["validate_message_blocks", "check_thinking", "is_thinking"]

_LEAST_BUDGET = 1024
_PAGE = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
_THOUGHTS = ("thinking", "redacted_thinking")
# What sealed a block: the text as it was shown, and the block's place among those of its message.
Seal = Mapping[str, Any]


def is_thinking(body: Mapping[str, Any]) -> bool:
    """True where the request switches thinking on."""
    return (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")


def check_thinking(body: Mapping[str, Any], model: EmulatedModel) -> None:
    """Refuse a `thinking` that the model does not take, and what cannot stand beside it."""
    config = body.get("thinking")
    if config is not None:
        _check_config(config, model)
    _check_sampling(body, model)
    if not is_thinking(body):
        return
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        message = "Thinking may not be enabled when tool_choice forces tool use."
        raise messages_error(400, message)
    budget = (config or {}).get("budget_tokens")
    limit = body.get("max_tokens")
    if budget is not None and limit is not None and limit <= budget:
        text = "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our"
        place = f"{_PAGE}#max-tokens-and-context-window-size"
        raise messages_error(400, f"{text} documentation at {place}")


def _check_config(config: Mapping[str, Any], model: EmulatedModel) -> None:
    kind = config.get("type")
    if kind not in ("enabled", "adaptive", "disabled"):
        text = f"Input tag '{kind}' found using 'type' does not match any of the expected tags:"
        raise wrong("thinking", f"{text} 'adaptive', 'disabled', 'enabled'")
    if kind not in model.claude.thinking:
        raise _unsupported(kind)
    known = {
        "enabled": {"type", "budget_tokens", "display"},
        "adaptive": {"type", "display"},
        "disabled": {"type"},
    }[kind]
    for name in config.keys() - known:
        raise wrong(f"thinking.{kind}.{name}", "Extra inputs are not permitted")
    if config.get("display") not in (None, "summarized", "omitted"):
        text = "Input should be 'summarized' or 'omitted'"
        raise wrong(f"thinking.{kind}.display", text)
    if kind == "enabled":
        _check_budget(config.get("budget_tokens"))


def _unsupported(kind: str) -> ServiceError:
    if kind == "adaptive":
        return messages_error(400, "adaptive thinking is not supported on this model")
    return messages_error(
        400,
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" '
        'and "output_config.effort" to control thinking behavior.',
    )


def _check_budget(budget: Any) -> None:
    place = "thinking.enabled.budget_tokens"
    if budget is None:
        raise wrong(place, "Field required")
    if isinstance(budget, bool) or not isinstance(budget, int):
        raise wrong(place, "Input should be a valid integer")
    if budget < _LEAST_BUDGET:
        raise wrong(place, f"Input should be greater than or equal to {_LEAST_BUDGET}")


def _check_sampling(body: Mapping[str, Any], model: EmulatedModel) -> None:
    temperature, top_p = body.get("temperature"), body.get("top_p")
    for name, most in (("temperature", temperature), ("top_p", top_p)):
        if most is not None and not 0 <= most <= 1:
            raise wrong(name, "range: 0..1")
    if not model.claude.samples:
        # The migration pages of Opus 4.7 and later: not the default, not accepted.
        for name in ("temperature", "top_p", "top_k"):
            if body.get(name) not in (None, 1 if name != "top_k" else None):
                raise messages_error(400, f"`{name}` is deprecated for this model.")
    if temperature is not None and top_p is not None:
        message = "`temperature` and `top_p` cannot both be specified for this model. Please use "
        raise messages_error(400, f"{message}only one.")
    if is_thinking(body):
        _check_sampling_while_thinking(body)


def _check_sampling_while_thinking(body: Mapping[str, Any]) -> None:
    page = f"{_PAGE}#important-considerations-when-using-extended-thinking"
    consult = f"Please consult our documentation at {page}"
    if body.get("temperature") not in (None, 1):
        text = "`temperature` may only be set to 1 when thinking is enabled."
        raise messages_error(400, f"{text} {consult}")
    if body.get("top_k") is not None:
        raise messages_error(400, f"`top_k` must be unset when thinking is enabled. {consult}")
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        text = "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
        raise messages_error(400, f"{text} {consult}")


# --- blocks that come back ------------------------------------------------------------------------


def validate_message_blocks(
    body: Mapping[str, Any],
    open_seal: Callable[[str], Seal | None],
    count_thoughts: Callable[[str], int],
) -> None:
    """Refuse thinking that was changed, and calls that lost the thinking before them.

    Args:
        body: a body that `validate_messages` accepted.
        open_seal: what a signature or the data of a redacted block was made of; None for what
            Claude did not sign.
        count_thoughts: how many thinking blocks stood before the call of this id; 0 for calls
            of another resource.
    """
    turns = merge_turns(body["messages"])
    said = [turn for turn in turns if turn.role == "assistant"]
    for turn in said:
        is_latest = turn is said[-1]
        seals = [
            _open(place, block, open_seal, is_latest)
            for place, block in zip(turn.places, turn.blocks, strict=True)
            if block["type"] in _THOUGHTS
        ]
        if is_latest and is_thinking(body) and turn.blocks:
            is_manual = body["thinking"]["type"] == "enabled"
            _check_latest(turn, seals, is_manual, turn is turns[-1], count_thoughts)


def _open(
    place: str, block: Mapping[str, Any], open_seal: Callable[[str], Seal | None], is_latest: bool
) -> Seal:
    is_redacted = block["type"] == "redacted_thinking"
    seal = open_seal(block["data"] if is_redacted else block["signature"])
    field = "data" if is_redacted else "signature"
    if seal is None:
        raise wrong(place, f"Invalid `{field}` in `{block['type']}` block")
    shown = seal.get("shown")
    if not is_redacted and shown != block["thinking"]:
        raise (
            _modified(place)
            if is_latest
            else wrong(place, "Invalid `signature` in `thinking` block")
        )
    return seal


def _modified(place: str) -> ServiceError:
    return wrong(
        place,
        "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be "
        "modified. These blocks must remain as they were in the original response.",
    )


def _check_latest(
    turn: Turn,
    seals: list[Seal],
    is_manual: bool,
    is_unfinished: bool,
    count_thoughts: Callable[[str], int],
) -> None:
    calls = [block["id"] for block in turn.blocks if block["type"] == "tool_use"]
    first = turn.blocks[0]["type"]
    # Manual thinking wants a thought first, adaptive thinking gets back what it gave.
    is_wanted = is_manual and (calls or is_unfinished)
    if first not in _THOUGHTS and (is_wanted or any(count_thoughts(call) for call in calls)):
        raise wrong(
            f"{turn.places[0]}.type",
            f"Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is "
            "enabled, a final `assistant` message must start with a thinking block (preceeding "
            "the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include "
            "thinking blocks from previous turns. To avoid this requirement, disable `thinking`. "
            f"Please consult our documentation at {_PAGE}",
        )
    if not calls:
        return
    numbers = [seal.get("number") for seal in seals]
    if seals and numbers != list(range(seals[0].get("count", 0))):
        raise _modified(turn.places[0])
