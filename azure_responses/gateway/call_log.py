"""One line of log per call, on the logger `azure_responses.gateway`."""

import logging

from azure_responses.gateway.spent_call import SpentCall
from azure_responses.openai_server import CallSummary

__all__ = ["LOGGER", "log_call"]

LOGGER = logging.getLogger("azure_responses.gateway")


def log_call(spent: SpentCall, summary: CallSummary) -> None:
    """Log at INFO how a call ended: who called what, who answered, what it used and cost.

    With `JSONFormatter` the line is an object with the keys of the package's own log, and those of
    the spend log besides.
    """
    if not LOGGER.isEnabledFor(logging.INFO):
        return
    LOGGER.info(
        "%s %s %s: %d%s in %.3f s by %s, %s + %s tokens, $%s, key %s, call %s",
        summary.operation,
        "stream" if summary.is_stream else "-",
        _shown(summary.group),
        summary.status,
        f" {_shown(summary.error_type)}" if summary.error is not None else "",
        spent.latency,
        summary.deployment_id or "-",
        _count(summary, "input_tokens", "prompt_tokens"),
        _count(summary, "output_tokens", "completion_tokens"),
        "-" if spent.cost is None else format(spent.cost, "f"),
        spent.caller.key_id or "-",
        summary.call_id,
        extra={"spent_call": spent},
    )


def _count(summary: CallSummary, *names: str) -> str:
    """Tokens, which a reply may call anything."""
    usage = summary.usage or {}
    found = next((usage[name] for name in names if name in usage), None)
    return str(found) if isinstance(found, int) and abs(found) < 2**63 else "-"


def _shown(text: str | None) -> str:
    """What a caller or Azure named, on one line."""
    if text is None:
        return "-"
    text = text[:200]
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
